// One connection of a node at the relay. Messages and long polls are served here, without copies in between; everything
// else goes to a session like that of any node.
import { ptr } from "bun:ffi"
import type { HybridClock, Stamp } from "../../core/clock.ts"
import { closeFd } from "../../shm/libc.ts"
import { frame, HEADER_BYTES } from "../../wire/frame.ts"
import type { KnownHead } from "../../wire/relay.ts"
import { oldReleaseOf } from "../../wire/bincode/messages.ts"
import { WireError } from "../../wire/postcard.ts"
import { Session, type SessionHost } from "../session.ts"
import { oldForm } from "./era/form.ts"
import { OldIntake } from "./era/intake.ts"
import { CURRENT } from "./form.ts"
import { type FrameIntake, Intake, type IntakeOwner } from "./intake.ts"
import { FLAG, type Lane, LEFT, PLACE, Place, type Stalled } from "./lane.ts"
import type { RelayNode } from "./node.ts"
import { Outgoing } from "./outgoing.ts"
import { BROKEN, ENDED, endWriting, READABLE, receive, send, WRITABLE } from "./sockets.ts"

/** Read from one connection before others have their turn. */
const TURN_BYTES = 8 * 1024 * 1024
/** After the last word to a peer that broke the rules: how long until the connection is closed whatever it does. */
const LINGER_NS = 1e9

/** What connections share. */
export type ConnectionAround = {
  host: SessionHost
  nowNs: () => number
  frameTimeoutMs: number
  lane: Lane | null
}

/** A socket, what has arrived on it, and what is to be written. */
export class Connection implements IntakeOwner {
  readonly fd: number
  readonly out = new Outgoing()
  readonly place: Place
  readonly words: Int32Array
  /** Closed: nothing may touch the descriptor any more. */
  gone = false
  readonly #session: Session
  #intake: FrameIntake
  readonly #lane: Lane | null
  readonly #clock: HybridClock
  readonly #nowNs: () => number
  readonly #frameTimeoutNs: number
  /** The session has a reply that the socket did not take. */
  #paused = false
  #lingering = false

