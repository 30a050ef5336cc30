// Nodes in C and C++ against the official libraries, as gcc or clang make them, kept outside of the tree beside those.
import { mkdirSync, readFileSync, renameSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { CXX_BRIDGE, testCrates } from "./cargo.ts"
import { ROOT } from "./install.ts"

const NODES = join(ROOT, "test/official/nodes")
/** What the Rust in the libraries needs of the system. */
const SYSTEM = ["-lpthread", "-ldl", "-lm"]

type Language = "c" | "cxx"

/** Are there compilers for both languages? */
export const hasCompilers: boolean = Bun.which("cc") !== null && Bun.which("c++") !== null

const made = new Map<Language, Promise<string>>()

/**
 * Compiles the node in test/official/nodes/c or …/cxx and links it with the official library.
 *
 * @returns the executable's path
 * @throws Error  cargo or the compiler failed; with its output
 * @example const echo = { path: await nativeNode("c"), args: "echo" }
 */
export function nativeNode(language: Language): Promise<string> {
  const known = made.get(language)
  if (known) return known
  const promise = make(language)
  made.set(language, promise)
  return promise
}

async function make(language: Language): Promise<string> {
  const release = await testCrates()
  const source = join(NODES, language, language === "c" ? "node.c" : "node.cc")
  const library = join(release, `libdora_node_api_${language}.a`)
  const content = Bun.hash(await Bun.file(source).text(), statSync(library).mtimeMs)
  const folder = join(release, "native-nodes")
  const program = join(folder, `${language}-${content.toString(16)}`)
  if (await Bun.file(program).exists()) return program
  mkdirSync(folder, { recursive: true })
  // Others may make the same at the same time.
  const fresh = `${program}.${process.pid}`
  await compile([...compiler(language, release), source, library, ...SYSTEM, "-o", fresh])
  renameSync(fresh, program)
  return program
}

function compiler(language: Language, release: string): string[] {
  const strict = ["-O1", "-s", "-Wall", "-Wextra", "-Werror"]
  if (language === "cxx") {
    return ["c++", "-std=c++20", ...strict, `-I${CXX_BRIDGE}`, join(CXX_BRIDGE, "dora-node-api.cc")]
  }
  // Cargo says which files the library was made of; the header is one of them.
  const files = readFileSync(join(release, "libdora_node_api_c.d"), "utf8")
  const header = / ((?:\\ |\S)+\/node_api\.h)/.exec(files)![1]!.replaceAll("\\ ", " ")
  return ["cc", "-std=c11", ...strict, `-I${dirname(header)}`]
}

async function compile(command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdout: "ignore", stderr: "pipe" })
  const [said, code] = await Promise.all([new Response(child.stderr).text(), child.exited])
  if (code !== 0) throw new Error(`${command.join(" ")} failed with ${code}:\n${said}`)
}
