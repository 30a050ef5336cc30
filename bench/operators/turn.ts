// Two of them hand one message to and fro as fast as they can. The first one, `first`, begins at a tick; it takes the time after a
// warm-up, prints it and ends both. `unshared` is the median of the windows in which its core was its own, null without any: right before
// and after each it times a piece of work (bench/cores.ts).
//   COUNT messages that count, PIECE_NS that the work takes at best
import { DoraStatus, type OperatorEvent, type OperatorInfo, type SendOutput } from "dora-bun"
import { pieceNs, SHARED } from "../cores.ts"
import { median } from "../statistics.ts"

const COUNT = Number(process.env.COUNT)
const WARM_UP = COUNT >> 1
/** Turns of one window, some milliseconds. */
const WINDOW = 10_000

/** One half of the pair. */
export default class Turn {
  readonly #first: boolean
  readonly #info: OperatorInfo
  readonly #body = new Uint8Array(Number(process.env.SIZE))
  #seen = 0
  #startNs = 0
  /** How long the work took before the window under way. */
  #pieceNs = 0
  readonly #windows: { ns: number; pieceNs: number }[] = []

  constructor(info: OperatorInfo) {
    this.#info = info
    this.#first = info.id === "first"
  }

  onEvent(event: OperatorEvent, sendOutput: SendOutput): DoraStatus | undefined {
    if (event.type !== "INPUT") return undefined
    if (event.id === "ball") {
      this.#body[0] = Number(event.array[0])
      if (this.#first && ++this.#seen % WINDOW === 0 && this.#nextWindow()) return this.#end()
    }
    void sendOutput("ball", this.#body)
    return undefined
  }

  /** @returns was that the last one? */
  #nextWindow(): boolean {
    const ns = Bun.nanoseconds() - this.#startNs
    const piece = pieceNs()
    // Two events a turn: one for each of the pair.
    if (this.#seen > WARM_UP)
      this.#windows.push({ ns: ns / WINDOW / 2, pieceNs: Math.max(this.#pieceNs, piece) })
    this.#pieceNs = piece
    this.#startNs = Bun.nanoseconds()
    return this.#seen >= WARM_UP + COUNT
  }

  #end(): DoraStatus {
    const windows = this.#windows
    const best = Math.min(Number(process.env.PIECE_NS), ...windows.map((one) => one.pieceNs))
    const own = windows.filter((one) => one.pieceNs <= best * SHARED).map(({ ns }) => ns)
    const ns = windows.reduce((sum, one) => sum + one.ns, 0) / windows.length
    this.#info.log.info(JSON.stringify({ ns, unshared: own.length > 0 ? median(own) : null }))
    return DoraStatus.STOP_ALL
  }
}
