import type { InputEvent, Node } from "../../src/index.ts"
import type { Random } from "./random.ts"

const MOST_THOUGHT_MS = 0.06

/** The next message, by recv() where the environment says RECV=sync; null after the last one. */
export async function nextInput(node: Node): Promise<InputEvent | null> {
  const blocks = process.env.RECV === "sync"
  while (!node.ended) {
    const event = blocks ? node.recv() : await node.next()
    if (event?.type === "INPUT") return event
    if (event?.type === "ERROR") throw event.error
  }
  return null
}

/** Is busy for a random time around what a sleep and a wake-up take. */
export function think(random: Random): void {
  const until = performance.now() + random.next() * MOST_THOUGHT_MS
  while (performance.now() < until);
}
