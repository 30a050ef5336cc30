// Heeds nothing: no Stop, no SIGTERM, no SIGINT, no SIGHUP. HOW says what it does instead.
import { Node } from "../../../src/index.ts"

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => {})

if (process.env.HOW === "unborn") for (;;) Bun.sleepSync(1000)

const node = await Node.init()
switch (process.env.HOW) {
  case "awake": // Its event loop runs, and it never looks at an event.
    setInterval(() => {}, 1000)
    break
  case "busy":
    for (;;);
  case "asleep":
    for (;;) Bun.sleepSync(1000)
  case "deaf": // Takes each event, the stop among them, and asks for more.
    for (;;) {
      const event = await node.next(50)
      if (event === null) await Bun.sleep(50)
    }
  case "halted":
    process.kill(process.pid, "SIGSTOP")
    for (;;);
  case "parent": // In its group, without our mark, just as stubborn.
    Bun.spawn(["/bin/sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done"], { env: {} })
    setInterval(() => {}, 1000)
    break
}
