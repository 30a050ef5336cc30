// `logs talk` writes a line at each level; `logs listen` says each record that it gets.
import { Node } from "../../../src/index.ts"
import { say, what } from "./say.ts"

using node = await Node.init()
if (what === "talk") {
  // The listener is ready when all nodes have subscribed, which init waits for.
  const fields = { count: 3, name: "lens", list: [1, "a"], none: undefined }
  for (const level of ["error", "warn", "info", "debug", "trace"] as const) {
    node.log[level](`at ${level}`, level === "info" ? fields : undefined)
  }
  console.log("printed")
  console.error("complained")
  node.log.info("long ".repeat(3000))
} else {
  for await (const event of node) {
    if (event.type !== "INPUT") continue
    const said = JSON.parse(String(event.value!.get(0)))
    const { level, node_id: from, message: msg, fields, stream } = said
    say({ level, from, msg: msg.slice(0, 20), length: msg.length, fields, stream })
  }
}
