import type { DataflowResult, NodeResult } from "../daemon/types.ts"
import { formatMillis } from "./format.ts"

/** Names that a sentence bears; the others are counted. */
const MOST_NAMES = 8

/**
 * Why a dataflow failed, as text: the first node that failed with its command, end and last words, then how many
 * followed from it, then those that failed on their own.
 *
 * @example say.error(failureReport(result))
 */
export function failureReport(result: DataflowResult): string {
  const first = result.firstFailure
  if (!first) return "the dataflow failed"
  const others = result.nodes.filter((node) => !node.ok && node.node !== first.node)
  const followed = others.filter((node) => node.cause === "cascade")
  const independent = others.filter((node) => node.cause !== "cascade")
  const lines = [`node ${first.node} failed: ${endOf(first)}`]
  lines.push(`  command: ${first.command.map(quoteWord).join(" ")}`)
  lines.push(`  after: ${formatMillis(first.durationMs)}`)
  if (first.stderrTail.length > 0) lines.push("  stderr:", ...first.stderrTail.map(indent))
  if (followed.length > 0)
    lines.push(`${more(followed)} failed as a consequence: ${list(followed)}`)
  for (const node of independent.slice(0, MOST_NAMES)) {
    lines.push(`node ${node.node} failed as well: ${endOf(node)}`)
  }
  if (independent.length > MOST_NAMES) {
    lines.push(`${independent.length - MOST_NAMES} more failed as well`)
  }
  return lines.join("\n")
}

function endOf(node: NodeResult): string {
  const end =
    node.signal !== null ? `killed by ${node.signal}` : `exited with code ${node.exitCode ?? "?"}`
  const how = node.during === undefined ? end : `${end} in ${node.during}`
  switch (node.cause) {
    case "startup":
      return `${how} before it had subscribed to its inputs`
    case "grace":
      return `did not heed the stop (${how})`
    case "stuck":
      return `could not be ended (${how})`
    case "cascade":
      return `${how}, because node ${node.causedBy ?? "?"} had failed`
    default:
      return how
  }
}

function more(nodes: readonly NodeResult[]): string {
  return nodes.length === 1 ? "1 more node" : `${nodes.length} more nodes`
}

function list(nodes: readonly NodeResult[]): string {
  const names = nodes.slice(0, MOST_NAMES).map((node) => node.node)
  return names.join(", ") + (nodes.length > MOST_NAMES ? ", …" : "")
}

function indent(line: string): string {
  return `    ${line}`
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
