import { defineCommand } from "citty"
import { loadDataflow } from "../descriptor/index.ts"
import type { Flags } from "./flags.ts"
import { standardOutput } from "./output.ts"
import { showWarnings } from "./report.ts"

/** `dora validate flow.yml`: checks a dataflow and starts nothing. */
export const validate = defineCommand({
  meta: { name: "validate", description: "Check a dataflow file without running it" },
  args: { dataflow: { type: "positional", valueHint: "flow.yml", description: "dataflow file" } },
  async run({ data }) {
    const flow = await loadDataflow((data as Flags).positionals[0]!)
    showWarnings(flow)
    const edges = flow.nodes.reduce((sum, node) => sum + node.inputs.length, 0)
    const out = standardOutput()
    out.line(`${flow.path}: valid, ${count(flow.nodes.length, "node")}, ${count(edges, "input")}`)
    await out.end()
    return 0
  },
})

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`
}
