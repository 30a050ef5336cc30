// The few system calls that Bun has no function for.
import { dlopen, type Pointer, ptr } from "bun:ffi"
import type { ElementArray } from "../core/elements.ts"
import { DoraError } from "../core/errors.ts"

const FUTEX_SYSCALL = process.arch === "arm64" ? 98 : 202
const FUTEX_WAIT = 0
const FUTEX_WAKE = 1
const PROT_READ_WRITE = 3
const MAP_SHARED_NORESERVE = 0x4001
const MAP_FAILED = -1
const O_RDWR = 2
const O_WRONLY = 1
const O_NONBLOCK = 0o4000
const O_CLOEXEC = 0o2000000
const MFD_CLOEXEC_ALLOW_SEALING = 3
const F_ADD_SEALS = 1033
const F_SEAL_SEAL_SHRINK_GROW = 7
const PR_SET_PDEATHSIG = 1
const FALLOC_PUNCH_HOLE_KEEP_SIZE = 3
/** Room for 1024 cores in an affinity, as the kernel has. */
export const AFFINITY_BYTES = 128
const SCHED_OTHER = 0
const SCHED_BATCH = 3
/** What this thread starts gets ordinary scheduling. */
const SCHED_RESET_ON_FORK = 0x40000000
const [SCHED_SETATTR_SYSCALL, SCHED_GETATTR_SYSCALL] =
  process.arch === "arm64" ? [274, 275] : [314, 315]
/** struct sched_attr: its size in the first version, and the byte offsets of some fields. */
const SCHED_ATTR_BYTES = 48
const SCHED_ATTR_POLICY = 4
const SCHED_ATTR_FLAGS = 8
const SCHED_ATTR_NICE = 16
const SCHED_ATTR_RUNTIME = 24
const SCHED_FLAG_RESET_ON_FORK = 1n