  constructor(fd: number, around: ConnectionAround) {
    this.fd = fd
    this.#clock = around.host.clock
    this.#nowNs = around.nowNs
    this.#frameTimeoutNs = around.frameTimeoutMs * 1e6
    this.#lane = around.lane
    this.place = around.lane?.place() ?? new Place()
    this.words = this.place.words
    const intake = new Intake(this)
    this.#intake = intake
    around.lane?.accept(this.place, fd, intake.staging.bytes)
    this.#session = new Session(around.host, {
      write: (bytes) => (this.out.pending ? 0 : this.#write(bytes)),
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
      },
      end: () => this.#linger(),
    })
  }

  /** A frame that has begun must be complete by then, in monotonic nanoseconds. */
  get deadlineNs(): number {
    return this.place.deadlineNs
  }

  set deadlineNs(value: number) {
    this.place.deadlineNs = value
  }

  /** Who speaks here. */
  get node(): RelayNode | null {
    return this.#session.node as RelayNode | null
  }

  get sender(): RelayNode | null {
    return this.node?.relayed && !this.#session.busy ? this.node : null
  }

  get ready(): boolean {
    if (this.gone || this.#lingering || this.out.pending || this.#paused) return false
    return !this.#intake.blocked
  }

  /** A message waits for room in a queue. */
  get blocked(): boolean {
    return this.#intake.blocked
  }

  /** What to wait for; 0: nothing, not even the end of the connection. */
  get interest(): number {
    if (this.out.pending || this.#paused) return WRITABLE
    if (this.#intake.blocked) return 0
    return this.node?.poll.rests(this) ? ENDED : READABLE
  }

  /** The socket has something to read, room to write, or is broken. */
  serve(happened: number): void {
    if (this.out.pending || this.#paused) {
      if (happened & BROKEN) this.close()
      else if (happened & WRITABLE) this.#writable()
    } else if (this.#lingering) this.#ignore()
    else this.#readable()
  }

  /** Reads what is there, if anything. */
  look(): void {
    this.serve(READABLE)
  }

  /** Is there room now for the message that waits? With `ask`, for who is about to sleep, its consumers are told. */
  hasRoom(ask: boolean): boolean {
    return this.#intake.hasRoom(ask)
  }

  /** Before a run of the lane: what may it do here? @returns false: nothing */
  lend(): boolean {
    const { sender, words, out } = this
    const index = sender?.lane?.index
    words[PLACE.FLAGS] = 0
    if (index === undefined || !this.ready || out.form !== CURRENT) return false
    words[PLACE.NODE] = index
    words[PLACE.FLAGS] = this.#flags()
    return words[PLACE.FLAGS] !== 0
  }

  #flags(): number {
    const { plain, filling } = this.#intake
    if (plain) return this.#session.streaming ? FLAG.SERVED | FLAG.POLLS : FLAG.SERVED
    if (filling > 0) this.place.fill(this.#intake.next().address, filling)
    return filling > 0 ? FLAG.FILLED : 0
  }

  /** After it: does what it has left. */
  takeBack(): void {
    const { words } = this
    // The place of who is gone may be somebody else's.
    if (this.gone || words[PLACE.FLAGS] === 0) return
    if (words[PLACE.FLAGS] === FLAG.FILLED) {
      const bytes = this.#intake.filling - words[PLACE.ROOM]!
      if (bytes > 0) this.#guarded(() => this.#intake.arrived(bytes))
    }
    this.#adoptBegun()
    const left = words[PLACE.LEFT]!
    words[PLACE.FLAGS] = words[PLACE.LEFT] = words[PLACE.ROOM] = 0
    if (left & LEFT.FRAMES) this.#guarded(() => this.#intake.serve())
    if (left & LEFT.READ && !this.gone) this.look()
  }

  /** What the lane has begun is ours to end, or to give back. */
  #adoptBegun(): void {
    const begun = this.place.takeBegun()
    const output = begun && this.node!.lane!.outputAt(begun.output)
    if (output) this.#guarded(() => (this.#intake as Intake).adopt(begun, output))
  }

  /** The socket did not take all of a reply of the lane's. */
  adopt(stalled: Stalled, reply: Uint8Array): void {
    this.out.adopt(stalled, reply, (input) => this.node!.lane!.pool(input)!)
  }

  /** Messages that begin like this one are the lane's from now on. */
  learn(head: KnownHead): void {
    const output = this.node?.lane?.output(head.output)
    if (output !== undefined) this.#lane?.learn(this.place, head, output)
  }

  /** Tries again what found no room. */
  unblock(): void {
    this.#guarded(() => this.#intake.unblock())
  }

  /** Writes the reply in `out`. */
  flush(): void {
    if (!this.out.flush(this.fd)) return
    if (this.out.form === CURRENT) this.node?.poll.answered(this, this.#nowNs())
    this.#guarded(() => this.#intake.serve())
  }

  /** A frame has not been completed in time, or a peer that was told to go is still there. */
  expire(): void {
    this.deadlineNs = Number.POSITIVE_INFINITY
    if (this.#lingering) this.close()
    else this.#session.refuse("a frame was not completed in time")
  }

  /** Closes the connection, whatever is under way. */
  close(): void {
    if (this.gone) return
    this.#adoptBegun()
    this.gone = true
    this.#lane?.free(this.place)
    closeFd(this.fd)
    this.#intake.release()
    this.out.drop()
    this.node?.leave(this)
    this.#session.closed()
  }

  request(bytes: Uint8Array): void {
    const { node } = this
    const body = bytes.subarray(HEADER_BYTES)
    if (!node) this.#recognise(body)
    if (node?.poll.waiter === this || node?.drops.awaitedBy(this)) {
      throw new WireError("a request while another one is pending")
    }
    const { form } = this.out
    if (form !== CURRENT && node?.drops.serve(this, body)) return
    if (!form.isPoll(body) || !this.sender || !this.#session.streaming) {
      this.#session.receive(bytes)
      return
    }
    this.saw(form.pollStamp(body))
    if (!node!.poll.wait(this)) this.answer("another connection is waiting for events")
  }

  answer(error: string): void {
    this.reply(this.out.form.codec.encodeReply({ type: "Result", error }))
  }

  /** Writes a small reply. @throws WireError */
  reply(body: Uint8Array): void {
    const bytes = frame(body)
    // Who has no room even for this one does not read.
    if (this.#write(bytes) !== bytes.byteLength) throw new WireError("replies are not read")
  }

  /** {@link reply} on behalf of another connection. */
  deliver(body: Uint8Array): void {
    this.#guarded(() => this.reply(body))
  }

  /** A first frame that says that its sender is of an older dora. */
  #recognise(body: Uint8Array): void {
    const release = this.out.form === CURRENT ? oldReleaseOf(body) : null
    if (!release) return
    const form = oldForm(release, (input, lost) => this.node?.complaints.loses(input, lost))
    this.out.speak(form)
    this.#session.codec = form.codec
    this.#intake = new OldIntake(this, (this.#intake as Intake).rest())
  }

  saw(stamp: Stamp): void {
    this.#clock.merge(stamp)
  }

  #write(bytes: Uint8Array): number {
    return send(this.fd, ptr(bytes) as number, bytes.byteLength)
  }

  #writable(): void {
    if (this.out.pending) {
      this.flush()
      return
    }
    this.#session.drain()
    this.#guarded(() => this.#intake.serve())
  }

  /** The peer may read what was said last; what it still sends is not looked at. */
  #linger(): void {
    if (this.gone || this.#lingering) return
    this.#lingering = true
    this.#intake.release()
    endWriting(this.fd)
    this.deadlineNs = this.#nowNs() + LINGER_NS
  }

  #ignore(): void {
    if (receive(this.fd, ptr(scratch) as number, scratch.byteLength) <= 0) this.close()
  }

  #readable(): void {
    let budget = TURN_BYTES
    while (budget > 0 && this.ready) {
      const { address, room } = this.#intake.next()
      const got = receive(this.fd, address, room)
      if (got === 0) return this.close()
      if (got < 0) return
      budget -= got
      if (this.node) this.node.requests++
      this.#guarded(() => {
        const intake = this.#intake
        intake.arrived(got)
        // Its first frame told another era: what came behind that is with the new one.
        if (this.#intake !== intake) this.#intake.serve()
      })
      if (got < room) return
    }
  }

  /** What a peer does wrong ends its connection and nothing else. */
  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#session.refuse((error as Error).message)
    }
    if (this.#lingering || this.gone) return
    if (!this.ready || !this.#intake.partial) this.deadlineNs = Number.POSITIVE_INFINITY
    else if (this.deadlineNs === Number.POSITIVE_INFINITY) {
      this.deadlineNs = this.#nowNs() + this.#frameTimeoutNs
    }
  }
}

/** Where the bytes go that nobody looks at. */
const scratch = new ArrayBuffer(64 * 1024)
