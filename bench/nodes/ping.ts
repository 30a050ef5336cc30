// Sends a message, waits for its echo, and so on; prints the round trip times as one line of JSON.
import { type Event, Node } from "dora-bun"

const { SIZE, ROUNDS, MODE, API, PAUSE_MS } = process.env
const size = Number(SIZE)
const rounds = Number(ROUNDS)
const pauseMs = Number(PAUSE_MS ?? 0)
const warmUp = Math.max(20, Math.floor(rounds / 4))
const source = new Uint8Array(size).fill(7)
const times = new Float64Array(rounds)

using node = await Node.init()
let before = 0
let round = 0
let sum = 0

function send(): void {
  if (MODE === "loan") {
    const sample = node.loan("ping", { type: Uint8Array, length: size })
    sample.array[0] = round
    sample.send()
  } else node.sendOutputSync("ping", source)
}

/** False when all rounds are done. */
function received(event: Event | null): boolean {
  if (event?.type !== "INPUT") return false
  if (size > 0) sum += (event.array as Uint8Array)[0]!
  const after = Bun.nanoseconds()
  if (round >= warmUp) times[round - warmUp] = after - before
  before = after
  round++
  return round < warmUp + rounds
}

function pause(): void {
  if (pauseMs <= 0) return
  Bun.sleepSync(pauseMs)
  before = Bun.nanoseconds()
}

before = Bun.nanoseconds()
send()
if (API === "recv") {
  while (received(node.recv())) {
    pause()
    send()
  }
} else {
  for await (const event of node) {
    if (!received(event)) break
    send()
  }
}
times.sort()
const q = (p: number) => times[Math.floor(p * (rounds - 1))]!
const result = { p50: q(0.5), p90: q(0.9), p99: q(0.99), p999: q(0.999), min: q(0), max: q(1), sum }
console.log(JSON.stringify(result))
