// The thread beside a program whose daemon is the official one.
import { isMainThread, parentPort, workerData } from "node:worker_threads"
import { DaemonLink } from "./link.ts"
import { DONE, type ThreadData } from "./messages.ts"
import { watchParent } from "./orphan.ts"

if (isMainThread || !parentPort) throw new Error("this file is a thread of a node")
const { plan, done, parent } = workerData as ThreadData
const port = parentPort
const guard = watchParent(parent)
const link = new DaemonLink(plan, (report) => port.postMessage(report))
port.on("message", () => link.close())
await link.run()
clearInterval(guard)
port.close()
Atomics.store(done, 0, DONE)
Atomics.notify(done, 0)
