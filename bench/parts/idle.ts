import { readdirSync, readFileSync } from "node:fs"
import { type Context, measure, type Part, type Take } from "../part.ts"

const NODES = 10
/**
 * From when the last node has said that it is there. What their start leaves behind is over soon; then the engine
 * looks for garbage once a second, and half a minute later it leaves that as well.
 */
const SETTLE_MS = 1000
const LONG_SETTLE_MS = 40_000
const FOR_MS = 700
const LONG_MS = 10_000

/** What ten nodes that wait for a message cost while none comes. */
export const idlePart: Part = {
  name: "idle",
  about: "share of one core that ten waiting nodes take together while nothing happens",
  run: (context) => {
    const row = { unit: "%", better: "lower" } as const
    const soon = {
      ...row,
      name: `${NODES} waiting nodes, soon after the start`,
      take: () => idle(context, SETTLE_MS, FOR_MS),
    }
    const later = {
      ...row,
      name: `${NODES} waiting nodes, later`,
      take: () => idle(context, LONG_SETTLE_MS, LONG_MS),
    }
    return measure(context, "idle", context.extent === "full" ? [soon, later] : [soon])
  },
}

async function idle(context: Context, settleMs: number, forMs: number): Promise<Take> {
  const listeners = Array.from({ length: NODES }, (_, i) => {
    return { id: `listener${i}`, path: "listener.ts", inputs: { data: "silent/data" } }
  })
  let share = Number.NaN
  await context.run(
    [{ id: "silent", path: "silent.ts", outputs: ["data"] }, ...listeners],
    "adaptive",
    async (running, printed) => {
      while (printed.length < NODES + 1) {
        if (running.waitingFor().length === 0) return
        await Bun.sleep(20)
      }
      await Bun.sleep(settleMs)
      const pids = printed.filter((one) => one.node !== "silent").map((one) => one.pid as number)
      const before = cpuNs(pids)
      const start = Bun.nanoseconds()
      await Bun.sleep(forMs)
      share = (cpuNs(pids) - before) / (Bun.nanoseconds() - start)
      running.stop("dora bench")
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
