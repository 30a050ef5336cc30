// What only the whole file can tell: unique ids, sources that exist, cycles that can stand still.
import type { InputDraft } from "./input.ts"
import type { NodeDraft } from "./node.ts"
import { type Problems, quote, quoteList } from "./problems.ts"
import { didYouMean, firstUse } from "./read.ts"
import { placeIn } from "./scalar.ts"
import type { Source } from "./types.ts"

/** Checks how the nodes of a file are connected. */
export function checkWiring(problems: Problems, nodes: readonly NodeDraft[]): void {
  const byId = uniqueNodes(problems, nodes)
  for (const node of nodes) {
    for (const input of node.inputs) checkInput(problems, byId, node, input)
  }
  warnDeadlocks(problems, byId)
}

function uniqueNodes(problems: Problems, nodes: readonly NodeDraft[]): Map<string, NodeDraft> {
  const byId = new Map<string, NodeDraft>()
  for (const node of nodes) {
    if (node.id === null) continue
    const before = byId.get(node.id)
    if (before) {
      const message = `duplicate node ID ${quote(node.id)} — each node must have a unique \`id\``
      problems.error("DUPLICATE_NODE", node.idAt, message, () => firstUse(problems, before.idAt))
    } else {
      byId.set(node.id, node)
    }
  }
  return byId
}

function checkInput(
  problems: Problems,
  byId: ReadonlyMap<string, NodeDraft>,
  reader: NodeDraft,
  { spec, source: text }: InputDraft,
): void {
  const { source } = spec
  const input = quote(`${reader.id ?? "?"}/${spec.id}`)
  if (source.kind === "logs" && source.node !== null && !byId.has(source.node)) {
    const at = placeIn(problems, text, text.text.length - source.node.length, source.node.length)
    const message = `input ${input} wants the logs of ${quote(source.node)}, and there is no such node`
    const { node } = source
    problems.warn("UNKNOWN_NODE", at, message, () => didYouMean(node, byId.keys()))
  }
  if (source.kind !== "output") return
  const { node, output } = source
  const sender = byId.get(node)
  if (!sender && reader.id !== null && reader.outputs.has(`${node}/${output}`)) {
    const long = `${reader.id}/${node}/${output}`
    const message = `${quote(text.text)} is an output of the same node; its whole name is ${quote(long)}`
    problems.warn("SHORT_SOURCE", text, message, "the official dora knows the whole name only")
    spec.source = { kind: "output", node: reader.id, output: `${node}/${output}` }
    return
  }
  if (!sender) {
    const at = placeIn(problems, text, 0, node.length)
    const message = `source node ${quote(node)} mapped to input ${input} does not exist`
    problems.error("UNKNOWN_NODE", at, message, () => nodeHint(node, byId))
    return
  }
  if (!sender.outputsKnown || sender.outputs.has(output)) return
  if (sender.operators) {
    checkOperatorOutput(problems, sender, input, { spec, source: text })
    return
  }
  const at = placeIn(problems, text, node.length + 1, output.length)
  const message = `output ${quote(`${node}/${output}`)} mapped to input ${input} does not exist`
  problems.error("UNKNOWN_OUTPUT", at, message, () =>
    outputHint(node, output, [...sender.outputs.keys()]),
  )
}

/** The single form may leave out the operator; what else names none of the outputs is an error. */
function checkOperatorOutput(
  problems: Problems,
  sender: NodeDraft,
  input: string,
  { spec, source: text }: Pick<InputDraft, "spec" | "source">,
): void {
  const { node, output } = spec.source as Extract<Source, { kind: "output" }>
  const { ids, isSingle } = sender.operators!
  const long = `${ids[0]}/${output}`
  if (isSingle && sender.outputs.has(long)) {
    spec.source = { kind: "output", node, output: long }
    return
  }
  const at = placeIn(problems, text, node.length + 1, output.length)
  const [operator = ""] = output.split("/")
  const known = [...sender.outputs.keys()].map((id) => `${node}/${id}`)
  const hint = () => {
    const near = known.find((id) => id.endsWith(`/${output}`))
    if (near !== undefined) return `did you mean ${quote(near)}?`
    return didYouMean(`${node}/${output}`, known) ?? `there are the outputs ${quoteList(known)}`
  }
  if (isSingle || ids.includes(operator)) {
    const message = `output ${quote(`${node}/${output}`)} mapped to input ${input} does not exist`
    problems.error("UNKNOWN_OUTPUT", at, message, hint)
  } else if (output.includes("/")) {
    const message = `source operator ${quote(`${node}/${operator}`)} used for input ${input} does not exist`
    problems.error("UNKNOWN_OPERATOR", at, message, hint)
  } else {
    const message = `input ${input} references output ${quote(output)} of node ${quote(node)}, which is a runtime node; runtime node outputs must include the operator id (expected format: ${quote(`${node}/<operator_id>/<output_id>`)})`
    problems.error("UNKNOWN_OUTPUT", at, message, hint)
  }
}

