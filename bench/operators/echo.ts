// Sends on what it receives.
import type { OperatorEvent, SendOutput } from "dora-bun"

/** One operator between two nodes. */
export default class Echo {
  onEvent(event: OperatorEvent, sendOutput: SendOutput): void {
    if (event.type === "INPUT") void sendOutput("pong", event.array)
  }
}
