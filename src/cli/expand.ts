import { defineCommand } from "citty"
import { stringify } from "yaml"
import { loadDataflow } from "../descriptor/index.ts"
import type { Flags } from "./flags.ts"
import { standardOutput } from "./output.ts"
import { showWarnings } from "./report.ts"

/** `dora expand flow.yml`: prints a dataflow with the nodes of its modules in place of them. */
export const expand = defineCommand({
  meta: { name: "expand", description: "Print a dataflow without modules, and start nothing" },
  args: { dataflow: { type: "positional", valueHint: "flow.yml", description: "dataflow file" } },
  async run({ data }) {
    const flow = await loadDataflow((data as Flags).positionals[0]!)
    showWarnings(flow)
    const out = standardOutput()
    out.line(stringify(flow.json, { aliasDuplicateObjects: false, lineWidth: 0 }).trimEnd())
    await out.end()
    return 0
  },
})
