// Receives ticks: `ticks N` says when each came, `ticks N BLOCK_MS` is busy once after the first.
import { Node } from "../../../src/index.ts"
import { args, say, what } from "./say.ts"

const node = await Node.init()
const begin = performance.now()
const times: number[] = []
let data = -1
for await (const event of node) {
  if (event.type !== "INPUT" || event.id !== "tick") continue
  times.push(performance.now() - begin)
  data = event.data.length + event.array.length + (event.value === null ? 0 : 1)
  if (times.length === 1 && args[0]) {
    const until = performance.now() + Number(args[0])
    while (performance.now() < until);
  }
  if (times.length === Number(what)) break
}
say({ times, data })
node.close()
