// Sends a word right after init and another one right before its end, which comes in the way that END says.
import { Node } from "../../../src/index.ts"

const node = await Node.init()
const size = Number(process.env.SIZE ?? 0)
send("first")
for (let i = 0; i < Number(process.env.BETWEEN ?? 0); i++) send(`between ${i}`)
send("last")

switch (process.env.END) {
  case "exit":
    process.exit(0)
  case "throw":
    throw new Error("this node fails")
  case "kill":
    process.kill(process.pid, "SIGKILL")
    break
  case "close":
    node.close()
    break
  case "natural":
    break
}

/** Not awaited: there is room, so it is sent when the call returns. */
function send(word: string): void {
  const text = word.padEnd(Math.max(size, word.length), ".")
  if (process.env.SYNC === "1") node.sendOutputSync("out", text)
  else void node.sendOutput("out", text)
}
