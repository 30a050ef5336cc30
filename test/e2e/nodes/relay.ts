// Arrays of WORDS words that begin with their number: `source N` sends them, `crash HOW EACH` passes them on and dies in each of its
// first two lives after EACH of them.
import { Node } from "../../../src/index.ts"
import { args, what } from "./say.ts"

const words = Number(process.env.WORDS ?? 1)
const deaths: Record<string, () => void> = {
  exit: () => process.exit(3),
  throw: () => {
    throw new Error("thrown on purpose")
  },
  kill: () => process.kill(process.pid, "SIGKILL"),
}

function numbered(number: number): Uint32Array {
  const array = new Uint32Array(words)
  array[0] = number
  return array
}

using node = await Node.init()
if (what === "source") {
  for (let i = 1; i <= Number(args[0]); i++) await node.sendOutput("out", numbered(i))
} else {
  const [how, each] = args
  let left = Number(each)
  for await (const event of node) {
    if (event.type !== "INPUT") continue
    await node.sendOutput("out", numbered((event.array as Uint32Array)[0]!))
    if (--left === 0 && node.restartCount < 2) deaths[how!]!()
  }
}
