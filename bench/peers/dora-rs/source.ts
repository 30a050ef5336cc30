// The same work as src/source.rs, on our side of the comparison.
import { Node } from "dora-bun"
import { monotonicNs, readWork, WARM_UP, waitUntil } from "./work.ts"

const SETTLE_NS = 300_000_000

const { size, count, paceNs } = readWork()
using node = await Node.init()
const body = new Uint8Array(size).map((_, i) => i)
const warmUp = paceNs > 0 ? Math.min(WARM_UP, count) : 0
const start = monotonicNs() + SETTLE_NS
node.sendOutputSync("data", Float64Array.of(start))
waitUntil(start)
for (let i = 0; i < warmUp + count; i++) {
  if (paceNs > 0) waitUntil(start + i * paceNs)
  node.sendOutputSync("data", body)
}
