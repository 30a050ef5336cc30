// Waits with time limits on an input that stays silent, takes values of its own beside an input, or leaves a loop early.
import { Node } from "../../../src/index.ts"
import { say, what, word } from "./say.ts"

const node = await Node.init()

const cases: Record<string, () => unknown> = {
  limits: async () => {
    const limits: Record<string, (ms: number) => unknown> = {
      next: (ms) => node.next(ms),
      recv: (ms) => node.recv(ms),
    }
    for (const [name, receive] of Object.entries(limits)) {
      for (const ms of [0, 40]) {
        const start = performance.now()
        const event = await receive(ms)
        say({ name, ms, event, took: performance.now() - start, ended: node.ended })
      }
    }
    say({ tryRecv: node.tryRecv(), drain: node.drain() })
  },
  merge: async () => {
    async function* values() {
      for (const value of ["x", "y", "z"]) {
        yield value
        await Bun.sleep(5)
      }
    }
    const merged = node.merge(values())
    const words: string[] = []
    for await (const event of node) {
      words.push(word(event))
      if (event.type === "EXTERNAL" && event.value === "z") say({ words, merged: await merged })
    }
    say(words)
  },
  "merge-forever": async () => {
    async function* values() {
      for (let i = 0; ; i++) yield i
    }
    void node.merge(values())
    const words: string[] = []
    for await (const event of node) if (event.type !== "EXTERNAL") words.push(word(event))
    say(words)
  },
  break: async () => {
    for await (const event of node) {
      say(word(event))
      break
    }
    for await (const event of node) {
      say(word(event))
      if (event.type === "INPUT") return
    }
  },
}

await cases[what]!()
node.close()
