// What dataflows with Python operators are made of: an operator that echoes, a source, a sink.
import { type MixedFlow, NODE } from "./flow.ts"

/** For one test. */
export const LIMIT_MS = 60_000

/** Says what it is told, and sends on what it gets. */
export const ECHO = `
import time
from dora import DoraStatus

class Operator:
    def __init__(self):
        self.count = 0
        self.slow = 0

    def __del__(self):
        print("dropped", flush=True)

    def on_event(self, dora_event, send_output):
        if dora_event["type"] != "INPUT":
            print(dora_event["type"], dora_event.get("id"), flush=True)
            return DoraStatus.CONTINUE
        self.count += 1
        print(dora_event["id"], dora_event["value"].to_pylist(), flush=True)
        time.sleep(self.slow)
        send_output("out", dora_event["value"], dora_event["metadata"])
        return DoraStatus.CONTINUE
`

/** A node that sends 1 … count, each with its number as a parameter. */
export const source = (count: number, pauseMs = 0) => `${NODE}
  using node = await Node.init()
  for (let i = 1; i <= ${count}; i++) {
    await node.sendOutput("out", Int32Array.of(i), { number: i })
    ${pauseMs > 0 ? `await Bun.sleep(${pauseMs})` : ""}
  }`
/** A node that says what it gets. */
export const SINK = `${NODE}
  using node = await Node.init()
  for await (const event of node) {
    if (event.type === "INPUT") console.log(event.id, event.array.join(), event.metadata.parameters.number)
    else console.log(event.type, "id" in event ? event.id : event.cause)
  }`
/** The programs of such a dataflow, by name. */
export const files = (count: number, pauseMs = 0) => ({
  "echo.py": ECHO,
  "source.ts": source(count, pauseMs),
  "sink.ts": SINK,
})
/** An input that holds its sender. */
export const holding = (from: string) => ({ source: from, queue_policy: "backpressure" })
/** The source in a dataflow file, … */
export const SOURCE = { id: "source", path: "source.ts", outputs: ["out"] }
/** … and the sink. */
export const sink = (inputs: object) => ({ id: "sink", path: "sink.ts", inputs })
/** 1 … n. */
export const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1)

/** Lines of one of several operators. */
export function linesOf(flow: MixedFlow, target: string): string[] {
  return flow.records.filter((record) => record.target === target).map(({ msg }) => msg)
}
