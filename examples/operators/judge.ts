// Says in words what the others have found.
import type { OperatorEvent, SendOutput, TypeScriptOperator } from "dora-bun"

/** Counts the windows, and tells loud from quiet. */
export default class Judge implements TypeScriptOperator {
  #windows = 0

  onEvent(event: OperatorEvent, sendOutput: SendOutput): void {
    if (event.type !== "INPUT") return
    const peak = Number(event.array[0])
    const verdict = peak >= 1 ? "clipped" : peak > 0.5 ? "loud" : "quiet"
    sendOutput("verdict", { window: ++this.#windows, peak, verdict })
  }

  // Under `dora run --hot-reload` the next version of this file counts on.
  saveState(): number {
    return this.#windows
  }

  restoreState(windows: number): void {
    this.#windows = windows
  }
}
