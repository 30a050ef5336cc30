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
import os, sys
node = Node(node_id=sys.argv[1])
seen = 0
for event in node:
    if event["type"] == "INPUT":
        node.send_output("out", event["value"])
        seen += 1
        if seen == 3 and sys.argv[2] == "leave": break
        if seen == 3 and sys.argv[2] == "die": os.kill(os.getpid(), 9)
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
    "sends on when it joins again, left or killed before, and its consumers end with the others",
    async () => {
      const camera = `${NODE}
using node = await Node.init()
let n = 0
for await (const event of node) {
  if (event.type !== "INPUT") continue
  await node.sendOutput("out", Int32Array.of(n++))
  if (await Bun.file("enough").exists()) break
}`
      const viewer = `${NODE}
using node = await Node.init()
for await (const event of node) {
  console.log(event.type, event.type === "INPUT" ? event.array.join() : "")
}`
      const inputs = { in: "hand/out" }
      const nodes = [
        {
          id: "camera",
          path: "camera.ts",
          inputs: { tick: "dora/timer/millis/20" },
          outputs: ["out"],
        },
        { id: "hand", path: "dynamic", inputs: { in: "camera/out" }, outputs: ["out"] },
        { id: "viewer", path: "viewer.ts", inputs },
        { id: "second", path: "second.py", inputs },
      ]
      const files = {
        "camera.ts": camera,
        "viewer.ts": viewer,
        "hand.py": BY_HAND,
        "second.py":
          'from dora import Node\nfor event in Node(): print(event["type"], flush=True)\n',
      }
      await using flow = new MixedFlow(nodes, files)
      await flow.running
      const messages = (node: string) => flow.said(node).filter((line) => line.includes("INPUT"))
      for (const [i, how] of ["leave", "die", "leave"].entries()) {
        const { code } = await byHand(flow.folder.path, "hand", how)
        expect(code).toBe(how === "die" ? 137 : 0)
        for (const node of ["viewer", "second"]) {
          const count = 3 * (i + 1)
          await flow.untilTrue(`${count} of ${node}`, () => messages(node).length >= count)
        }
      }
      expect(flow.said("viewer").filter((line) => !line.startsWith("INPUT "))).toEqual([])
      expect(flow.said("second")).toEqual(Array(9).fill("INPUT"))
      await Bun.write(`${flow.folder.path}/enough`, "")
      const { ok, edges } = await flow.end()
      expect(ok).toBe(true)
      expect(edges.find(({ to }) => to === "viewer/in")).toMatchObject({
        sent: 9,
        taken: 9,
        samples: 9,
      })
      expect(flow.said("viewer").slice(9).join()).toContain("INPUT_CLOSED")
    },
    60_000,
  )

  withWheel(
    "holds nobody up once it has left who waits for it alone",
    async () => {
      const viewer = `${NODE}
using node = await Node.init()
let n = 0
console.log("here")
for await (const event of node) if (event.type === "INPUT") n++
console.log("seen", n)`
      const nodes = [
        { id: "hand", path: "dynamic", inputs: { in: "dora/timer/millis/20" }, outputs: ["out"] },
        { id: "viewer", path: "viewer.ts", inputs: { in: "hand/out" } },
      ]
      const hand = `import pyarrow as pa${BY_HAND.replace('event["value"]', "pa.array([1])")}`
      for (const how of ["leave", "die"]) {
        await using flow = new MixedFlow(nodes, { "viewer.ts": viewer, "hand.py": hand })
        await flow.running
        await byHand(flow.folder.path, "hand", how)
        await flow.end()
        expect(flow.said("viewer")).toEqual(["here", "seen 3"])
      }
    },
    90_000,
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
