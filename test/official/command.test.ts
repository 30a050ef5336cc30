// Official nodes by the command line: through uv, and with a record of what they received.
import { expect } from "bun:test"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { folder, startDora } from "../support/dora.ts"
import { INSTALL_LIMIT_MS, officialPython, withPython } from "../support/official.ts"

/** The environment of the official wheels, which has uv as well. */
async function activated(): Promise<Record<string, string>> {
  const bin = dirname(await officialPython())
  return { PATH: `${bin}:${process.env.PATH}`, VIRTUAL_ENV: dirname(bin) }
}

const COUNTER = `
import os
import pyarrow as pa
from dora import Node
node = Node()
print("under uv:", os.environ.get("UV_RUN_RECURSION_DEPTH"), flush=True)
next(iter(node))
for i in range(3): node.send_output("numbers", pa.array([i]), {"round": i})
`
const READER = `
from dora import Node
for event in Node():
    if event["type"] == "INPUT": print("got", event["value"].to_pylist(), flush=True)
`
const FILES = {
  "counter.py": COUNTER,
  "reader.py": READER,
  "flow.yml": JSON.stringify({
    nodes: [
      {
        id: "counter",
        path: "counter.py",
        build: "pip check",
        inputs: { tick: "dora/timer/millis/50" },
        outputs: ["numbers"],
      },
      { id: "reader", path: "reader.py", inputs: { numbers: "counter/numbers" } },
    ],
  }),
}

withPython(
  "dora run --uv builds with uv's pip and runs Python nodes by `uv run`",
  async () => {
    using place = folder(FILES)
    const options = { cwd: place.path, env: await activated() }
    await using run = startDora(["run", "flow.yml", "--uv"], options)
    const { code, stdout, stderr } = await run.finished
    expect({ code, stderr }).toMatchObject({ code: 0 })
    // Only uv's `pip check` says how many packages it has looked at.
    expect(stdout).toMatch(/Checked \d+ packages/)
    expect(stdout).toContain("under uv: 1")
    expect(stdout).toContain("got [2]")
  },
  INSTALL_LIMIT_MS,
)

withPython(
  "DORA_WRITE_EVENTS_TO keeps what each official node received, in its order",
  async () => {
    using place = folder(FILES)
    const records = join(place.path, "records")
    const env = { ...(await activated()), DORA_WRITE_EVENTS_TO: records }
    await using run = startDora(["run", "flow.yml"], { cwd: place.path, env })
    const { code, stdout, stderr } = await run.finished
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(stdout).toContain("under uv: None")
    const kept = JSON.parse(readFileSync(join(records, "inputs-reader.json"), "utf8"))
    expect(kept).toMatchObject({ id: "reader", recording_status: { state: "clean" } })
    const events = kept.events as { type: string; id?: string; data?: unknown }[]
    expect(events.filter(({ type }) => type === "Input").map(({ id, data }) => [id, data])).toEqual(
      [0, 1, 2].map((i) => ["numbers", [i]]),
    )
    expect(events.some(({ type }) => type === "InputClosed")).toBe(true)
    const ticks = JSON.parse(readFileSync(join(records, "inputs-counter.json"), "utf8"))
    expect(ticks.events[0]).toMatchObject({ type: "Input", id: "tick" })
  },
  INSTALL_LIMIT_MS,
)
