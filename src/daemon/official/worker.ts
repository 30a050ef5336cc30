// The relay's thread. It never returns to its event loop: commands are read when a byte in the command pipe says so.
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads"
import { RelayLoop } from "./loop.ts"
import type { RelayCommand, RelayPlan, RelayReport } from "./messages.ts"

const { plan, port } = workerData as { plan: RelayPlan; port: MessagePort }

const report = (message: RelayReport) => port.postMessage(message)
const nextCommand = () => {
  const received = receiveMessageOnPort(port) as { message: RelayCommand } | undefined
  return received?.message ?? null
}

new RelayLoop(plan, report, nextCommand).run()
report({ type: "ended" })
port.close()
