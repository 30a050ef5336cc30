// The parts of the suite that start whole dataflows and look at them from outside.
import { expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseResult, type Row } from "../../bench/result.ts"
import { dora } from "../support/dora.ts"

const LIMIT_MS = 60_000

async function rowsOf(part: string): Promise<Map<string, Row>> {
  const folder = mkdtempSync(join(tmpdir(), "dora-bench-parts-"))
  try {
    const args = ["--quick", "--rounds", "1", "--part", part, "--json", "--out", folder]
    const { code, stdout, stderr } = await dora(["bench", ...args])
    expect([code, stderr.includes("error")]).toEqual([0, false])
    return new Map(parseResult(stdout, "stdout").rows.map((row) => [row.name, row]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test(
  "a start takes longer than that of as many bare processes, and says when all nodes had a message",
  async () => {
    const rows = await rowsOf("startup")
    const one = rows.get("dora run to the first message, 1 node")!
    expect(one.peer!.name).toBe("1 × bun -e")
    expect(one.value).toBeGreaterThan(one.peer!.value)
    expect(one.value).toBeLessThan(LIMIT_MS * 1e6)
    expect(one.figures["all have one"]).toBe(one.value)
    expect(rows.get("bun with dora-bun imported, no Vector asked for")!.ratio!.to).toBe("peer")
  },
  LIMIT_MS,
)

test(
  "memory is that of both nodes of a stream and of the daemon, with its growth in an interval",
  async () => {
    const rows = await rowsOf("memory")
    expect(rows.size).toBe(8)
    for (const row of rows.values()) {
      if (row.unit === "bytes") {
        expect(row.value).toBeGreaterThan(2e6)
        expect(row.value).toBeLessThan(500e6)
        expect(row.rounds).toHaveLength(5)
      } else {
        expect(row.figures.low).toBeLessThanOrEqual(row.value)
        expect(row.figures.high).toBeGreaterThanOrEqual(row.value)
      }
    }
    // At least one chunk of the large messages has been touched.
    expect(rows.get("4 MB loaned, 50/s")!.figures.shared).toBeGreaterThan(4_096_000)
  },
  LIMIT_MS,
)
