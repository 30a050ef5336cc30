import type { Pointer } from "bun:ffi"
import { ptr } from "bun:ffi"
import {
  LAYOUT_VERSION,
  MAGIC,
  MAGIC_WORD,
  VERSION_WORD,
  WAKE_PARKED_FD,
  WAKE_PARKED_FUTEX,
  WAKE_RUNNING,
  WAKE_WORD,
} from "./layout.ts"
import { closeFd, futexWake, openPeerFd, SharedMemoryError, writeByte } from "./libc.ts"
import type { SegmentRef } from "./plan.ts"

/**
 * A node's inbox mapped into this process: the rings of everything it receives, and the word that it sleeps on.
 * The mapping lives as long as somebody refers to its arrays.
 */
export class Inbox {
  readonly words: Int32Array
  readonly bytes: Uint8Array
  readonly floats: Float64Array
  /** Where it begins in this process. */
  readonly address: number
  readonly #wakePointer: Pointer
  readonly #pid: number
  readonly #wakeFdInDaemon: number
  #wakeFd = -1

  /** @throws SharedMemoryError  when it can't be opened or is not an inbox of this version */
  constructor(pid: number, ref: SegmentRef, wakeFd: number) {
    const mapped = mapFile(pid, ref)
    this.bytes = mapped
    this.words = new Int32Array(mapped.buffer, 0, ref.size >> 2)
    this.floats = new Float64Array(mapped.buffer, 0, ref.size >> 3)
    this.address = ptr(mapped)
    this.#wakePointer = (this.address + WAKE_WORD * 4) as Pointer
    this.#pid = pid
    this.#wakeFdInDaemon = wakeFd
    checkHeader(this.words, `inbox ${ref.fd} of process ${pid}`)
  }

  /** Address of the wake word, for futex calls. */
  get wakePointer(): Pointer {
    return this.#wakePointer
  }

  /** After a publish, a close, or given credit: wakes the owner if it sleeps. */
  wake(): void {
    if (Atomics.load(this.words, WAKE_WORD) !== WAKE_RUNNING) this.#wakeParked()
  }

  /** After a death in the neighbourhood: wakes the owner whatever its word says. */
  wakeAlways(): void {
    Atomics.store(this.words, WAKE_WORD, WAKE_RUNNING)
    futexWake(this.#wakePointer)
    this.#writeWakeByte()
  }

  #wakeParked(): void {
    const parked = Atomics.load(this.words, WAKE_WORD)
    if (parked === WAKE_RUNNING) return
    // Who wins the exchange makes the call; the others need not.
    if (Atomics.compareExchange(this.words, WAKE_WORD, parked, WAKE_RUNNING) !== parked) return
    if (parked === WAKE_PARKED_FUTEX) futexWake(this.#wakePointer)
    else if (parked === WAKE_PARKED_FD) this.#writeWakeByte()
  }

  #writeWakeByte(): void {
    writeByte(this.openWakeFd())
  }

  /** The write end of the owner's pipe. @throws SharedMemoryError */
  openWakeFd(): number {
    if (this.#wakeFd < 0) {
      this.#wakeFd = openPeerFd(this.#pid, this.#wakeFdInDaemon, "wake-write")
    }
    return this.#wakeFd
  }

  /** Closes the descriptor for waking; the mapping goes with the last reference. */
  close(): void {
    if (this.#wakeFd >= 0) closeFd(this.#wakeFd)
    this.#wakeFd = -1
  }
}

/** Writes the first words of a new segment. */
export function initHeader(words: Int32Array): void {
  words[VERSION_WORD] = LAYOUT_VERSION
  Atomics.store(words, MAGIC_WORD, MAGIC)
}

/** @throws SharedMemoryError  when the words are not a segment of ours, or of another version */
export function checkHeader(words: Int32Array, name: string): void {
  if (Atomics.load(words, MAGIC_WORD) !== MAGIC) {
    throw new SharedMemoryError(`${name} is not a dora-bun segment`, "the daemon must still run")
  }
  const version = words[VERSION_WORD]!
  if (version === LAYOUT_VERSION) return
  throw new SharedMemoryError(
    `${name} has memory layout ${version}, this library speaks ${LAYOUT_VERSION}`,
    "use the same version of dora-bun for `dora run` and for the node",
  )
}

/** Maps a file of less than 4 GiB. */
export function mapFile(pid: number, ref: SegmentRef): Uint8Array<ArrayBuffer> {
  try {
    return Bun.mmap(`/proc/${pid}/fd/${ref.fd}`, { shared: true })
  } catch (cause) {
    throw new SharedMemoryError(
      `cannot map /proc/${pid}/fd/${ref.fd}: ${(cause as Error).message}`,
      "the daemon must still run, as the same user, in the same pid namespace, with /proc mounted",
    )
  }
}
