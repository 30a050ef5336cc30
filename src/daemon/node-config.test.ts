import { expect, test } from "bun:test"
import { parseDataflow } from "../descriptor/load.ts"
import { nodeConfig } from "./node-config.ts"

test("timers are told in the coarsest unit that says them exactly, which nodes of all times read", () => {
  const texts = {
    "dora/timer/secs/2": "dora/timer/secs/2",
    "dora/timer/millis/3000": "dora/timer/secs/3",
    "dora/timer/millis/100": "dora/timer/millis/100",
    "dora/timer/hz/50": "dora/timer/millis/20",
    "dora/timer/micros/5000": "dora/timer/millis/5",
    "dora/timer/micros/1500": "dora/timer/micros/1500",
    "dora/timer/hz/30": "dora/timer/nanos/33333333",
  }
  for (const [given, told] of Object.entries(texts)) {
    const flow = parseDataflow(
      `nodes: [{ id: a, path: a, inputs: { tick: ${given} } }]`,
      "flow.yml",
    )
    const { inputs } = nodeConfig("", flow, flow.nodes[0]!, "").run_config
    expect(inputs.tick).toMatchObject({ source: told })
  }
})
