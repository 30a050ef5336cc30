// Sends COUNT messages on `out`, each after the answer to the one before on `in`; thinks for a random while in between,
// so that the other side is met falling asleep, asleep and waking. Prints the longest answer in milliseconds.
import { Node } from "../../../src/index.ts"
import { Random } from "../random.ts"
import { nextInput, think } from "../turns.ts"

const random = new Random(Number(process.env.SEED))
const word = new Uint32Array(1)
let longestMs = 0

using node = await Node.init()
for (let i = 1; i <= Number(process.env.COUNT); i++) {
  think(random)
  const sent = performance.now()
  word[0] = i
  await node.sendOutput("out", word)
  const answer = (await nextInput(node))?.array[0]
  if (answer !== i) throw new Error(`answer ${answer} to ${i}`)
  longestMs = Math.max(longestMs, performance.now() - sent)
}
console.log(JSON.stringify({ longestMs }))
