// Two Bun processes with the channel that Bun.spawn({ ipc }) gives them.
import { firstSide, otherSide, parseWork } from "../script.ts"

const CREDIT = "credit"
const CHILD = "DORA_BENCH_IPC_CHILD"

const words = process.argv.slice(2)
const work = parseWork(words)
if (process.env[CHILD]) {
  const send = (bytes: Uint8Array) => void process.send!(bytes)
  const side = otherSide(work, { send, credit: () => {} })
  process.on("message", (sent: Uint8Array | typeof CREDIT) => {
    if (sent === CREDIT) side.credit()
    else side.message(sent)
  })
} else {
  let received: (bytes: Uint8Array) => void
  const child = Bun.spawn([process.execPath, import.meta.path, ...words], {
    env: { ...process.env, [CHILD]: "1" },
    stdio: ["ignore", "inherit", "inherit"],
    serialization: "advanced",
    ipc: (bytes: Uint8Array) => received(bytes),
    onExit: (_child, code) => process.exit(code ?? 1),
  })
  const send = (bytes: Uint8Array) => void child.send(bytes)
  received = firstSide(work, { send, credit: () => void child.send(CREDIT) }, () => process.exit(0))
}
