// The style that a machine can keep. It reads the text as `bun fmt` lays it out, where a block ends at the indentation
// at which it began.
import { describe, expect, test } from "bun:test"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { ROOT } from "./support/install.ts"

/** Which rooms a room may import from, beside itself. */
const ARROWS: Record<string, readonly string[]> = {
  core: [],
  descriptor: ["core"],
  arrow: ["core"],
  shm: ["core"],
  wire: ["core"],
  node: ["shm", "arrow", "wire", "core"],
  runtime: ["node", "shm", "arrow", "wire", "core"],
  daemon: ["descriptor", "shm", "wire", "arrow", "core"],
  cli: ["daemon", "descriptor", "shm", "wire", "arrow", "core"],
  testing: ["runtime", "node", "daemon", "descriptor", "shm", "wire", "arrow", "core"],
  "index.ts": ["runtime", "node", "daemon", "descriptor", "shm", "wire", "arrow", "core"],
}

type Source = { path: string; text: string; lines: string[] }

const inSrc = sources("src")
const code = inSrc.filter((file) => !isTest(file))
const around = sources("{ffi,bench,examples,test}")

describe("src", () => {
  test("imports point down only", () => {
    expect(code.flatMap(wrongImports)).toEqual([])
  })

  test("every room has its arrows written down here", () => {
    expect(code.map((file) => room(file.path)).filter((name) => !ARROWS[name])).toEqual([])
  })

  test("files have at most 320 lines", () => {
    expect(inSrc.filter((file) => !isTest(file)).flatMap(longerThan(320))).toEqual([])
  })

  test("functions have at most 70 lines", () => {
    expect(code.flatMap((file) => longFunctions(file, 70))).toEqual([])
  })

  test("every export has a doc comment", () => {
    expect(code.flatMap(undocumented)).toEqual([])
  })
})

describe("everywhere", () => {
  test("no default exports, no `any`, nothing left to do", () => {
    expect([...inSrc, ...around].flatMap(forbidden)).toEqual([])
  })

  test("files around src have at most 500 lines, and their functions at most 120", () => {
    expect(around.flatMap(longerThan(500))).toEqual([])
    const programs = around.filter((file) => !isTest(file))
    expect(programs.flatMap((file) => longFunctions(file, 120))).toEqual([])
  })

  test("every example has a flow and says what to see", () => {
    const folders = readdirSync(join(ROOT, "examples"), { withFileTypes: true })
    const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
    const missing = names.flatMap((name) =>
      ["flow.yml", "README.md"].filter((file) => !existsSync(join(ROOT, "examples", name, file))),
    )
    expect(missing).toEqual([])
  })
})

describe("documents", () => {
  test("link to files that exist", () => {
    const documents = ["*.md", "{docs,examples}/**/*.md"].flatMap((glob) => [
      ...new Bun.Glob(glob).scanSync(ROOT),
    ])
    expect(documents).toContain("README.md")
    expect(documents).toContain("docs/promises.md")
    const broken = documents.flatMap((path) => {
      const text = readFileSync(join(ROOT, path), "utf8")
      const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map((match) => match[1]!)
      const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(path), target)))
      return missing.map((target) => `${path} links to ${target}`)
    })
    expect(broken).toEqual([])
  })
})

describe("these rules", () => {
  test("find an arrow that points up, in static, re-exported, type and dynamic imports", () => {
    const text = [
      'import { a } from "../daemon/index.ts"',
      'import type { b } from "../node/node.ts"',
      'export { c } from "../core/log.ts"',
      'const d = await import("../cli/main.ts")',
    ].join("\n")
    expect(wrongImports(source("src/shm/x.ts", text)).length).toBe(3)
  })

  test("find a long function, method and arrow function, and a bare export", () => {
    const body = "  f()\n".repeat(9)
    const text = [
      `export function one(\n  a: number,\n): void {\n${body}}`,
      `class Two {\n  async two(): Promise<void> {\n  ${body}  }\n}`,
      `const three = () => {\n${body}}`,
      `const four = {\n${body}}`,
    ].join("\n")
    const file = source("src/core/x.ts", text)
    expect(longFunctions(file, 8).map((problem) => problem.split(" ")[0])).toEqual([
      "src/core/x.ts:1:",
      "src/core/x.ts:15:",
      "src/core/x.ts:27:",
    ])
    expect(undocumented(file)).toEqual(["src/core/x.ts:1: export function one("])
    expect(forbidden(source("x.ts", "let a: any // as any\nlet b = 1 as any")).length).toBe(2)
  })
})

