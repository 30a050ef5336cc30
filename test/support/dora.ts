// Runs the command line as a user does: a process of its own, its output in lines, always ended.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { ROOT } from "./install.ts"

/** How a command ended and what it said. */
export type Finished = {
  code: number | null
  signal: string | null
  stdout: string
  stderr: string
}

/** A command that is running. */
export type RunningCommand = AsyncDisposable & {
  readonly pid: number
  /** Resolves with everything it said once it has ended. */
  readonly finished: Promise<Finished>
  /** What it has said so far on stdout and stderr together. */
  output(): string
  /** Resolves once `output()` matches. */
  until(pattern: RegExp | string, limitMs?: number): Promise<void>
  signal(name: NodeJS.Signals): void
}

/** How a command is started. */
export type CommandOptions = { cwd?: string; env?: Record<string, string>; limitMs?: number }

const LIMIT_MS = 60_000

/**
 * Starts `dora ARGS`.
 *
 * @example await using run = startDora(["run", "flow.yml"]); await run.until("hello")
 */
export function startDora(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  return start([process.execPath, join(ROOT, "src/cli/main.ts"), ...args], options)
}

/**
 * Runs `dora ARGS` to its end.
 *
 * @example (await dora(["validate", "flow.yml"])).code // 0
 */
export async function dora(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  await using run = startDora(args, options)
  return await run.finished
}

/** Starts any command; kills it when its time limit has passed or its scope is left. */
export function start(command: readonly string[], options: CommandOptions = {}): RunningCommand {
  const said = { stdout: "", stderr: "" }
  const waiting = new Set<() => void>()
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? ROOT,
    // What a person's or CI's environment says about colour is no part of a test.
    env: { ...withoutColor(process.env), ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  const limit = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? LIMIT_MS)
  const read = async (name: "stdout" | "stderr") => {
    for await (const text of child[name].pipeThrough(new TextDecoderStream())) {
      said[name] += text
      for (const check of waiting) check()
    }
  }
  const finished = Promise.all([read("stdout"), read("stderr"), child.exited]).then(() => {
    clearTimeout(limit)
    for (const check of waiting) check()
    return { code: child.exitCode, signal: child.signalCode as string | null, ...said }
  })
  const output = () => said.stdout + said.stderr
  return {
    pid: child.pid,
    finished,
    output,
    until: (pattern, limitMs = LIMIT_MS) => until(pattern, limitMs, output, waiting, finished),
    signal: (name) => child.kill(name),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      await finished
    },
  }
}

/** A person at a terminal. */
export type Person = AsyncDisposable & {
  readonly exited: Promise<number>
  /** Everything that the terminal has shown. */
  screen(): string
  /** Resolves once the screen shows this text. */
  sees(text: string, limitMs?: number): Promise<void>
  types(keys: string): void
  /** Closes the terminal's window. */
  leaves(): void
}

/** Runs a command on a terminal of its own. */
export function atTerminal(command: readonly string[], cwd: string): Person {
  const decoder = new TextDecoder()
  let screen = ""
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...withoutColor(process.env), TERM: "xterm-256color", NO_COLOR: "1" },
    terminal: {
      cols: 120,
      rows: 40,
      data(_terminal, data) {
        screen += decoder.decode(data, { stream: true })
      },
    },
  })
  return {
    exited: child.exited,
    screen: () => screen,
    sees: (text, limitMs) =>
      eventually(`"${text}" on the screen`, () => screen.includes(text), limitMs).catch((cause) => {
        throw new Error(`${cause.message}, which shows:\n${screen}`)
      }),
    types: (keys) => child.terminal!.write(keys),
    leaves: () => child.terminal!.close(),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      await child.exited
      child.terminal?.close()
    },
  }
}

/** A folder with these files, gone at the end of the scope; nodes in it can import "dora-bun". */
export function folder(files: Record<string, string>): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "dora-bun-"))
  mkdirSync(join(path, "node_modules"))
  symlinkSync(ROOT, join(path, "node_modules/dora-bun"))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** Is a process there, and more than a corpse that nobody has collected? */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    const stat = await Bun.file(`/proc/${pid}/stat`).text()
    return stat.slice(stat.lastIndexOf(")") + 2)[0] !== "Z"
  } catch {
    return false
  }
}

/** Waits for a condition, looking every few milliseconds. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 10_000,
): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await Bun.sleep(10)
  }
}

function until(
  pattern: RegExp | string,
  limitMs: number,
  output: () => string,
  waiting: Set<() => void>,
  finished: Promise<Finished>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const found = () =>
    typeof pattern === "string" ? output().includes(pattern) : pattern.test(output())
  const check = () => {
    if (found()) resolve()
  }
  const fail = (why: string) => reject(new Error(`${why} before ${pattern} in:\n${output()}`))
  const limit = setTimeout(() => fail(`${limitMs} ms passed`), limitMs)
  waiting.add(check)
  check()
  void finished.then(() => (found() ? resolve() : fail("the command ended")))
  return promise.finally(() => {
    clearTimeout(limit)
    waiting.delete(check)
  })
}

function withoutColor(env: Record<string, string | undefined>): Record<string, string | undefined> {
  const { FORCE_COLOR, NO_COLOR, DORA_BUN_TTY, ...rest } = env
  return rest
}
