// A node that hangs is killed after its `health_check_timeout`, and one that only waits is not.
import { expect } from "bun:test"
import { INSTALL_LIMIT_MS } from "../support/official.ts"
import { MixedFlow, withWheel } from "./flow.ts"

// Its thread no longer asks for events: the stream is gone, the process is there.
const HANGS = `
import ctypes, os, time
from dora import Node
node = Node()
print("start", node.restart_count(), flush=True)
if node.restart_count() == 0:
    node.send_output("out", b"x")
    # Nothing of the process runs any more, as in a native dead lock.
    os.kill(os.getpid(), 19)
next(iter(node))
`
const WAITS = `
from dora import Node
for event in Node():
    if event["type"] == "INPUT": print("got", flush=True)
    elif event["type"] == "STOP": print("stop", flush=True)
`

withWheel(
  "a hanging node is killed and started again, an idle one is left alone",
  async () => {
    await using flow = new MixedFlow(
      [
        {
          id: "hangs",
          path: "hangs.py",
          inputs: { tick: "dora/timer/millis/100" },
          outputs: ["out"],
          restart_policy: "on-failure",
          health_check_timeout: 0.5,
        },
        {
          id: "waits",
          path: "waits.py",
          inputs: { out: "hangs/out" },
          health_check_timeout: 0.5,
        },
      ],
      { "hangs.py": HANGS, "waits.py": WAITS },
      {},
      { health_check_interval: 0.1 },
    )
    await flow.end()
    expect(flow.said("hangs")).toEqual(["start 0", "start 1"])
    expect(flow.said("waits")).toEqual(["got", "stop"])
    const daemon = flow.said(null).join("\n")
    expect(daemon).toContain("node hangs has neither asked nor sent for")
    expect(daemon).not.toContain("node waits has neither")
  },
  INSTALL_LIMIT_MS,
)
