// TCP without an event loop: sockets that one thread polls, reads into any memory and writes from any memory. A read or
// write that fails says no more than that; the next poll tells why, so errno is never needed.
import { dlopen, type Pointer, ptr } from "bun:ffi"
import { DoraError } from "../../core/errors.ts"
import { closeFd } from "../../shm/libc.ts"

const AF_INET = 2
const SOCK_STREAM_NONBLOCK_CLOEXEC = 0o2004001
const SOCK_NONBLOCK_CLOEXEC = 0o2004000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_SNDBUF = 7
const IPPROTO_TCP = 6
const TCP_NODELAY = 1
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const SHUT_WR = 1
const BACKLOG = 128
/**
 * What the kernel holds of a reply, of which it makes twice as much: with more of it its memory no longer stays in the cache of a core,
 * and a large reply takes a quarter longer. docs/adr/0012-relay-thread.md
 */
const SEND_BUFFER_BYTES = 200 * 1024
/** Parts that one call writes at most; the kernel's own limit is 1024. */
const MAX_PARTS = 64

/** There is something to read, or the peer is gone. */
export const READABLE = 1
/** There is room to write. */
export const WRITABLE = 4
/** The peer has said its last; what it said before that can be read. */
export const ENDED = 0x2000
/** The connection is broken (POLLERR, POLLHUP, POLLNVAL); reported without being asked for. */
export const BROKEN = 0x38

const symbols = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  accept4: { args: ["i32", "ptr", "ptr", "i32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i32" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i32" },
  ppoll: { args: ["ptr", "u64", "ptr", "ptr"], returns: "i32" },
} as const

let library: ReturnType<typeof dlopen<typeof symbols>>["symbols"] | null = null

function libc() {
  library ??= dlopen("libc.so.6", symbols).symbols
  return library
}

/** A port on loopback can't be had. */
export class PortError extends DoraError {
  constructor(port: number) {
    super("PORT_UNAVAILABLE", {
      what: `can't listen on 127.0.0.1:${port}`,
      why: port === 0 ? "the system gives no port" : "another program listens there",
      fix: port === 0 ? "see `ulimit -n`" : "end the other program",
    })
  }
}

const scratch = new ArrayBuffer(256)
const scratchView = new DataView(scratch)
const scratchPointer = ptr(scratch)
/** Behind what the other calls use: struct msghdr (56 bytes), then its parts. */
const message = new ArrayBuffer(64 + 16 * MAX_PARTS)
const messageWords = new Uint32Array(message)
const messagePointer = ptr(message) as number

/**
 * Listens on loopback.
 *
 * @param port  0 for any
 * @throws PortError
 */
export function listenOnLoopback(port = 0): { fd: number; port: number } {
  const fd = libc().socket(AF_INET, SOCK_STREAM_NONBLOCK_CLOEXEC, 0)
  if (fd < 0) throw new PortError(port)
  setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1)
  scratchView.setUint16(0, AF_INET, true)
  scratchView.setUint16(2, port)
  scratchView.setUint32(4, 0x7f00_0001)
  scratchView.setBigUint64(8, 0n)
  scratchView.setUint32(32, 16, true)
  const length = ((scratchPointer as number) + 32) as Pointer
  const bound =
    libc().bind(fd, scratchPointer, 16) === 0 &&
    libc().listen(fd, BACKLOG) === 0 &&
    libc().getsockname(fd, scratchPointer, length) === 0
  if (bound) return { fd, port: scratchView.getUint16(2) }
  closeFd(fd)
  throw new PortError(port)
}

/** The next connection that waits, ready for use; −1 when there is none. */
export function accept(listener: number): number {
  const fd = libc().accept4(listener, null, null, SOCK_NONBLOCK_CLOEXEC)
  if (fd < 0) return -1
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1)
  setOption(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES)
  return fd
}

