import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { parseDataflow } from "../descriptor/index.ts"
import type { Dataflow } from "../descriptor/types.ts"

/**
 * A dataflow with its scripts in a folder of its own, which goes when the scope is left.
 *
 * @example using folder = new FlowFolder("nodes: [{ id: a, path: a.ts }]", { "a.ts": "process.exit(1)" })
 */
export class FlowFolder implements Disposable {
  readonly path: string
  readonly flow: Dataflow

  /** @param files  by name; those without an ending or with `.sh` are made executable */
  constructor(yaml: string, files: Record<string, string>) {
    this.path = mkdtempSync(join(tmpdir(), "dora-flow-"))
    for (const [name, text] of Object.entries(files)) {
      const path = join(this.path, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
      if (!/\.(?!sh$)\w+$/.test(name)) chmodSync(path, 0o755)
    }
    this.flow = parseDataflow(yaml, join(this.path, "flow.yml"))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
