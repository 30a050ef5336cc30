// Replaces nodes with `module:` by the nodes of the file that it names, before anything else looks at them: what runs
// knows no modules. Rules: dora 1.1.0, `docs/modules.md`.
import { realpathSync } from "node:fs"
import { dirname, isAbsolute, join, relative, resolve } from "node:path"
import { nodeIdProblem } from "../core/ids.ts"
import { MAX_MODULE_DEPTH, MAX_MODULE_VALUES } from "../core/limits.ts"
import { ALL_NODE_FIELDS, NODE_HINTS } from "./fields.ts"
import { checkKind } from "./kind.ts"
import { modernizeNode } from "./legacy.ts"
import { type ModuleFile, readModuleFile } from "./module-file.ts"
import { type Use, adaptNode, dropInputs, outputsOf, sourcesIn } from "./module-node.ts"
import { portHint, readParams, readPorts } from "./module-use.ts"
import type { Surroundings } from "./node.ts"
import { optional } from "./parts.ts"
import { type Problems, quote, quoteList } from "./problems.ts"
import { checkKeys, didYouMean, readText } from "./read.ts"
import { type YamlMap, type YamlNode, copy } from "./yaml.ts"

/** An entry of `nodes`, and what to call it when it has no name: "nodes[0]". */
export type PlacedNode = { node: YamlNode; place: string }

/** The file that a `module:` stands in, and those that lead there. */
type Scope = { dir: string; files: readonly string[] }

/**
 * The nodes of a dataflow with those of its modules in place of them. A node whose module can't be
 * used stays, and why has been noted.
 *
 * @example expandModules(world, nodes) // `pipeline` becomes `pipeline.doubler` and `pipeline.filter`
 */
export function expandModules(world: Surroundings, items: readonly YamlNode[]): PlacedNode[] {
  return new Expansion(world).expand(items)
}

class Expansion {
  readonly #world: Surroundings
  readonly #problems: Problems
  /** The directory of the dataflow without symbolic links; null: there is none. */
  readonly #root: string | null
  /** By path; null for those with errors. */
  readonly #files = new Map<string, { module: ModuleFile; size: number } | null>()
  /** By the id of a module's node: who sends what the module sends; null for what it can't be said of. */
  readonly #outputs = new Map<string, ReadonlyMap<string, string | null>>()
  #valuesLeft = MAX_MODULE_VALUES

  constructor(world: Surroundings) {
    this.#world = world
    this.#problems = world.problems
    this.#root = realPath(world.workingDir)
  }

