// Sends and receives all that needs no Vector, and says which modules it has loaded by then, and after asking for one.
import { Node } from "dora-bun"

const loaded = (pattern: RegExp) => Object.keys(require.cache).filter((path) => pattern.test(path))
const counts = () => ({
  ours: loaded(/\/src\/(node|arrow)\//).length,
  theirs: loaded(/\/node_modules\/(apache-arrow|flatbuffers)\//).length,
})

using node = await Node.init()
const messages = [
  Float32Array.of(1.5),
  new Uint8Array(100_000),
  "text",
  4.5,
  true,
  [1, 2, 3],
  [{ x: 1, name: "n" }],
]
for (const message of messages) await node.sendOutput("out", message, { n: 1 })
// Which of them are nothing but numbers.
const numbers = [0, 1, 3, messages.length]
await node.loan("out", { type: Uint8Array, length: 100_000 }).send()
for (let i = 0; i <= messages.length; i++) {
  const event = await node.next()
  if (event?.type !== "INPUT") throw new Error(`${event?.type}`)
  void event.data
  if (numbers.includes(i)) void event.array
  void event.metadata.parameters
  if (i < messages.length) continue
  console.log(JSON.stringify(counts()))
  void event.value
  console.log(JSON.stringify(counts()))
}
