import { readdirSync, readFileSync } from "node:fs"
import { type Context, measure, type Part, type Take } from "../part.ts"

const NODES = 10
/** After the last node has said that it is there, this much of its start may still be under way. */
const SETTLE_MS = 700
const FOR_MS = 2000

/** What ten nodes that wait for a message cost while none comes. */
export const idlePart: Part = {
  name: "idle",
  about: "share of one core that ten waiting nodes take together while nothing happens",
  run: (context) =>
    measure(context, "idle", [
      {
        name: `${NODES} parked nodes`,
        unit: "%",
        better: "lower",
        goal: { of: "value", limit: 0.5 },
        take: () => idle(context),
      },
    ]),
}

async function idle(context: Context): Promise<Take> {
  const forMs = context.extent === "quick" ? FOR_MS / 4 : FOR_MS
  const env = { FOR_MS: String(forMs + 4 * SETTLE_MS) }
  const listeners = Array.from({ length: NODES }, (_, i) => {
    return { id: `listener${i}`, path: "listener.ts", inputs: { data: "silent/data" } }
  })
  let share = Number.NaN
  await context.run(
    [{ id: "silent", path: "silent.ts", env, outputs: ["data"] }, ...listeners],
    "adaptive",
    async (running, printed) => {
      while (printed.length < NODES + 1) {
        if (running.waitingFor().length === 0) return
        await Bun.sleep(20)
      }
      await Bun.sleep(SETTLE_MS)
      const pids = printed.filter((one) => one.node !== "silent").map((one) => one.pid as number)
      const before = cpuNs(pids)
      const start = Bun.nanoseconds()
      await Bun.sleep(forMs)
      share = (cpuNs(pids) - before) / (Bun.nanoseconds() - start)
    },
  )
  return { value: share * 100, figures: { "cpu%": share * 100 } }
}

/** Time that all threads of some processes have spent on a processor. */
function cpuNs(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1")
      sum += Number(text.split(" ")[0])
    }
  }
  return sum
}