function nodeHint(word: string, byId: ReadonlyMap<string, NodeDraft>): string {
  if (word === "_mod")
    return "`_mod/…` is an input of a module: it has its meaning in a module's file"
  return didYouMean(word, byId.keys()) ?? `there are the nodes ${quoteList([...byId.keys()])}`
}

function outputHint(node: string, word: string, outputs: readonly string[]): string {
  if (outputs.length === 0) return `${quote(node)} has no outputs; add \`outputs: [${word}]\` to it`
  const list = `${quote(node)} has the output${outputs.length > 1 ? "s" : ""} ${quoteList(outputs)}`
  const near = didYouMean(word, outputs)
  return near ? `${near} ${list}` : list
}

/** Most cycles that are told; each takes a walk over the whole graph. */
const MAX_CYCLES_SHOWN = 10

type Edge = { from: string; input: InputDraft }

/**
 * A cycle in which every edge holds its sender can stand still for ever: all queues full, each node
 * waiting for the next. One warning per cycle found.
 */
function warnDeadlocks(problems: Problems, byId: ReadonlyMap<string, NodeDraft>): void {
  const incoming = new Map<string, Edge[]>()
  for (const node of byId.values()) {
    for (const input of node.inputs) {
      const edges = incoming.getOrInsertComputed(vertex(node, input.operator), () => [])
      const from = holder(input, byId)
      if (from !== null) edges.push({ from, input })
    }
  }
  for (let shown = 0; shown < MAX_CYCLES_SHOWN; shown++) {
    dropAcyclic(incoming)
    const start = incoming.keys().next().value
    if (start === undefined) return
    const cycle = walkBack(incoming, start)
    const names = cycle.map(({ from }) => quote(from)).reverse()
    const message = `every input of the cycle ${[...names, names[0]].slice(0, 12).join(" → ")} has \`queue_policy: backpressure\`: with all queues full, each node waits for the next`
    const hint = "let one of these inputs use `queue_policy: drop_oldest`"
    problems.warn("BACKPRESSURE_CYCLE", cycle.at(-1)!.input.source, message, hint)
    for (const { from } of cycle) incoming.delete(from)
  }
}

/** Operators wait each for itself, whatever node they are in. */
function vertex(node: NodeDraft, operator: string | null): string {
  return operator === null ? node.id! : `${node.id}/${operator}`
}

/** Who is held while an input is full; null: nobody. */
function holder(input: InputDraft, byId: ReadonlyMap<string, NodeDraft>): string | null {
  const { source, queuePolicy } = input.spec
  if (source.kind !== "output" || queuePolicy !== "backpressure") return null
  const sender = byId.get(source.node)
  if (!sender) return null
  return vertex(sender, sender.operators && source.output.split("/")[0]!)
}

/** Removes, again and again, nodes that nobody holds: what is left leads back into a cycle. */
function dropAcyclic(incoming: Map<string, Edge[]>): void {
  const outgoing = new Map<string, string[]>()
  const open = new Map<string, number>()
  for (const [id, edges] of incoming) {
    const present = edges.filter(({ from }) => incoming.has(from))
    incoming.set(id, present)
    open.set(id, present.length)
    for (const { from } of present) outgoing.getOrInsertComputed(from, () => []).push(id)
  }
  const ready = [...open].filter(([, count]) => count === 0).map(([id]) => id)
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    incoming.delete(id)
    for (const next of outgoing.get(id) ?? []) {
      const left = open.get(next)! - 1
      open.set(next, left)
      if (left === 0) ready.push(next)
    }
  }
  for (const [id, edges] of incoming) {
    incoming.set(
      id,
      edges.filter(({ from }) => incoming.has(from)),
    )
  }
}

/** Follows senders from a node until one repeats; the edges of that cycle, last one first. */
function walkBack(incoming: ReadonlyMap<string, Edge[]>, start: string): Edge[] {
  const path: Edge[] = []
  const placeOf = new Map<string, number>()
  for (let at = start; ;) {
    const seen = placeOf.get(at)
    if (seen !== undefined) return path.slice(seen)
    placeOf.set(at, path.length)
    const edge = incoming.get(at)![0]!
    path.push(edge)
    at = edge.from
  }
}
