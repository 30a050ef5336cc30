import { FileWatch } from "../core/file-watch.ts"
import type { NodeSpec } from "../descriptor/types.ts"
import type { NodeEvent } from "../wire/events.ts"
import { isPython } from "./operators.ts"

/** Whom to tell of a saved file. */
export type ReloadedNode = { readonly spec: NodeSpec; tell(event: NodeEvent): void }

/** Tells nodes with Python operators which of their files are saved, as the official daemon does; other runtimes watch for themselves. */
export function watchPython(nodes: readonly ReloadedNode[]): Disposable {
  const operators = nodes.flatMap((node) =>
    isPython(node.spec) ? node.spec.operators.map(({ id, path }) => ({ node, id, path })) : [],
  )
  const watch = new FileWatch((files) => {
    for (const { node, id, path } of operators) {
      if (files.includes(path)) node.tell({ type: "Reload", operator: id })
    }
  })
  watch.add(operators.map(({ path }) => path))
  return watch
}
