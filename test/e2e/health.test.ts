// Scripts with `health_check_timeout`: who hangs is killed, and whoever waits for something is not, however it waits.
import { expect, test } from "bun:test"
import { TestFlow } from "../support/flow.ts"

const LIMIT_MS = 60_000
const health_check_timeout = 1
/** The one that hangs counts these after it was started again: longer than anybody may be silent. */
const TICKS = 30
const WAYS = [
  "for-await",
  "next",
  "next-short",
  "recv",
  "recv-short",
  "tryRecv",
  "drain",
  "concurrent",
]

test(
  "a node that hangs is killed and started again, those that wait are left alone",
  async () => {
    const inputs = { in: "hangs/out" }
    const waits = (run: string, DORA_BUN_WAIT: string) => {
      return { run, inputs, env: { DORA_BUN_WAIT }, health_check_timeout }
    }
    const full = (id: string) => ({ in: { source: `${id}/out`, queue_policy: "backpressure" } })
    const sends = (how: string, DORA_BUN_WAIT: string) => ({
      run: `blocked ${how}`,
      outputs: ["out"],
      env: { DORA_BUN_WAIT },
      health_check_timeout,
    })
    await using flow = new TestFlow(
      {
        hangs: {
          run: "hang",
          inputs: { tick: "dora/timer/millis/100" },
          outputs: ["out"],
          restart_policy: "on-failure",
          health_check_timeout,
        },
        ...Object.fromEntries(WAYS.map((way) => [way, waits(`receive ${way}`, "adaptive")])),
        polls: waits("receive recv", "busy"),
        "polls-loop": waits("receive for-await", "busy"),
        // Nobody takes anything from these.
        sync: sends("sync", "park"),
        "sync-polls": sends("sync", "busy"),
        async: sends("async", "adaptive"),
        deaf: { run: "deaf", inputs: { ...full("sync") } },
        "deaf-polls": { run: "deaf", inputs: { ...full("sync-polls") } },
        "deaf-async": { run: "deaf", inputs: { ...full("async") } },
      },
      {},
      { health_check_interval: 0.1 },
    )
    await flow.until("hangs", TICKS)
    await flow.stop()
    const killed = flow.records.flatMap(({ node, msg }) =>
      node === null && msg.includes("neither asked nor sent") ? [msg.split(" ", 2).join(" ")] : [],
    )
    expect(killed).toEqual(["node hangs"])
  },
  LIMIT_MS,
)
