import { describe, expect, test } from "bun:test"
import { Nodes, until } from "../../test/support/nodes.ts"
import { bucketOf } from "../shm/histogram.ts"
import { type EdgeCounters, reportEdge } from "./counters.ts"

const LARGE = 100_000

/** An edge from `a` to `b`, and what its two ends do. */
class Flow extends Nodes {
  readonly a
  readonly b
  readonly output

  constructor(input: Record<string, unknown> = {}) {
    const inputs = { in: { source: "a/out", ...input } }
    super([
      { id: "a", outputs: ["out"] },
      { id: "b", inputs },
    ])
    this.a = this.attach("a")
    this.b = this.attach("b")
    this.output = this.a.outputs.get("out")!
    this.memory.start()
  }

  send(count: number, bytes = 64): void {
    for (let i = 0; i < count; i++) void this.output.send(new Uint8Array(bytes), undefined)
  }

  lend(count: number, bytes = LARGE): void {
    for (let i = 0; i < count; i++) {
      void this.output.loan({ type: Uint8Array, length: bytes }).send()
    }
  }

  take(count: number): void {
    for (let i = 0; i < count; i++) expect(this.b.receiver.poll()?.type).toBe("INPUT")
  }

  counters(): EdgeCounters {
    return this.memory.counters()[0]!
  }

  report(since?: EdgeCounters) {
    return reportEdge(this.counters(), since)
  }
}

describe("what an edge has carried", () => {
  test("is counted since the start, and since an earlier reading", () => {
    using flow = new Flow({ queue_size: 4 })
    flow.send(3)
    flow.take(2)
    const whole = { sent: 3, taken: 2, dropped: 0, queued: 1, bytes: 192, highWater: 3 }
    expect(flow.report()).toMatchObject(whole)
    const since = flow.counters()
    const nothing = { sent: 0, taken: 0, dropped: 0, queued: 1, bytes: 0, highWater: 1 }
    expect(reportEdge(since, since)).toMatchObject({ ...nothing, latencyP50Us: null, seconds: 0 })
    flow.send(1)
    flow.take(2)
    expect(flow.report(since)).toMatchObject({ sent: 1, taken: 2, bytes: 64, highWater: 2 })
    expect(flow.report()).toMatchObject({ sent: 4, taken: 4, bytes: 256, highWater: 3 })
    expect(flow.report(since).seconds).toBeLessThan(flow.report().seconds)
  })

  test("is right when the counters pass 2³²", () => {
    using flow = new Flow()
    const now = flow.counters()
    const near = { sent: 2 ** 32 - 2, taken: 2 ** 32 - 4, dropped: 0, waited: 0 }
    const latencies = now.latencies.map(() => -1)
    const report = reportEdge({ ...now, sent: 3, taken: 2 }, { ...now, ...near, latencies })
    expect(report).toMatchObject({ sent: 5, taken: 6 })
    // One more sample in every bucket.
    expect(bucketOf(report.latencyP50Us! * 1000)).toBe(255)
  })

  test("is the longest queue that there was, and no longer one for an edge that keeps up", () => {
    using flow = new Flow({ queue_size: 10 })
    for (let i = 0; i < 100; i++) {
      flow.send(1)
      flow.take(1)
    }
    expect(flow.report().highWater).toBe(1)
    const since = flow.counters()
    flow.send(7)
    expect(flow.report(since).highWater).toBe(7)
    flow.take(7)
    // One in sixteen of a fast stream is looked at, so a burst can be missed, but not that many.
    for (let burst = 0; burst < 200; burst++) {
      flow.send(7)
      flow.take(7)
    }
    expect(flow.report(since).highWater).toBe(7)
  })

  test("knows that a queue was full which dropped messages, or kept a sender waiting", async () => {
    using dropping = new Flow({ queue_size: 2 })
    dropping.send(5)
    expect(dropping.report()).toMatchObject({ sent: 5, dropped: 3, highWater: 2, queueSize: 2 })
    using holding = new Flow({ queue_size: 3, queue_policy: "backpressure" })
    holding.send(3)
    const last = holding.output.send(new Uint8Array(64), undefined)
    await until(() => holding.report().waited === 1, "the sender waits")
    holding.take(1)
    await last
    holding.take(3)
    expect(holding.report()).toMatchObject({ sent: 4, dropped: 0, waited: 1, highWater: 3 })
  })

  test("tells what was copied from what was lent", () => {
    using flow = new Flow({ queue_size: 2 })
    flow.lend(1)
    flow.take(1)
    expect(flow.report()).toMatchObject({ bytes: LARGE, copiedBytes: 0 })
    const since = flow.counters()
    flow.send(1, LARGE)
    flow.take(1)
    expect(flow.report(since)).toMatchObject({ bytes: LARGE, copiedBytes: LARGE })
    flow.send(1, 80)
    flow.take(1)
    expect(flow.report()).toMatchObject({ bytes: 2 * LARGE + 80, copiedBytes: LARGE + 80 })
  })

  test("counts a loan as copied that its consumer got as a copy, because it holds too many", () => {
    using flow = new Flow({ queue_size: 1 })
    const budget = 9
    for (let i = 0; i < budget + 2; i++) {
      flow.lend(1)
      const event = flow.b.receiver.poll()
      if (event?.type !== "INPUT") throw new Error(`${event?.type}`)
      event.retain()
    }
    expect(flow.report()).toMatchObject({ bytes: 11 * LARGE, copiedBytes: 2 * LARGE })
  })

  test("has latencies of every message of a slow stream, with the time in the queue", async () => {
    using flow = new Flow({ queue_size: 10 })
    flow.send(10)
    await Bun.sleep(20)
    flow.take(1)
    const { latencyP50Us, latencyMaxUs } = flow.report()
    expect(latencyP50Us).toBeGreaterThan(19_000)
    expect(latencyMaxUs).toBe(latencyP50Us)
  })
})

test("a tick's latency counts from the moment at which it was due, the skipped ones' too", async () => {
  using nodes = new Nodes([{ id: "a", inputs: { tick: "dora/timer/millis/10" } }])
  const { receiver } = nodes.attach("a")
  nodes.memory.start()
  expect(receiver.poll()?.type).toBe("INPUT")
  const since = nodes.memory.counters()[0]!
  await Bun.sleep(35)
  expect(receiver.poll()?.type).toBe("INPUT")
  const report = reportEdge(nodes.memory.counters()[0]!, since)
  expect(report).toMatchObject({ kind: "timer", highWater: 0, taken: 1, bytes: 0 })
  expect(report.dropped).toBeGreaterThanOrEqual(2)
  // Due at 10 ms, taken after 35 ms.
  expect(report.latencyP50Us).toBeGreaterThan(24_000)
})
