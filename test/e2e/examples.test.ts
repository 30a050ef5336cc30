// Every example runs as its README says, and what comes out is right.
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { decode } from "jpeg-js"
import { sobel } from "../../examples/vision/sobel.ts"
import type { LogRecord } from "../../src/core/log.ts"
import type { EdgeReport } from "../../src/daemon/types.ts"
import { dora, folder } from "../support/dora.ts"
import { ROOT } from "../support/install.ts"

const LIMIT_MS = 60_000

type Summary = { type: "summary"; ok: boolean; edges: EdgeReport[] }

/** What an example printed, by node, and its table. */
async function example(name: string, ...args: string[]) {
  const run = await dora(["run", `examples/${name}/flow.yml`, "--log-format", "json", ...args])
  expect(run.stderr).not.toContain("error")
  expect(run.code).toBe(0)
  const entries = run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  const summary = entries.at(-1) as Summary
  expect(summary.type).toBe("summary")
  const records = entries.slice(0, -1) as LogRecord[]
  const said = (node: string) =>
    records.filter((record) => record.node === node).map((record) => record.msg)
  const edge = (from: string, to: string) =>
    summary.edges.find((found) => found.from === from && found.to === to)!
  for (const { sent, taken, dropped, queued } of summary.edges) {
    expect(sent).toBe(taken + dropped + queued)
  }
  return { said, edge, summary }
}

test(
  "hello: words and structs arrive in order, and the nodes end by themselves",
  async () => {
    const { said, edge } = await example("hello")
    const words = ["hello", "bonjour", "hallo", "こんにちは", "مرحبا"]
    const spoken = Array.from({ length: 10 }, (_, i) => words[i % words.length]!)
    const heard = (kind: string) => said("listener").filter((line) => line.startsWith(`${kind} `))
    expect(heard("speech")).toEqual([
      ...spoken.map((word, i) => `speech ${i}: ${JSON.stringify(word)}`),
      "speech has ended",
    ])
    expect(heard("greeting")).toEqual([
      ...spoken.map((word, i) => {
        const struct = { word, letters: [...word].length }
        return `greeting ${i}: ${JSON.stringify(struct)}`
      }),
      "greeting has ended",
    ])
    expect(said("listener").at(-1)).toBe("nothing more to hear")
    expect(edge("talker/speech", "listener/speech").taken).toBe(10)
  },
  LIMIT_MS,
)

test(
  "fan: four workers share each message, and nothing is lost on the way together",
  async () => {
    const { said, summary } = await example("fan")
    expect(said("sink")).toEqual(
      ["east", "north", "south", "west"].map((id) => `${id}: 500 results, all in order and right`),
    )
    expect(summary.edges.length).toBe(8)
    for (const edge of summary.edges) expect([edge.taken, edge.dropped]).toEqual([500, 0])
  },
  LIMIT_MS,
)

test(
  "modules: one file becomes two pairs of nodes, with a parameter each",
  async () => {
    const { said, edge } = await example("modules")
    const readme = readFileSync(join(ROOT, "examples/modules/README.md"), "utf8")
    expect(said("compare")).toHaveLength(3)
    expect(readme).toContain(said("compare").join("\n"))
    expect(edge("strong.average/smooth", "compare/strong").taken).toBe(200)
  },
  LIMIT_MS,
)

test(
  "backpressure: one pair loses nothing, the other counts exactly what it loses",
  async () => {
    const { said, edge } = await example("backpressure")
    expect(said("lossless")).toEqual(["received 200, missed 0, last 199"])
    const lossless = edge("careful/count", "lossless/count")
    expect([lossless.taken, lossless.dropped]).toEqual([200, 0])

    const newest = edge("hasty/count", "newest/count")
    expect(newest.sent).toBe(200)
    expect(newest.dropped).toBeGreaterThan(0)
    expect(said("newest")).toEqual([`received ${newest.taken}, missed ${newest.dropped}, last 199`])
  },
  LIMIT_MS,
)

test(
  "vision: real frames go through at 30 Hz, their edges are found, and figures are printed",
  async () => {
    const { said, edge } = await example("vision", "--stop-after", "3s")
    const image = edge("camera/image", "edges/image")
    // 90 ticks; a machine that is busy with something else may miss some.
    expect(image.sent).toBeGreaterThan(45)
    expect(image.sent).toBeLessThan(100)
    expect(image.bytes).toBe(image.sent * 640 * 480 * 3)
    expect(edge("camera/image", "preview/camera").taken).toBeGreaterThan(0)

    const { cameraMeans, edgeMeans } = expectedMeans()
    const lines = said("stats").filter((line) => /^camera .* edges /.test(line))
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) {
      const [, camera, edges] = /camera .*?mean (\S+?),.* edges .*?mean (\S+?),/.exec(line)!
      expect(cameraMeans).toContain(camera!)
      expect(edgeMeans).toContain(edges!)
    }
    expect(said("preview").join("\n")).toMatch(/camera: \d+ seen, 640×480 rgb8, centre \d+ \d+ \d+/)
    expect(said("preview").join("\n")).toMatch(/edges: \d+ seen, 640×480 mono8, centre \d+/)
  },
  LIMIT_MS,
)

test(
  "the first dataflow of the guide works as it stands there",
  async () => {
    const guide = readFileSync(join(ROOT, "docs/getting-started.md"), "utf8")
    const blocks = [...guide.matchAll(/```(?:ts|yaml)\n([\s\S]*?)```/g)].map((match) => match[1]!)
    const [flow, sensor, display] = blocks
    using dir = folder({ "flow.yml": flow!, "sensor.ts": sensor!, "display.ts": display! })
    const run = await dora(["run", "flow.yml", "--stop-after", "1s"], { cwd: dir.path })
    expect(run.stdout).toMatch(/display: \d\d\.\d+ celsius/)
    expect(run.code).toBe(0)
  },
  LIMIT_MS,
)

/** Brightness of each frame, and of its edges, computed here from the files. */
function expectedMeans() {
  const cameraMeans: string[] = []
  const edgeMeans: string[] = []
  const edges = new Uint8Array(640 * 480)
  for (let index = 0; index < 24; index++) {
    const name = `examples/vision/frames/${String(index).padStart(2, "0")}.jpg`
    const file = readFileSync(join(ROOT, name))
    const { data, width, height } = decode(file, { useTArray: true, formatAsRGBA: false })
    sobel(data, width, height, edges)
    cameraMeans.push(mean(data))
    edgeMeans.push(mean(edges))
  }
  return { cameraMeans, edgeMeans }
}

function mean(pixels: Uint8Array): string {
  return (pixels.reduce((sum, value) => sum + value, 0) / pixels.length).toFixed(1)
}
