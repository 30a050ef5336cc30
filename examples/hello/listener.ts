import { Node } from "dora-bun"

using node = await Node.init()
for await (const event of node) {
  switch (event.type) {
    case "INPUT": {
      const { count } = event.metadata.parameters
      console.log(`${event.id} ${count}: ${JSON.stringify(event.value?.get(0))}`)
      break
    }
    case "INPUT_CLOSED":
      console.log(`${event.id} has ended`)
      break
    case "STOP":
      node.log.info("nothing more to hear", { cause: event.cause })
      break
  }
}