/** Operators are the default exports of their files. */
function isOperator(file: Source): boolean {
  return /^(examples|test|bench)\/(.*\/)?operators\//.test(file.path)
}

function sources(folders: string): Source[] {
  const files = [...new Bun.Glob(`${folders}/**/*.ts`).scanSync(ROOT)]
  const own = files.filter((path) => !path.includes("node_modules")).sort()
  return own.map((path) => source(path, readFileSync(join(ROOT, path), "utf8")))
}

function source(path: string, text: string): Source {
  return { path, text, lines: text.split("\n") }
}

function isTest(file: Source): boolean {
  return file.path.endsWith(".test.ts")
}

/** The folder below src, or the file when it lies there itself. */
function room(path: string): string {
  return path.split("/")[1]!
}

function wrongImports(file: Source): string[] {
  const from = room(file.path)
  const pattern = /\bfrom\s+"(\.[^"]+)"|\bimport\s*\(\s*"(\.[^"]+)"|^import\s+"(\.[^"]+)"/gm
  const found = [...file.text.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3]!)
  return found.flatMap((target) => {
    const path = relative(ROOT, join(ROOT, dirname(file.path), target))
    // The suite is a program of its own that uses all rooms; only its command knows it.
    if (path.startsWith("bench/")) return from === "cli" ? [] : [`${file.path} imports ${path}`]
    if (!path.startsWith("src/")) return []
    const to = room(path)
    return to === from || ARROWS[from]?.includes(to) ? [] : [`${file.path} imports ${path}`]
  })
}

function longerThan(limit: number): (file: Source) => string[] {
  return (file) => {
    const length = file.lines.length - 1
    return length > limit ? [`${file.path}: ${length} lines`] : []
  }
}

const CONTROL = /^\s*(if|else|for|while|switch|try|catch|finally|do|return|case|default|\})\b/
const METHOD = /^\s*(?:(?:static|async|override|get|set|\*)\s+)*\*?[#\w[\].]+(?:<.*>)?\(.*\{$/

function longFunctions(file: Source, limit: number): string[] {
  return file.lines.flatMap((line, index) => {
    if (!line.endsWith("{") || !opensFunction(line)) return []
    const indent = /^\s*/.exec(line)![0]
    const start = headerOf(file.lines, index, indent)
    const end = file.lines.findIndex((other, at) => at > index && other.startsWith(`${indent}}`))
    const length = end - start + 1
    return length > limit ? [`${file.path}:${start + 1}: a function of ${length} lines`] : []
  })
}

function opensFunction(line: string): boolean {
  if (line.endsWith("=> {")) return true
  if (/\bfunction\b/.test(line) || /^\s*\)(:.*)? \{$/.test(line)) return true
  return METHOD.test(line) && !CONTROL.test(line)
}

/** A header of several lines begins where its indentation was last met. */
function headerOf(lines: readonly string[], index: number, indent: string): number {
  if (!lines[index]!.trimStart().startsWith(")")) return index
  let start = index - 1
  while (start > 0 && !new RegExp(`^${indent}\\S`).test(lines[start]!)) start--
  return start
}

const EXPORT =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|type|interface) (\w+)/

function undocumented(file: Source): string[] {
  let overloaded = ""
  return file.lines.flatMap((line, index) => {
    const name = EXPORT.exec(line)?.[1]
    if (!name) return []
    const before = file.lines[index - 1] ?? ""
    // Constants of one table, line below line, share the comment above the first.
    const sameTable = line.startsWith("export const") && /^(export const|\/\/)/.test(before)
    if (before.trimEnd().endsWith("*/") || sameTable || name === overloaded) {
      overloaded = name
      return []
    }
    return [`${file.path}:${index + 1}: ${line}`]
  })
}

const ANY = /[:<,(|&]\s*any\b(?!\w)|\bas any\b|\bany\[\]/
const UNFINISHED = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "XX" + "X"].join("|")})\\b`)

function forbidden(file: Source): string[] {
  return file.lines.flatMap((line, index) => {
    const place = `${file.path}:${index + 1}`
    const words = line.replace(/"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)*'/g, '""')
    const isCode = words.replace(/\/\/.*|^\s*\*.*|\/\*.*?(\*\/|$)/g, "")
    if (/^export default\b/.test(line) && !isOperator(file)) return [`${place}: a default export`]
    if (ANY.test(isCode)) return [`${place}: any`]
    if (UNFINISHED.test(line)) return [`${place}: something left to do`]
    return []
  })
}
