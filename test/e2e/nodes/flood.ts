// `flood send SECONDS`: as fast as they go, then slowly. `flood take`: says which scheduling it had on the way, and at the end.
import { readFileSync } from "node:fs"
import { Node } from "../../../src/index.ts"
import { args, say, what } from "./say.ts"

const SLOW_MESSAGES = 60
const SLOW_MS = 5
/** Messages between two looks. */
const LOOK = 200
/** Of proc(5)'s stat, after the name in parentheses. */
const POLICY_FIELD = 38

function policy(): number {
  const stat = readFileSync("/proc/self/stat", "utf8")
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[POLICY_FIELD])
}

using node = await Node.init()
if (what === "send") {
  let number = 0
  for (const until = performance.now() + Number(args[0]) * 1000; performance.now() < until;) {
    node.sendOutputSync("out", ++number)
  }
  for (let i = 0; i < SLOW_MESSAGES; i++) {
    Bun.sleepSync(SLOW_MS)
    node.sendOutputSync("out", ++number)
  }
  say(number)
} else {
  const seen = new Set<number>()
  let received = 0
  for (let event = node.recv(); event !== null && event.type !== "STOP"; event = node.recv()) {
    if (event.type === "INPUT" && ++received % LOOK === 0) seen.add(policy())
  }
  say({ seen: [...seen].sort(), last: policy(), received })
}
