// Peers that are a program of their own: compiled once, run once for each take, printing one line of JSON.
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { CACHE, type LatencyTake, type LatencyWork, type Peer } from "./peer.ts"
import type { ThroughputTake, ThroughputWork } from "./peer.ts"

const LIMIT_MS = 90_000
const SAID_CHARACTERS = 2_000

/** A program to measure. */
export type Program = {
  name: string
  everySize?: boolean
  largest?: number
  /** What it needs; the first that isn't there makes the peer missing. */
  needs: readonly Need[]
  /** C or C++ source below bench/peers with its compiler's arguments, or a TypeScript file. */
  source: Source | { script: string }
  variant?: string
}

/** What to compile. */
export type Source = {
  file: string
  compiler: "cc" | "c++"
  flags: readonly string[]
  /** A program that writes further C files and headers into the folder it is started in, and the file it reads. */
  generate?: { tool: string; file: string }
}

/** A file that must be there, and the sentence that says how to get it. */
export type Need = { present: () => boolean; install: string }

/** A header or a program, by one of the paths at which distributions put it. */
export function file(install: string, ...paths: readonly string[]): Need {
  return { present: () => paths.some((path) => existsSync(path)), install }
}

/** A program on the search path, or in the folder for servers that a user's path may lack. */
export function tool(name: string, install: string): Need {
  return { present: () => Bun.which(name) !== null || existsSync(`/usr/sbin/${name}`), install }
}

/** The peer that such a program is. */
export function program(options: Program): Peer {
  const running = new Set<Bun.Subprocess>()
  return {
    name: options.name,
    everySize: options.everySize,
    largest: options.largest,
    missing: async () => firstMissing(options),
    prepare: async () => void (await command(options)),
    latency: async ({ size, count, paceNs }: LatencyWork) =>
      (await take(options, running, ["latency", size, count, paceNs])) as LatencyTake,
    throughput: async ({ size, count }: ThroughputWork) =>
      (await take(options, running, ["throughput", size, count])) as ThroughputTake,
    close: async () => {
      const children = [...running]
      for (const child of children) child.kill()
      await Promise.all(children.map((child) => child.exited))
    },
  }
}

function firstMissing({ name, needs, source }: Program): string | null {
  const compiler = "compiler" in source ? compilerFor(source.compiler) : ""
  if (compiler === null) return `${name} needs a C++ compiler: apt install build-essential`
  const need = needs.find(({ present }) => !present())
  return need ? `${name} is not installed: ${need.install}` : null
}

function compilerFor(kind: "cc" | "c++"): string | null {
  const names = kind === "cc" ? ["cc", "gcc", "clang"] : ["c++", "g++", "clang++"]
  return names.map((name) => Bun.which(name)).find((path) => path !== null) ?? null
}

/** Compiles when the sources, the flags or the compiler differ from those of the kept program. */
async function command({ name, source }: Program): Promise<string[]> {
  if ("script" in source) return [process.execPath, join(import.meta.dir, source.script)]
  const compiler = compilerFor(source.compiler)
  if (!compiler) throw new Error(`${name} needs a C++ compiler: apt install build-essential`)
  const { file, flags, generate } = source
  const hash = new Bun.CryptoHasher("sha256")
  hash.update(`${compiler} ${statSync(compiler).mtimeMs} ${flags.join(" ")}`)
  for (const part of [file, "peer.h", "../measure.h", ...(generate ? [generate.file] : [])]) {
    hash.update(await Bun.file(join(import.meta.dir, part)).bytes())
  }
  const program = join(CACHE, `${file.split("/")[0]}-${hash.digest("hex").slice(0, 16)}`)
  if (existsSync(program)) return [program]
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, "build-"))
  try {
    if (generate) await build(name, [generate.tool, join(import.meta.dir, generate.file)], folder)
    const generated = [...new Bun.Glob("*.c").scanSync(folder)]
    const input = ["-O2", "-I.", "-o", "program", join(import.meta.dir, file), ...generated]
    await build(name, [compiler, ...input, ...flags], folder)
    renameSync(join(folder, "program"), program)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return [program]
}

async function build(name: string, words: string[], cwd: string): Promise<void> {
  const run = Bun.spawn(words, { cwd, stdin: "ignore", stdout: "ignore", stderr: "pipe" })
  const [said, code] = await Promise.all([run.stderr.text(), run.exited])
  if (code !== 0) throw new Error(`${name} doesn't compile:\n${said.slice(0, SAID_CHARACTERS)}`)
}

async function take(options: Program, running: Set<Bun.Subprocess>, work: (string | number)[]) {
  const args = [...work, ...(options.variant ? [options.variant] : [])].map(String)
  const child = Bun.spawn([...(await command(options)), ...args], {
    // Scripts end with us too; the C programs see to it themselves.
    env: { ...process.env, BUN_FEATURE_FLAG_NO_ORPHANS: "1" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  })
  running.add(child)
  // Not SIGKILL: a program that has started a server ends it when it's asked to end.
  const limit = setTimeout(() => child.kill("SIGTERM"), LIMIT_MS)
  try {
    const [said, complaint, code] = await Promise.all([
      child.stdout.text(),
      beginning(child.stderr),
      child.exited,
    ])
    const line = said.split("\n").findLast((text) => text.startsWith("{"))
    if (code === 0 && line) return JSON.parse(line) as unknown
    const how = child.signalCode ?? `code ${code}`
    throw new Error(`${options.name} ${args.join(" ")} ended with ${how}: ${complaint || said}`)
  } finally {
    clearTimeout(limit)
    running.delete(child)
  }
}

/** Reads all and keeps the beginning: a library that has lost its server may complain for ever. */
async function beginning(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let text = ""
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    if (text.length < SAID_CHARACTERS) text += part.slice(0, SAID_CHARACTERS - text.length)
  }
  return text.trim()
}
