// The program of a node with operators. The daemon starts it; everything it needs is in the environment.
import { readMembership } from "../node/environment.ts"
import { Runtime } from "./runtime.ts"

const runtime = new Runtime(await readMembership())

const failed = (error: unknown) => runtime.uncaught(error)
process.on("uncaughtException", failed)
process.on("unhandledRejection", failed)
process.on("SIGTERM", () => {
  void runtime.abort().then(() => process.exit(143))
})

// Timers and sockets that operators left open keep nobody.
process.exit(await runtime.run())
