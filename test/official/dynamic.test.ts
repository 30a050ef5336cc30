// Official nodes that are started by hand (`path: dynamic`).
import { afterAll, beforeAll, describe, expect } from "bun:test"
import { createServer } from "node:net"
import { dirname, join } from "node:path"
import { pythonWith } from "../support/python.ts"
import { WHEEL } from "../support/official.ts"
import { MixedFlow, NODE, withWheel } from "./flow.ts"

let before: string | undefined
beforeAll(async () => {
  // A port of our own: another dataflow of this machine may use the usual one.
  before = process.env.DORA_DAEMON_LOCAL_LISTEN_PORT
  const server = createServer().listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  process.env.DORA_DAEMON_LOCAL_LISTEN_PORT = String(port)
})
afterAll(() => {
  if (before === undefined) delete process.env.DORA_DAEMON_LOCAL_LISTEN_PORT
  else process.env.DORA_DAEMON_LOCAL_LISTEN_PORT = before
})

const COUNTER = `${NODE}
using node = await Node.init()
let n = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  if (event.id === "tick") await node.sendOutput("out", Int32Array.of(n++))
  else console.log("back", event.array.join())
}`
const BY_HAND = `
from dora import Node
import sys
node = Node(node_id=sys.argv[1])
seen = 0
for event in node:
    if event["type"] == "INPUT":
        node.send_output("out", event["value"])
        seen += 1
        if seen == 3 and sys.argv[2] == "leave": break
    else:
        print(event["type"], event["id"], flush=True)
`
const NODES = [
  {
    id: "counter",
    path: "counter.ts",
    inputs: { tick: "dora/timer/millis/20", back: "hand/out" },
    outputs: ["out"],
  },
  {
    id: "hand",
    path: "dynamic",
    inputs: { in: { source: "counter/out", queue_policy: "backpressure" } },
    outputs: ["out"],
  },
]

/** Starts the program by hand; resolves when it has ended. */
async function byHand(folder: string, ...args: string[]): Promise<{ code: number; out: string }> {
  const interpreter = await pythonWith(WHEEL)
  const env = { ...process.env, DORA_ZENOH_LISTEN: "tcp/127.0.0.1:0", DORA_ZENOH_MULTICAST: "off" }
  const child = Bun.spawn([interpreter, join(folder, "hand.py"), ...args], {
    env: { ...env, PATH: `${dirname(interpreter)}:${process.env.PATH}` },
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, out: out + error }
}

describe("a Python node that is started by hand", () => {
  withWheel(
    "joins a running dataflow, leaves it, joins it again, and is told of its end",
    async () => {
      const files = { "counter.ts": COUNTER, "hand.py": BY_HAND }
      await using flow = new MixedFlow(NODES, files)
      await flow.running
      expect(await byHand(flow.folder.path, "hand", "leave")).toEqual({ code: 0, out: "" })
      await flow.until("counter", 3)
      const first = flow.said("counter").map((line) => Number(line.split(" ")[1]))
      expect(first).toEqual([first[0]!, first[0]! + 1, first[0]! + 2])
      const second = byHand(flow.folder.path, "hand", "stay")
      await Bun.sleep(500)
      await flow.stop()
      const { code, out } = await second
      expect([code, out.split("\n")[0]]).toEqual([0, "STOP MANUAL"])
    },
    60_000,
  )

  withWheel(
    "is refused by name when it is unknown, or not to be started by hand",
    async () => {
      const files = { "counter.ts": COUNTER, "hand.py": BY_HAND }
      await using flow = new MixedFlow(NODES, files)
      await flow.running
      const unknown = await byHand(flow.folder.path, "nobody", "leave")
      expect(unknown.out).toContain("no running dataflow contains a node with id `nobody`")
      const ours = await byHand(flow.folder.path, "counter", "leave")
      expect(ours.code).not.toBe(0)
      await flow.stop()
    },
    60_000,
  )
})
