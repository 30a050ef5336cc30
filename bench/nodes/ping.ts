// Sends a message, waits for its echo, and so on for a while; prints the round trip times as one line of JSON.
//   SIZE bytes, MODE copy|loan, API recv|iterate, WARM_UP round trips that don't count (WARM_MS at most), MOST that do
//   (FOR_MS at most), PACE_NS between those that count, which then count from when they were meant to be sent, after some at a quicker
//   pace that don't count either
import { type Event, Node } from "dora-bun"
import { PRACTICE_PACE_MS } from "./stream.ts"
import { Times } from "./times.ts"

const { SIZE, MODE, API, WARM_UP, WARM_MS, MOST, FOR_MS, PACE_NS } = process.env
const size = Number(SIZE)
const warmUp = Number(WARM_UP)
const warmNs = Number(WARM_MS) * 1e6
const paceNs = Number(PACE_NS ?? 0)
const forNs = Number(FOR_MS) * 1e6
/** Of each, however slow messages are. */
const FEWEST = 3
/** Paced ones that don't count. */
const PRACTICE = paceNs > 0 ? 1000 : 0
const source = new Uint8Array(size).fill(7)
const times = new Times(Number(MOST))

using node = await Node.init()
let before = 0
let start = Bun.nanoseconds()
let warm = 0
let practised = 0
let sum = 0

function send(): void {
  if (paceNs > 0 && warm === warmUp) {
    if (practised < PRACTICE) before = Math.max(before, start) + PRACTICE_PACE_MS * 1e6
    else before = start + (times.count + 1) * paceNs
    const spare = before - Bun.nanoseconds()
    if (spare > 0) node.recv(spare / 1e6)
    while (Bun.nanoseconds() < before);
  }
  if (MODE === "loan") {
    const sample = node.loan("ping", { type: Uint8Array, length: size })
    if (size > 0) sample.array[0] = warm
    sample.send()
  } else node.sendOutputSync("ping", source)
}

/** False when it is enough. */
function received(event: Event | null): boolean {
  if (event?.type !== "INPUT") return false
  if (size > 0) sum += (event.array as Uint8Array)[0]!
  const after = Bun.nanoseconds()
  if (warm < warmUp) {
    warm++
    if (after - start > warmNs && warm >= FEWEST) warm = warmUp
    if (warm === warmUp) start = after
  } else if (practised < PRACTICE) {
    if (++practised === PRACTICE) start = after
  } else times.add(after - before)
  before = after
  return times.count < FEWEST || (!times.full && after - start < forNs)
}

before = Bun.nanoseconds()
send()
if (API === "recv") {
  while (received(node.recv())) send()
} else {
  for await (const event of node) {
    if (!received(event)) break
    send()
  }
}
console.log(JSON.stringify({ ...times.summary(), sum }))
