// A process of a dataflow: its own group, no stdin, output by line, under guard from its first moment to its last.
import { DRAIN_MS, KILL_WAIT_MS } from "../core/limits.ts"
import { DoraError } from "../core/errors.ts"
import { within } from "../core/within.ts"
import { type Guard, killQuietly } from "./guard.ts"
import { LineSplitter } from "./lines.ts"

/** The kernel refused to start a program. */
export class SpawnError extends DoraError {
  constructor(argv: readonly string[], cwd: string, cause: unknown) {
    super("SPAWN_FAILED", {
      what: `can't start \`${argv.join(" ")}\``,
      where: cwd,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: "run the command by hand in that directory",
      cause,
    })
  }
}

/** How a process ended; both null when it doesn't end although it was killed. */
export type Exit = { code: number | null; signal: string | null }

/** What to start. */
export type Launch = {
  argv: string[]
  cwd: string
  env: Record<string, string>
  guard: Guard
  onLine: (stream: "stdout" | "stderr", line: string) => void
}

/** A running process and the group it leads. */
export class Child {
  readonly pid: number
  /** Resolves when the process has ended, its output is read and the rest of its group is killed; never rejects. */
  readonly finished: Promise<Exit>
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">
  #giveUp: (exit: Exit) => void = () => {}

  /** @throws SpawnError */
  constructor(launch: Launch) {
    const { argv, cwd, env, guard } = launch
    try {
      this.#process = Bun.spawn(argv, {
        cwd,
        env,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
        detached: true,
      })
    } catch (cause) {
      throw new SpawnError(argv, cwd, cause)
    }
    this.pid = this.#process.pid
    guard.add(this.pid)
    this.finished = this.#run(launch)
  }

  /** Signals the whole group. */
  signal(signal: NodeJS.Signals): void {
    killQuietly(-this.pid, signal)
  }

  /**
   * SIGKILLs the group and sees to it that `finished` resolves, even if the process hangs in the kernel.
   *
   * @param waitMs  how long the kernel may take
   */
  kill(waitMs = KILL_WAIT_MS): void {
    this.signal("SIGKILL")
    const timer = setTimeout(() => {
      this.#process.unref()
      this.#giveUp({ code: null, signal: null })
    }, waitMs)
    timer.unref()
  }

  async #run({ guard, onLine }: Launch): Promise<Exit> {
    const stuck = new Promise<Exit>((resolve) => {
      this.#giveUp = resolve
    })
    const outputs = [
      readLines(this.#process.stdout, (line) => onLine("stdout", line)),
      readLines(this.#process.stderr, (line) => onLine("stderr", line)),
    ]
    const ended = this.#process.exited.then((): Exit => {
      const { exitCode: code, signalCode } = this.#process
      // A real-time signal has no name.
      return { code, signal: typeof signalCode === "number" ? `signal ${signalCode}` : signalCode }
    })
    const exit = await Promise.race([ended, stuck])
    const drained = Promise.all(outputs.map((output) => output.done))
    // Children of the dead process may hold its pipes, and may be writing their last words.
    await within(drained, DRAIN_MS)
    this.signal("SIGKILL")
    await within(drained, DRAIN_MS)
    for (const output of outputs) output.cancel()
    await within(drained, DRAIN_MS)
    guard.remove(this.pid)
    return exit
  }
}

function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  const reader = stream.getReader()
  const lines = new LineSplitter(onLine)
  const read = async () => {
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        lines.push(value)
        // A node that floods us must not keep timers and sockets waiting.
        await new Promise(setImmediate)
      }
    } finally {
      lines.end()
    }
  }
  return {
    // A pipe that breaks ends the output, no more.
    done: read().catch(() => {}),
    cancel: () => void reader.cancel().catch(() => {}),
  }
}