function setOption(fd: number, level: number, option: number, value: number): void {
  scratchView.setInt32(0, value, true)
  libc().setsockopt(fd, level, option, scratchPointer, 4)
}

/** Reads what is there. @returns bytes read, 0 at the end of the stream, −1 when there is nothing or an error */
export function receive(fd: number, address: number, length: number): number {
  return libc().recv(fd, address as Pointer, length, MSG_DONTWAIT)
}

/** Nothing more will be written: the peer reads what is under way, and then the end. */
export function endWriting(fd: number): void {
  libc().shutdown(fd, SHUT_WR)
}

/** Reads and throws away what a wake pipe holds. */
export function emptyPipe(fd: number): void {
  while (libc().read(fd, scratchPointer, scratch.byteLength) === scratch.byteLength);
}

/** Writes what there is room for. @returns bytes written, −1 when there is no room or an error */
export function send(fd: number, address: number, length: number): number {
  return libc().send(fd, address as Pointer, length, MSG_NOSIGNAL | MSG_DONTWAIT)
}

/**
 * Writes parts of memory one after the other.
 *
 * @param parts  pairs of address and length
 * @returns      bytes written, −1 when there is no room or an error
 */
export function sendParts(fd: number, parts: readonly number[], from: number): number {
  const count = Math.min(MAX_PARTS, (parts.length - from) / 2)
  messageWords.fill(0, 0, 16)
  setWide(4, messagePointer + 64)
  setWide(6, count)
  for (let i = 0; i < count; i++) {
    setWide(16 + 4 * i, parts[from + 2 * i]!)
    setWide(18 + 4 * i, parts[from + 2 * i + 1]!)
  }
  return libc().sendmsg(fd, messagePointer as Pointer, MSG_NOSIGNAL | MSG_DONTWAIT)
}

/** A 64-bit word of the message header. */
function setWide(word: number, value: number): void {
  messageWords[word] = value >>> 0
  messageWords[word + 1] = Math.floor(value / 0x1_0000_0000)
}

/** What to wait for: descriptors and what is of interest about them, filled anew before each wait. */
export class PollSet {
  #words = new Int32Array(new ArrayBuffer(8 * 64))
  #count = 0

  /** Where the set lies, and how many descriptors it has. */
  get address(): Pointer {
    return ptr(this.#words.buffer)
  }

  get count(): number {
    return this.#count
  }

  /** Starts again with an empty set. */
  clear(): void {
    this.#count = 0
  }

  /** Adds a descriptor. @returns its place in the set */
  add(fd: number, events: number): number {
    const at = this.#count++
    if (at * 2 >= this.#words.length) {
      const grown = new Int32Array(new ArrayBuffer(this.#words.byteLength * 2))
      grown.set(this.#words)
      this.#words = grown
    }
    this.#words[at * 2] = fd
    this.#words[at * 2 + 1] = events
    return at
  }

  /**
   * Blocks the thread until something happens.
   *
   * @param timeoutNs  Infinity: without limit
   * @returns          to how many descriptors; what {@link happened} says is true if that is positive
   */
  wait(timeoutNs: number): number {
    let time: Pointer | null = null
    if (timeoutNs !== Number.POSITIVE_INFINITY) {
      const seconds = Math.floor(timeoutNs / 1e9)
      setTime(seconds, Math.floor(timeoutNs - seconds * 1e9))
      time = ((scratchPointer as number) + 64) as Pointer
    }
    return libc().ppoll(this.address, this.#count, time, null)
  }

  /** What happened to the descriptor at a place. */
  happened(at: number): number {
    return this.#words[at * 2 + 1]! >>> 16
  }
}

function setTime(seconds: number, nanoseconds: number): void {
  scratchView.setUint32(64, seconds >>> 0, true)
  scratchView.setUint32(68, 0, true)
  scratchView.setUint32(72, nanoseconds, true)
  scratchView.setUint32(76, 0, true)
}
