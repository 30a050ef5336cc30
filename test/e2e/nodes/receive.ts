// Receives in the way that it is told, and says every event that it got: at the end, and with EACH at once.
import { type Event, Node } from "../../../src/index.ts"
import { say, what, word } from "./say.ts"

const words: string[] = []
const add = (event: Event | null) => {
  if (event === null) return
  words.push(word(event))
  if (process.env.EACH) say(word(event))
}

const ways: Record<string, (node: Node) => unknown> = {
  "for-await": async (node) => {
    for await (const event of node) add(event)
  },
  next: async (node) => {
    while (!node.ended) add(await node.next())
  },
  "next-short": async (node) => {
    while (!node.ended) add(await node.next(1))
  },
  recv: (node) => {
    while (!node.ended) add(node.recv())
  },
  "recv-short": (node) => {
    while (!node.ended) add(node.recv(1))
  },
  tryRecv: async (node) => {
    while (!node.ended) {
      const event = node.tryRecv()
      add(event)
      if (event === null) await Bun.sleep(1)
    }
  },
  drain: async (node) => {
    while (!node.ended) {
      for (const event of node.drain()) add(event)
      await Bun.sleep(1)
    }
  },
  mixed: async (node) => {
    for (let turn = 0; !node.ended; turn++) {
      if (turn % 3 === 0) add(await node.next())
      else if (turn % 3 === 1) add(node.recv(2))
      else for (const event of node.drain()) add(event)
    }
  },
  concurrent: async (node) => {
    while (!node.ended) {
      for (const event of await Promise.all([node.next(), node.next(), node.next()])) add(event)
    }
  },
  slow: async (node) => {
    for await (const event of node) {
      add(event)
      await Bun.sleep(20)
    }
  },
}

using node = await Node.init()
await ways[what]!(node)
say(words)
