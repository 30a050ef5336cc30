// What was not used for some milliseconds has left the processor's caches: the first message after a pause takes ten times
// as long as the second. docs/adr/0009-anticipation.md.
import type { FlowClock } from "../shm/clock.ts"
import { closeFd } from "../shm/libc.ts"
import { SEQ_WORD } from "../shm/layout.ts"
import { makeInbox } from "../shm/make.ts"
import { Inbox } from "../shm/segment.ts"
import { OutputWriter } from "../shm/writer.ts"
import { Output } from "./output.ts"
import { RingPort } from "./ports.ts"
import type { Waiting } from "./waiting.ts"

const BYTES = 64
const NO_POOL = { fd: -1, size: 0 }

/** An edge of a node to itself, known to nobody else: a message on it goes the same way through the same code. */
export class Rehearsal {
  readonly #output: Output
  readonly #port: RingPort
  #sends: boolean
  readonly #body = new Uint8Array(BYTES)
  /** Of what was taken: without a use the compiler would leave it out. */
  sum = 0

  /** @param sends  the node has outputs that are read @throws SharedMemoryError */
  constructor(clock: FlowClock, waiting: Waiting, sends: boolean) {
    this.#sends = true
    const { pid } = process
    const policy = "drop_oldest"
    const { ref, rings } = makeInbox("rehearsal", [{ queueSize: 1, policy, timer: false }], 0)
    const ring = rings[0]!
    const inbox = new Inbox(pid, ref, -1)
    closeFd(ref.fd)
    const edge = { node: "", input: "", inbox: ref, wakeFd: -1, ring, line: 0, policy } as const
    const plan = { id: "", pool: NO_POOL, edges: [edge] }
    const writer = new OutputWriter(plan, pid, () => inbox, clock, new Int32Array(4))
    this.#output = new Output("", writer, waiting)
    const input = { id: "", source: "", ring, borrowBudget: 0, periodNs: null, pool: null }
    this.#port = new RingPort(inbox, { ...input, producer: null }, pid, clock, () => {})
    // Every slot holds a message then.
    for (let i = this.#port.reader.ring.slotCount; i > 0; i--) this.run()
    this.#sends = sends
  }

  /** Takes one message; a node that sends sends it, too, and to any other the last one is shown again. */
  run(): void {
    const { ring } = this.#port.reader
    if (this.#sends) void this.#output.send(this.#body, undefined)
    else ring.words[ring.slot() + SEQ_WORD] = (ring.tail + 1) | 0
    const event = this.#port.take(this.#port.arrived())
    if (event !== null) this.sum += event.array.length
  }
}
