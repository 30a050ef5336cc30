// Official nodes with `health_check_timeout`: their requests are their signs of life.
import type { Watched } from "../health.ts"
import type { Connection } from "./connection.ts"
import type { RelayNode } from "./node.ts"

/** Those that are to be watched. @param connections  all that there are; the list changes */
export function watched(
  nodes: readonly RelayNode[],
  connections: () => readonly Connection[],
): Watched<RelayNode>[] {
  // A message that waits for room holds its sender.
  const held = (node: RelayNode) =>
    connections().some((connection) => connection.blocked && connection.node === node)
  return nodes.flatMap((node) => {
    const { unresponsiveAfterNs: afterNs } = node
    const pulse = () => (node.waits || held(node) ? null : node.requests)
    return afterNs === null ? [] : { node, afterNs, pulse }
  })
}