  expand(items: readonly YamlNode[]): PlacedNode[] {
    const scope = { dir: this.#root ?? this.#world.workingDir, files: [] }
    const nodes = placed(items).flatMap((item) => this.#expandOne(item, scope))
    for (const { node } of nodes) if (node.kind === "map") this.#nameSenders(node)
    return nodes
  }

  #expandOne(item: PlacedNode, scope: Scope): PlacedNode[] {
    const { node } = item
    const isModule = node.kind === "map" && optional(node, "module") !== null
    return (isModule && this.#expandModule(node, scope)) || [item]
  }

  #expandModule(outer: YamlMap, scope: Scope): PlacedNode[] | null {
    const problems = this.#problems
    const errors = problems.errorCount
    modernizeNode(problems, outer)
    const id = optional(outer, "id")
    // Told when the node is read, as it stays.
    if (id?.kind !== "scalar" || nodeIdProblem(id.text) !== null) return null
    checkKeys(problems, outer, ALL_NODE_FIELDS, `node ${quote(id.text)}`, NODE_HINTS)
    checkKind(problems, outer, id.text, id)
    const real = this.#findFile(outer, id.text, scope)
    const file = real === null ? null : this.#readFile(real, outer)
    if (real === null || file === null) return null
    const ports = readPorts(problems, outer, id, file.module)
    const params = readParams(problems, outer, id.text)
    if (problems.errorCount > errors || !this.#hasRoom(outer, file.size)) return null
    const use: Use = {
      problems,
      lookup: this.#world.lookup,
      id: id.text,
      file: file.module,
      outer,
      ports,
      params,
      siblings: new Set(file.module.nodes.flatMap((node) => idOf(node) ?? [])),
      root: this.#root!,
    }
    const nodes = placed(file.module.nodes.map((node) => copy(node)))
    for (const { node } of nodes) if (node.kind === "map") adaptNode(use, node)
    const inner = { dir: file.module.dir, files: [...scope.files, real] }
    const flat = nodes.flatMap((item) => this.#expandOne(item, inner))
    this.#outputs.set(use.id, this.#findProducers(use, nodes))
    return flat
  }

  /** Path of the module's file without symbolic links. */
  #findFile(outer: YamlMap, id: string, { dir, files }: Scope): string | null {
    const value = optional(outer, "module")!
    const path = readText(this.#problems, value, "module")
    if (path === null) return null
    const refuse = (code: string, message: string, hint: string | null = null) => {
      this.#problems.error(code, value, message, hint)
      return null
    }
    const node = `(node ${quote(id)})`
    if (files.length >= MAX_MODULE_DEPTH) {
      const message = `module nesting exceeds depth limit of ${MAX_MODULE_DEPTH} ${node}`
      return refuse("MODULE_DEPTH", message)
    }
    if (isAbsolute(path)) {
      return refuse("OUTSIDE_PROJECT", `module path ${quote(path)} must be relative ${node}`)
    }
    const full = resolve(dir, path)
    const real = realPath(full)
    if (real === null) return refuse("BAD_MODULE", `module file not found: ${quote(full)}`)
    if (!isInside(this.#root!, full) || !isInside(this.#root!, real)) {
      const message = `module path ${quote(path)} escapes the project directory ${node}`
      return refuse("OUTSIDE_PROJECT", message, `modules must be inside ${this.#root}`)
    }
    if (!files.includes(real)) return real
    const chain = [...files.slice(files.indexOf(real)), real]
    const names = chain.map((file) => quote(this.#shown(file))).join(" → ")
    return refuse(
      "MODULE_CYCLE",
      `circular module reference detected: ${full} ${node}`,
      `each of these files uses the next: ${names}`,
    )
  }

  /** What positions call a file: as the user would write it who wrote the path of the dataflow. */
  #shown(real: string): string {
    return join(dirname(this.#world.file), relative(this.#root!, real))
  }

  #readFile(real: string, outer: YamlMap): { module: ModuleFile; size: number } | null {
    return this.#files.getOrInsertComputed(real, () => {
      const errors = this.#problems.errorCount
      const at = optional(outer, "module")!
      const module = readModuleFile(this.#problems, real, this.#shown(real), at)
      if (module === null || this.#problems.errorCount > errors) return null
      return { module, size: module.nodes.reduce((sum, node) => sum + valuesIn(node), 1) }
    })
  }

  /** Modules in modules multiply. */
  #hasRoom(outer: YamlMap, values: number): boolean {
    this.#valuesLeft -= values
    if (this.#valuesLeft >= 0) return true
    const message = `the modules of this dataflow expand to more than ${MAX_MODULE_VALUES} values`
    this.#problems.error("FILE_TOO_LARGE", optional(outer, "module")!, message)
    return false
  }

  /** Which of its nodes sends each output of a module. */
  #findProducers({ file, id }: Use, nodes: readonly PlacedNode[]): Map<string, string | null> {
    const producers = new Map<string, string[]>()
    let complete = true
    const add = (output: string, producer: string | null) => {
      if (producer === null) complete = false
      else producers.getOrInsertComputed(output, () => []).push(producer)
    }
    for (const { node } of nodes) {
      const name = idOf(node)
      if (node.kind !== "map" || name === null) complete = false
      else if (!optional(node, "module")) {
        for (const [output, text] of outputsOf(node)) add(output, `${name}/${text}`)
      } else {
        const inner = this.#outputs.get(name)
        for (const [output, producer] of inner ?? []) add(output, producer)
        if (!inner) complete = false
      }
    }
    const found = new Map<string, string | null>()
    for (const [output, place] of file.outputs) {
      const all = producers.get(output) ?? []
      found.set(output, all.length === 1 ? all[0]! : null)
      if (all.length === 1 || (all.length === 0 && !complete)) continue
      const names = quoteList(all.map((text) => text.slice(id.length + 1)))
      const but =
        names === "" ? "no inner node produces it" : `multiple inner nodes produce it: ${names}`
      const hint = () =>
        names === ""
          ? didYouMean(output, producers.keys())
          : "call one of them otherwise: a module sends what one of its nodes sends"
      const code = names === "" ? "UNKNOWN_OUTPUT" : "DUPLICATE_OUTPUT"
      const message = `module ${quote(file.name)} declares output ${quote(output)} but ${but}`
      this.#problems.error(code, place, message, hint)
    }
    return found
  }

  /** Names who really sends what inputs read from modules. */
  #nameSenders(node: YamlMap): void {
    for (const { entry, source, owner } of sourcesIn(node)) {
      const [sender = "", ...rest] = source.text.split("/")
      const outputs = this.#outputs.get(sender)
      if (!outputs) continue
      const output = rest.join("/")
      const producer = outputs.get(output)
      if (typeof producer === "string") {
        source.text = producer
        continue
      }
      // Why it can't be said who sends it has been told.
      dropInputs(owner, new Set([entry]))
      if (producer === null) continue
      const message = `node ${quote(idOf(node) ?? "?")} references ${quote(source.text)} but module ${quote(sender)} does not declare output ${quote(output)}`
      this.#problems.error("UNKNOWN_OUTPUT", source, message, () => portHint(output, outputs))
    }
  }
}

function placed(items: readonly YamlNode[]): PlacedNode[] {
  return items.map((node, index) => ({ node, place: `nodes[${index}]` }))
}

function idOf(node: YamlNode): string | null {
  const id = node.kind === "map" ? optional(node, "id") : null
  return id?.kind === "scalar" ? id.text : null
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    // Not there, or nothing that can be opened: the caller says so.
    return null
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== ".." && !way.startsWith("../")
}

function valuesIn(node: YamlNode): number {
  if (node.kind === "scalar") return 1
  const inner = node.kind === "list" ? node.items : node.entries.map(({ value }) => value)
  return inner.reduce((sum, value) => sum + valuesIn(value), 1 + inner.length)
}
