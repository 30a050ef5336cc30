// One Python operator under the official daemon and under ours: it is told the same, and what it sends arrives the same.
import { expect } from "bun:test"
import { join } from "node:path"
import { folder } from "../support/dora.ts"
import { INSTALL_LIMIT_MS, runOfficially, withPython } from "../support/official.ts"
import { MixedFlow } from "./flow.ts"

/** Prints what it is told, but for times, and passes inputs on. */
const OPERATOR = `
import json
from dora import DoraStatus

class Operator:
    def on_event(self, dora_event, send_output):
        known = {"dict": isinstance(dora_event, dict), "keys": sorted(dora_event), "descriptor": type(self.dataflow_descriptor).__name__}
        for key in ["type", "id", "kind"]:
            known[key] = dora_event[key]
        if dora_event["type"] == "INPUT":
            value = dora_event["value"]
            known["value"] = [str(value.type), str(value.to_pylist())]
            known["metadata"] = {key: str(item) for key, item in dora_event["metadata"].items() if key != "timestamp"}
            known["time"] = str(dora_event["metadata"]["timestamp"].tzinfo)
            try:
                send_output("out", "no bytes")
            except RuntimeError:
                known["refused"] = True
            send_output("out", value, dora_event["metadata"])
            send_output("out", b"bytes", {"list": [1, 2], "tuple": ("a",), "empty": [], "none": None, "float": 2.0, "flag": True})
        print(json.dumps(known, sort_keys=True), flush=True)
        return DoraStatus.CONTINUE
`
const SOURCE = `
import time
import pyarrow as pa
from dora import Node

node = Node()
values = [
    pa.array([1, None, 3]),
    pa.array(["a", "ß", None]),
    pa.array([[1.5], [], None]),
    pa.array([{"x": 1, "y": "z"}]),
    pa.array([True, None]),
    pa.array([1, 2, 3, 4], type=pa.uint8())[1:3],
    pa.nulls(2),
    b"bytes",
]
time.sleep(0.5)
for number, value in enumerate(values):
    node.send_output("out", value, {"number": number, "text": "t", "list": [1.5], "flag": True})
    time.sleep(0.1)
time.sleep(1)
`
const SINK = `
import json
from dora import Node

for event in Node():
    if event["type"] == "INPUT":
        metadata = {key: str(value) for key, value in event["metadata"].items() if key != "timestamp"}
        print(json.dumps([str(event["value"].type), str(event["value"].to_pylist()), metadata]), flush=True)
`

/** Whatever they were told, we were. The official daemon now and then loses a message, or hands one out before an earlier one. */
function common(ours: string[], theirs: string[]): void {
  const others = new Set(theirs)
  expect(others.size).toBeGreaterThan(new Set(ours).size / 2)
  expect([...others].filter((line) => !ours.includes(line))).toEqual([])
}

withPython(
  "a Python operator is told what the official runtime tells it, and its outputs arrive the same",
  async () => {
    const files = { "op.py": OPERATOR, "source.py": SOURCE, "sink.py": SINK }
    using place = folder(files)
    const queue = (source: string) => ({ source, queue_size: 1000 })
    const nodes = (at: string) => [
      { id: "source", path: join(at, "source.py"), outputs: ["out"] },
      {
        id: "rt",
        operator: {
          python: join(at, "op.py"),
          inputs: { in: queue("source/out") },
          outputs: ["out"],
        },
      },
      { id: "sink", path: join(at, "sink.py"), inputs: { x: queue("rt/out") } },
    ]
    await using theirs = await runOfficially(nodes(place.path))
    expect(await theirs.command.finished).toMatchObject({ code: 0 })
    await using ours = new MixedFlow(nodes(place.path), {})
    await ours.end()
    const lines = (node: string, mark: string) =>
      ours.said(node).filter((line) => line.startsWith(mark))
    const said = (node: string, mark: string) => {
      const line = new RegExp(` ${node}: (\\${mark}.*)$`, "gm")
      return [...theirs.command.output().matchAll(line)].map(([, text]) => text!)
    }
    const told = lines("rt", "{")
    expect(told).toHaveLength(9)
    common(told, said("rt", "{"))
    const heard = lines("sink", "[")
    expect(heard).toHaveLength(16)
    common(heard, said("sink", "["))
  },
  INSTALL_LIMIT_MS,
)
