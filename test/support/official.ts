// Official dora 1.1.0 for tests: its Python package, its command line, and the nodes of test/official/nodes as entries of a
// dataflow file.
import { dirname, join } from "node:path"
import { writeFileSync } from "node:fs"
import { cargo, CARGO_LIMIT_MS, testCrates } from "./cargo.ts"
import { folder, type RunningCommand, start } from "./dora.ts"
import { hasCompilers, nativeNode } from "./native.ts"
import { python, pythonWith } from "./python.ts"
import { type NamedTest, needs } from "./toolchain.ts"

const NODES = join(import.meta.dir, "../official/nodes")
/** The official wheel, as `pip` takes it. */
export const WHEEL = ["dora-rs==1.1.0", "numpy", "pyarrow"]
const PACKAGES = [...WHEEL, "dora-rs-cli==1.1.0"]

/** The release that these tests speak with. */
export const OFFICIAL_VERSION = "1.1.0"
/** Time for a test that may be the first to install the packages or to build the nodes. */
export const INSTALL_LIMIT_MS = CARGO_LIMIT_MS

/** A test that needs official dora from PyPI. */
export const withPython: NamedTest = needs("python3", python !== null)
/** A test that needs official dora's crates. */
export const withCargo: NamedTest = needs("cargo", cargo !== null)
/** A test that needs them, and compilers for C and C++. */
export const withCompilers: NamedTest = needs(
  "python3, cargo, cc and c++",
  python !== null && cargo !== null && hasCompilers,
)
/** A test that needs both. */
export const withBoth: NamedTest = needs("python3 and cargo", python !== null && cargo !== null)

/** What a node in test/official/nodes can be told to do; see the README there. */
export type Role = "bytes" | "burst" | "check" | "count" | "echo" | "sink" | "source" | "timer"
/** What those in every language can be told. */
export type BytesRole = "bytes" | "check" | "echo" | "timer"
/** How a node is started, as in a dataflow file. */
export type Program = { path: string; args: string }

/** An interpreter that can import dora, pyarrow and numpy. */
export function officialPython(): Promise<string> {
  return pythonWith(PACKAGES)
}

/** The official command line: the `dora` of the wheel. */
export async function officialDora(): Promise<string> {
  return join(dirname(await officialPython()), "dora")
}

/**
 * A node of ours against the official Python package.
 *
 * @example { id: "echo", ...(await pythonNode("echo")), inputs: { a: "b/a" }, outputs: ["a"] }
 */
export async function pythonNode(role: Role): Promise<Program> {
  // The path of the interpreter is spelled out, so that it doesn't matter which environment is active.
  return { path: await officialPython(), args: `-u ${join(NODES, "python", `${role}.py`)}` }
}

/** A node of ours against the official crate. */
export async function rustNode(role: Role): Promise<Program> {
  return { path: join(await testCrates(), "official-node"), args: role }
}

/** A node of ours against dora-bun; under either daemon. */
export function typescriptNode(role: Role): Program {
  return { path: process.execPath, args: join(NODES, "typescript", `${role}.ts`) }
}

/** The languages in which there are nodes for bytes. */
export const LANGUAGES = ["typescript", "python", "rust", "c", "cxx"] as const
export type Language = (typeof LANGUAGES)[number]

/** A node of ours in any language: against dora-bun, or against the official library of that language. */
export async function bytesNode(language: Language, role: BytesRole): Promise<Program> {
  if (language === "typescript") return typescriptNode(role)
  if (language === "python") return pythonNode(role)
  if (language === "rust") return rustNode(role)
  return { path: await nativeNode(language), args: role }
}

/** A dataflow that the official daemon runs. */
export type OfficialRun = AsyncDisposable & {
  readonly command: RunningCommand
  /** The lines of JSON that a node has said so far. */
  said(node: string): Record<string, unknown>[]
}

/**
 * Runs a dataflow by the official `dora run`.
 *
 * @example await using run = await runOfficially([{ id: "a", ...typescriptNode("burst"), outputs: ["numbers"] }])
 */
export async function runOfficially(nodes: object[], limitMs?: number): Promise<OfficialRun> {
  const place = folder({})
  writeFileSync(join(place.path, "flow.yml"), JSON.stringify({ nodes }))
  const dora = await officialDora()
  // Operators run by whatever is called `python`.
  const env = { PATH: `${dirname(dora)}:${process.env.PATH}`, VIRTUAL_ENV: dirname(dirname(dora)) }
  const options = { cwd: place.path, env, ...(limitMs ? { limitMs } : {}) }
  const command = start([dora, "run", "flow.yml"], options)
  return {
    command,
    said: (node) => linesOf(command.output(), node),
    async [Symbol.asyncDispose]() {
      command.signal("SIGTERM")
      await command[Symbol.asyncDispose]()
      place[Symbol.dispose]()
    },
  }
}

function linesOf(output: string, node: string): Record<string, unknown>[] {
  const line = new RegExp(`^\\S+ \\S+ +${node}: (\\{.*\\})$`, "gm")
  return [...output.matchAll(line)].map(([, text]) => JSON.parse(text!))
}
