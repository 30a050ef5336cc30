// Two of them hand one message to and fro as fast as they can. The first one, `first`, begins at a tick; it takes the time after a
// warm-up, prints it and ends both.
//   COUNT messages that count
import { DoraStatus, type OperatorEvent, type OperatorInfo, type SendOutput } from "dora-bun"

const COUNT = Number(process.env.COUNT)
const WARM_UP = COUNT >> 1

/** One half of the pair. */
export default class Turn {
  readonly #first: boolean
  readonly #info: OperatorInfo
  readonly #body = new Uint8Array(Number(process.env.SIZE))
  #seen = 0
  #startNs = 0

  constructor(info: OperatorInfo) {
    this.#info = info
    this.#first = info.id === "first"
  }

  onEvent(event: OperatorEvent, sendOutput: SendOutput): DoraStatus | undefined {
    if (event.type !== "INPUT") return undefined
    if (event.id === "ball") {
      this.#body[0] = Number(event.array[0])
      if (this.#first && ++this.#seen === WARM_UP) this.#startNs = Bun.nanoseconds()
      if (this.#seen === WARM_UP + COUNT) return this.#end()
    }
    void sendOutput("ball", this.#body)
    return undefined
  }

  #end(): DoraStatus {
    // Two events a turn: one for each of the pair.
    const ns = (Bun.nanoseconds() - this.#startNs) / COUNT / 2
    this.#info.log.info(JSON.stringify({ ns }))
    return DoraStatus.STOP_ALL
  }
}
