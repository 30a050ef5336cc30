// An operator for tests: the name of an input says what to do with it.
import {
  DoraStatus,
  type OperatorEvent,
  type OperatorInfo,
  type SendOutput,
  type TypeScriptOperator,
} from "../../../src/index.ts"

/** Does what the name of its input says. */
export default class Probe implements TypeScriptOperator {
  readonly #info: OperatorInfo

  constructor(info: OperatorInfo) {
    this.#info = info
  }

  onEvent(event: OperatorEvent, sendOutput: SendOutput): DoraStatus {
    if (event.type !== "INPUT") return DoraStatus.CONTINUE
    if (event.id === "echo") void sendOutput("out", event.value, event.metadata.parameters)
    if (event.id === "fail") throw new Error("the operator says no")
    if (event.id === "odd-status") return 77 as DoraStatus
    if (event.id === "stop") return DoraStatus.STOP
    return event.id === "stop-all" ? DoraStatus.STOP_ALL : DoraStatus.CONTINUE
  }

  drop(): void {
    this.#info.log.info("dropped")
  }
}
