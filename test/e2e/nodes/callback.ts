// Receives by callbacks, one for each of two inputs, and ends by itself when nothing more comes.
import { Node } from "../../../src/index.ts"
import { say } from "./say.ts"

const got: Record<string, number[]> = { a: [], b: [] }
let busy = 0
let atOnce = 0
const node = await Node.init()
for (const id of ["a", "b"]) {
  node.on(id, async (event) => {
    busy++
    atOnce = Math.max(atOnce, busy)
    const value = Number(event.array[0])
    await Bun.sleep(1)
    got[id]!.push(value)
    busy--
  })
}
process.on("exit", () => say({ ...got, atOnce }))
