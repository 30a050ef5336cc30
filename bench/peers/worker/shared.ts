// Messages between threads without messages: slots in a SharedArrayBuffer, each with the number of what it holds.
import { numberIn, RoundTrips, Stream, stamp, type Work } from "../script.ts"

const LINE_BYTES = 128
const SLOTS = 8
/** Word of the reader's own line at the start: how many it has read. */
const READ_WORD = 0

type Slot = { words: Int32Array; bytes: Uint8Array }
type Line = { words: Int32Array; slots: Slot[] }

/** Memory for one direction. */
export function makeLine(size: number): SharedArrayBuffer {
  return new SharedArrayBuffer(LINE_BYTES + SLOTS * slotBytes(size))
}

function slotBytes(size: number): number {
  return LINE_BYTES + Math.ceil(size / LINE_BYTES) * LINE_BYTES
}

function open(memory: SharedArrayBuffer, size: number): Line {
  const slots = Array.from({ length: SLOTS }, (_, i) => {
    const at = LINE_BYTES + i * slotBytes(size)
    return {
      words: new Int32Array(memory, at, 1),
      bytes: new Uint8Array(memory, at + LINE_BYTES, size),
    }
  })
  return { words: new Int32Array(memory, 0, 1), slots }
}

function write(line: Line, index: number, message: Uint8Array): void {
  const { words, bytes } = line.slots[index % SLOTS]!
  bytes.set(message)
  Atomics.store(words, 0, index + 1)
}

/** Waits for a message and gives its bytes where they lie. */
function read(line: Line, index: number): Uint8Array {
  const { words, bytes } = line.slots[index % SLOTS]!
  while (Atomics.load(words, 0) !== index + 1);
  return bytes
}

/** Pings and prints. */
export function sharedPing(work: Work, there: SharedArrayBuffer, back: SharedArrayBuffer): void {
  const out = open(there, work.size)
  const answers = open(back, work.size)
  const message = new Uint8Array(work.size).fill(7)
  const trips = new RoundTrips(work)
  for (let more = true; more;) {
    trips.spin()
    stamp(message, trips.round)
    write(out, trips.round, message)
    more = trips.arrived(numberIn(read(answers, trips.round)))
  }
  trips.print()
}

/** Answers each message with its own bytes. */
export function sharedPong(work: Work, there: SharedArrayBuffer, back: SharedArrayBuffer): void {
  const messages = open(there, work.size)
  const out = open(back, work.size)
  const rounds = work.warmUp + work.count
  for (let i = 0; i < rounds; i++) write(out, i, read(messages, i))
}

/** Sends the stream; waits while all slots are full. */
export function sharedSource(work: Work, memory: SharedArrayBuffer): void {
  const line = open(memory, work.size)
  const message = new Uint8Array(work.size).fill(7)
  for (let i = 0; i < work.count; i++) {
    while (i - Atomics.load(line.words, READ_WORD) >= SLOTS);
    stamp(message, i)
    write(line, i, message)
  }
}

/** Receives the stream and prints. */
export function sharedSink(work: Work, memory: SharedArrayBuffer): void {
  const line = open(memory, work.size)
  const stream = new Stream(work)
  for (let i = 0, more = true; more; i++) {
    more = stream.arrived(numberIn(read(line, i)))
    Atomics.store(line.words, READ_WORD, i + 1)
  }
  stream.print()
}
