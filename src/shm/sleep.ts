// How a node sleeps: docs/adr/0004-waiting.md, model: test/model/wake.ts. The order is always: arm, look at everything
// once more, sleep, disarm.
import { Alarm } from "./alarm.ts"
import {
  CORE_WORD,
  LOOKS_WORD,
  PARKS_WORD,
  WAKE_PARKED_FD,
  WAKE_PARKED_FUTEX,
  WAKE_RUNNING,
  WAKE_WORD,
  WOKEN_WORD,
} from "./layout.ts"
import { closeFd, currentCore, futexWait, leaveCore, openPeerFd, yieldCore } from "./libc.ts"
import type { Inbox } from "./segment.ts"

/** The pipe stays in the event loop this long after the last sleep, so that quick sleeps don't set it up anew. */
const PIPE_LINGER_MS = 50

/** Where to sleep: on the wake word itself (blocks the thread), or on a pipe that the event loop watches. */
export type SleepKind = "futex" | "fd"

/** The owner's side of a wake word. */
export class Sleeper {
  readonly #inbox: Inbox
  readonly #pipe: WakePipe
  /** Inboxes of those who send to us or receive from us, if they are to have cores of their own. */
  neighbours: ReadonlyMap<number, Inbox> = new Map()
  /** Called before each sleep. */
  onSleep: (() => void) | null = null

  constructor(inbox: Inbox, pid: number, wakeFd: number) {
    this.#inbox = inbox
    this.#pipe = new WakePipe(pid, wakeFd)
  }

  /** Says that we are about to sleep. Look at everything once more after this. */
  arm(kind: SleepKind): void {
    const value = kind === "futex" ? WAKE_PARKED_FUTEX : WAKE_PARKED_FD
    Atomics.store(this.#inbox.words, WAKE_WORD, value)
  }

  /** Awake again, or something was found. */
  disarm(): void {
    Atomics.store(this.#inbox.words, WAKE_WORD, WAKE_RUNNING)
  }

  /** Says that we are awake and wait for something. */
  looked(): void {
    this.#inbox.words[LOOKS_WORD]!++
  }

  /** Stays awake, but lets whoever waits for this core have it. */
  giveWay(): void {
    yieldCore()
  }

  /** Blocks the thread until woken or for `timeoutMs`. Armed with "futex" before. */
  sleepSync(timeoutMs: number): void {
    this.#begin()
    futexWait(this.#inbox.wakePointer, WAKE_PARKED_FUTEX, timeoutMs)
    this.#end()
  }

  /** Resolves when woken, when {@link interrupt} is called, or after `timeoutMs`. Armed with "fd" before. */
  async sleep(timeoutMs: number): Promise<void> {
    this.#begin()
    await this.#pipe.wait(timeoutMs)
    this.#end()
  }

  #begin(): void {
    this.onSleep?.()
    const { words } = this.#inbox
    words[PARKS_WORD]!++
    words[CORE_WORD] = currentCore() + 1
  }

  #end(): void {
    const { words } = this.#inbox
    words[WOKEN_WORD]!++
    // Nobody woke us: something foretold is to come, and there is time until then.
    if (Atomics.load(words, WAKE_WORD) !== WAKE_RUNNING) this.#standApart()
  }

  /**
   * Where a host puts idle cores to sleep, Linux takes none of them for idle: a neighbour that is to wake for the same message
   * on this core would wait until we are done. So we go on on another one.
   */
  #standApart(): void {
    const { words } = this.#inbox
    const core = currentCore() + 1
    for (const neighbour of this.neighbours.values()) {
      if (neighbour === this.#inbox || neighbour.words[CORE_WORD] !== core) continue
      // So that it need not leave as well.
      words[CORE_WORD] = 0
      leaveCore()
      words[CORE_WORD] = currentCore() + 1
      return
    }
  }

  /** Ends a {@link sleep} from within this process. */
  interrupt(): void {
    this.#pipe.interrupt()
  }

  close(): void {
    this.disarm()
    this.#pipe.close()
  }
}

/**
 * The read end of a node's wake pipe. Bun has no way to unreference a read of a descriptor, so the read is cancelled
 * when nobody has waited for a while: a program that has nothing else to do can end.
 */
class WakePipe {
  readonly #pid: number
  readonly #daemonFd: number
  #fd = -1
  #reader: ReturnType<typeof openReader> | null = null
  #reading = false
  #linger: ReturnType<typeof setTimeout> | null = null
  #wakeUp: (() => void) | null = null
  readonly #alarm = new Alarm(() => this.#wakeUp?.())

  constructor(pid: number, daemonFd: number) {
    this.#pid = pid
    this.#daemonFd = daemonFd
  }

  wait(timeoutMs: number): Promise<void> {
    this.#read()
    return new Promise((resolve) => {
      this.#wakeUp = () => {
        this.#wakeUp = null
        this.#alarm.clear()
        this.#startLinger()
        resolve()
      }
      this.#alarm.set(timeoutMs)
    })
  }

  interrupt(): void {
    this.#wakeUp?.()
  }

  #read(): void {
    if (this.#reading) return
    if (this.#fd < 0) this.#fd = openPeerFd(this.#pid, this.#daemonFd, "wake-read")
    const reader = this.#reader ?? openReader(this.#fd)
    this.#reader = reader
    this.#reading = true
    const done = () => {
      if (reader !== this.#reader) return
      this.#reading = false
      this.#wakeUp?.()
    }
    reader.read().then(done, done)
  }

  #startLinger(): void {
    this.#linger ??= setTimeout(() => {
      this.#linger = null
      if (!this.#wakeUp) this.#cancel()
    }, PIPE_LINGER_MS)
  }

  #cancel(): void {
    const reader = this.#reader
    this.#reader = null
    this.#reading = false
    reader?.cancel().catch(() => {})
  }

  close(): void {
    this.interrupt()
    this.#cancel()
    if (this.#linger) clearTimeout(this.#linger)
    this.#linger = null
    if (this.#fd >= 0) closeFd(this.#fd)
    this.#fd = -1
  }
}

function openReader(fd: number) {
  return Bun.file(fd).stream().getReader()
}
