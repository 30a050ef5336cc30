// What the project holds its figures to: one table, so that nobody has to look for a goal in the part that measures it.
import type { Goal } from "./result.ts"

/** Of `value` a rate is a lower bound; everything else is an upper one. */
const GOALS: Record<string, readonly Goal[]> = {
  "latency: 64 B copied, recv()": [
    { of: "ratio", limit: 2 },
    { of: "p99.9", limit: 5000 },
  ],
  "latency: 64 B copied, for await": [{ of: "ratio", limit: 3 }],
  "latency: 4 KB copied, recv()": [{ of: "value", limit: 700 }],
  "latency: 4 KB loaned, recv()": [{ of: "value", limit: 900 }],
  "latency: 4 MB loaned, recv()": [{ of: "value", limit: 900 }],
  "latency: 40 MB loaned, recv()": [{ of: "value", limit: 900 }],
  "latency: 64 B copied, recv(), parked": [{ of: "ratio", limit: 1.3 }],
  "paced: 64 B copied, every 5 ms, recv()": [
    { of: "value", limit: 10_000 },
    { of: "cpu%", limit: 25 },
  ],
  "paced: 64 B copied, every 33 ms, recv()": [
    { of: "value", limit: 10_000 },
    { of: "cpu%", limit: 8 },
  ],
  "throughput: 64 B copied, backpressure": [{ of: "value", limit: 4e6 }],
  "fan: 1 → 8, 64 B copied, backpressure": [{ of: "value", limit: 3e6 }],
  "copy: sendOutputSync of 4 MB": [{ of: "ratio", limit: 1.2 }],
  "idle: 10 waiting nodes, later": [{ of: "value", limit: 0.5 }],
  "operators: TypeScript, event with an output to a sibling, 64 B": [{ of: "value", limit: 300 }],
  "operators: node → TypeScript operator → node, 64 B": [{ of: "ratio", limit: 3 }],
  "libraries: Rust, 4 MB in and out": [{ of: "ratio", limit: 1.2 }],
  "arrow: encode and decode 1024 × float32": [{ of: "ratio", limit: 1 / 30 }],
}

/** Official nodes under our daemon, beside the official one. */
const OFFICIAL: Record<string, readonly Goal[]> = {
  "Python ↔ Python, 8 B": [{ of: "ratio", limit: 0.7 }],
  "Python ↔ Python, 4 KB": [{ of: "ratio", limit: 0.7 }],
  "Python ↔ Python, 64 KiB": [{ of: "ratio", limit: 1.5 }],
  "Python ↔ Python, 1 MiB": [{ of: "ratio", limit: 1.5 }],
  "Python ↔ Python, 4 MB": [{ of: "ratio", limit: 1.5 }],
  "Rust → Rust at 1 kHz, 64 B, one way": [{ of: "ratio", limit: 0.8 }],
  "Rust → Rust at 1 kHz, 4 KB, one way": [{ of: "cpu%", limit: 10 }],
  "Rust → Rust as fast as they go, 20000 × 8 B": [
    { of: "value", limit: 300e6 },
    { of: "lost%", limit: 0 },
  ],
  "TypeScript (there Rust) → Python at 25 Hz, 4 MB": [{ of: "ratio", limit: 1 }],
}

/** Goals of many rows: beside a peer its name, how it is measured, the goal. */
const OF_MANY: readonly [RegExp, Goal][] = [
  [/^peers: dora .*Rust → Rust: .*(after the other|every \d+ ms)$/, { of: "ratio", limit: 1 / 20 }],
  [/^peers: dora .*Rust → Rust: 64 B, as fast as they go$/, { of: "ratio", limit: 50 }],
  // Flat, as far as a minute can tell.
  [/^memory: .*: growth$/, { of: "value", limit: 20_000 }],
  [/^libraries: .* in$/, { of: "ratio", limit: 1.5 }],
  [/^libraries: .* (8 B|4 KB) in and out$/, { of: "ratio", limit: 2 }],
  [/^peers: iceoryx .*polling: .* after the other$/, { of: "ratio", limit: 1 }],
]

/**
 * The goals of a row.
 *
 * @example goalsOf("copy", "sendOutputSync of 4 MB") // [{ of: "ratio", limit: 1.2 }]
 */
export function goalsOf(part: string, name: string): readonly Goal[] {
  const key = `${part}: ${name}`
  const more = OF_MANY.filter(([pattern]) => pattern.test(key)).map(([, goal]) => goal)
  const official = part === "official" ? OFFICIAL[name] : undefined
  return [...(GOALS[key] ?? []), ...(official ?? []), ...more]
}