const symbols = {
  memfd_create: { args: ["buffer", "u32"], returns: "i32" },
  ftruncate: { args: ["i32", "i64"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
  open: { args: ["buffer", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
  munmap: { args: ["ptr", "u64"], returns: "i32" },
  pipe2: { args: ["ptr", "i32"], returns: "i32" },
  write: { args: ["i32", "ptr", "u64"], returns: "i64" },
  prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
  syscall: { args: ["i64", "ptr", "i64", "i64", "ptr", "i64", "i64"], returns: "i64" },
  sched_getaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
  sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
  sched_setscheduler: { args: ["i32", "i32", "ptr"], returns: "i32" },
  sched_yield: { args: [], returns: "i32" },
  sched_getcpu: { args: [], returns: "i32" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  // Sizes of 32 bits: these calls are compiled in line, those with 64 bits are not.
  memcpy: { args: ["buffer", "buffer", "u32"], returns: "void" },
} as const

let library: ReturnType<typeof dlopen<typeof symbols>>["symbols"] | null = null

function libc() {
  if (library) return library
  if (process.platform !== "linux") {
    throw new DoraError("PLATFORM_UNSUPPORTED", {
      what: `shared memory is not supported on ${process.platform} yet`,
      why: "dora-bun uses sealed memfds and futexes, which only Linux has",
      fix: "run on Linux (x64), for example in a container",
    })
  }
  library = dlopen("libc.so.6", symbols).symbols
  return library
}

/** A system call on shared memory failed. */
export class SharedMemoryError extends DoraError {
  constructor(what: string, fix?: string) {
    super("SHARED_MEMORY", {
      what,
      fix: fix ?? "`ulimit -n` and free memory are the usual limits; see `dora doctor`",
    })
  }
}

const scratch = new ArrayBuffer(64)
const scratchPointer = () => ptr(scratch)
const oneByte = new ArrayBuffer(1)

/**
 * Makes an anonymous file of `size` bytes that can neither shrink nor grow; its pages appear on first touch.
 *
 * @returns its descriptor
 * @throws SharedMemoryError
 */
export function createMemory(name: string, size: number): number {
  const fd = libc().memfd_create(Buffer.from(`${name}\0`), MFD_CLOEXEC_ALLOW_SEALING)
  if (fd < 0) throw new SharedMemoryError("memfd_create failed")
  if (libc().ftruncate(fd, size) !== 0) {
    closeFd(fd)
    throw new SharedMemoryError(`no shared memory of ${size} bytes`, "is a file size limit set?")
  }
  libc().fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL_SHRINK_GROW)
  return fd
}

/** Gives the pages of a range back to the system; the range reads as zeros afterwards. */
export function punchHole(fd: number, offset: number, length: number): void {
  libc().fallocate(fd, FALLOC_PUNCH_HOLE_KEEP_SIZE, offset, length)
}

/** Opens a descriptor of another process of the same user. @throws SharedMemoryError */
export function openPeerFd(pid: number, fd: number, mode: "memory" | "wake-write" | "wake-read") {
  const flags = mode === "memory" ? O_RDWR : O_NONBLOCK | (mode === "wake-write" ? O_WRONLY : 0)
  const opened = libc().open(Buffer.from(`/proc/${pid}/fd/${fd}\0`), flags | O_CLOEXEC)
  if (opened >= 0) return opened
  throw new SharedMemoryError(
    `cannot open /proc/${pid}/fd/${fd}`,
    "the daemon must still run, as the same user, in the same pid namespace, with /proc mounted",
  )
}

/** Maps a whole file for reading and writing. @returns its address @throws SharedMemoryError */
export function mapMemory(fd: number, size: number): Pointer {
  const address = Number(
    libc().mmap(null, size, PROT_READ_WRITE, MAP_SHARED_NORESERVE, fd, 0n as unknown as number),
  )
  if (address === MAP_FAILED) {
    throw new SharedMemoryError(`cannot map ${size} bytes`, "is `ulimit -v` set?")
  }
  return address as Pointer
}

/** Ends a mapping of {@link mapMemory}; nothing may point into it any more. */
export function unmapMemory(address: Pointer, size: number): void {
  libc().munmap(address, size)
}

/** Closes a descriptor of this process. */
export function closeFd(fd: number): void {
  libc().close(fd)
}

/** A non-blocking pipe. @returns [read, write] */
export function createPipe(): [number, number] {
  if (libc().pipe2(scratchPointer(), O_NONBLOCK | O_CLOEXEC) !== 0) {
    throw new SharedMemoryError("no pipe", "raise `ulimit -n`")
  }
  const [read, write] = new Int32Array(scratch)
  return [read!, write!]
}

/** Writes one byte; a full pipe is fine, since its reader will wake anyway. */
export function writeByte(fd: number): void {
  libc().write(fd, ptr(oneByte), 1)
}

/** Wakes everybody who sleeps on the word. */
export function futexWake(word: Pointer): void {
  libc().syscall(FUTEX_SYSCALL, word, FUTEX_WAKE, 0x7fffffff, null, 0, 0)
}

/** Sleeps while the word has this value, at most `timeoutMs` (Infinity: without limit). May return early. */
export function futexWait(word: Pointer, value: number, timeoutMs: number): void {
  if (timeoutMs === Number.POSITIVE_INFINITY) {
    libc().syscall(FUTEX_SYSCALL, word, FUTEX_WAIT, value, null, 0, 0)
    return
  }
  const time = new Float64Array(scratch)
  const view = new DataView(scratch)
  const ns = Math.max(0, timeoutMs) * 1e6
  view.setBigInt64(0, BigInt(Math.floor(ns / 1e9)), true)
  view.setBigInt64(8, BigInt(Math.floor(ns % 1e9)), true)
  libc().syscall(FUTEX_SYSCALL, word, FUTEX_WAIT, value, ptr(time), 0, 0)
}

/** As `to.set(from)` for arrays of one type and length; a few elements take a quarter of its time. */
export function copyElements(to: ElementArray, from: ElementArray): void {
  const bytes = from.byteLength
  if (to.byteLength === bytes) libc().memcpy(to as Uint8Array, from as Uint8Array, bytes)
  else (to as Uint8Array).set(from as Uint8Array)
}

/** Nanoseconds of CLOCK_MONOTONIC (1) or CLOCK_REALTIME (0), exact to a few hundred nanoseconds for the latter. */
export function clockNs(clock: 0 | 1): number {
  libc().clock_gettime(clock, scratchPointer())
  const view = new DataView(scratch)
  return Number(view.getBigInt64(0, true)) * 1e9 + Number(view.getBigInt64(8, true))
}

/** Asks the kernel to kill this process when its parent dies. Linux only; elsewhere nothing happens. */
export function dieWithParent(): void {
  if (process.platform === "linux") libc().prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)
}

/** Takes back {@link dieWithParent}, whoever asked for it; for the calling thread's parent. Linux only. */
export function outliveParentThread(): void {
  if (process.platform === "linux") libc().prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)
}

/** The cores that this thread may use, a bit for each. */
export function readAffinity(): Uint8Array {
  const mask = new Uint8Array(AFFINITY_BYTES)
  libc().sched_getaffinity(0, BigInt(AFFINITY_BYTES), ptr(mask))
  return mask
}

/** Sets them, also for what this thread starts. @returns false when the machine has none of them */
export function writeAffinity(mask: Uint8Array): boolean {
  return libc().sched_setaffinity(0, BigInt(mask.byteLength), ptr(mask)) === 0
}

/**
 * Makes this thread a batch process, whose wake-ups take no core away from others, or an ordinary one again.
 *
 * @returns false when somebody has given it another scheduling or precedence over others, which are left alone
 */
export function setBatch(batch: boolean): boolean {
  const own = readSchedule()
  if (own === null || (own.policy !== SCHED_OTHER && own.policy !== SCHED_BATCH)) return false
  // What it starts would lose the precedence with the flag, and be batch processes without.
  if (own.nice < 0) return false
  const wanted = (batch ? SCHED_BATCH : SCHED_OTHER) | SCHED_RESET_ON_FORK
  new Int32Array(scratch)[0] = 0
  return libc().sched_setscheduler(0, wanted, scratchPointer()) === 0
}

/** The core that this thread runs on, from 0. */
export function currentCore(): number {
  return libc().sched_getcpu()
}

/** Goes on on another core, if this thread may use one. Its affinity stays. */
export function leaveCore(): void {
  const allowed = readAffinity()
  const others = allowed.slice()
  const core = currentCore()
  if (core >> 3 < others.length) others[core >> 3]! &= ~(1 << (core & 7))
  if (others.some((bits) => bits > 0) && writeAffinity(others)) writeAffinity(allowed)
}

/** Lets another thread that waits for this core have it. Returns at once when there is none. */
export function yieldCore(): void {
  libc().sched_yield()
}

/**
 * Asks the scheduler to let this thread run for short times, and soon; what the thread starts gets ordinary ones. Linux before 6.12
 * ignores it. A thread with another scheduling than the ordinary one is left alone.
 *
 * @param ns  100 000 to 100 000 000
 */
export function setTimeSlice(ns: number): void {
  const own = readSchedule()
  if (own?.policy !== SCHED_OTHER) return
  const attributes = new DataView(scratch)
  // Of a thread with precedence the flag would take it from all that it starts.
  const flags = own.nice < 0 ? 0n : SCHED_FLAG_RESET_ON_FORK
  attributes.setBigUint64(SCHED_ATTR_FLAGS, flags, true)
  attributes.setBigUint64(SCHED_ATTR_RUNTIME, BigInt(ns), true)
  libc().syscall(SCHED_SETATTR_SYSCALL, null, scratchPointer(), 0, null, 0, 0)
}

/** How this thread is scheduled; all that the kernel says of it is in the scratch space. */
function readSchedule(): { policy: number; nice: number } | null {
  const got = libc().syscall(
    SCHED_GETATTR_SYSCALL,
    null,
    scratchPointer(),
    SCHED_ATTR_BYTES,
    null,
    0,
    0,
  )
  if (Number(got) !== 0) return null
  const attributes = new DataView(scratch)
  return {
    policy: attributes.getUint32(SCHED_ATTR_POLICY, true),
    nice: attributes.getInt32(SCHED_ATTR_NICE, true),
  }
}
