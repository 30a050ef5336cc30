import { expect, test } from "bun:test"
import type { Event } from "./event.ts"
import { EventIterator } from "./iterator.ts"

const event = (id: number): Event => ({ type: "INPUT_CLOSED", id: String(id) })
const idOf = (result: IteratorResult<Event>) => (result.value as { id: string } | undefined)?.id

/** Some events are there at once, the others later; then comes the end. */
function makeIterator(count: number, late: (id: number) => boolean = () => false) {
  let next = 1
  const quick = () => (next <= count && !late(next) ? event(next++) : null)
  const wait = (done: (event: Event | null) => void) => {
    setTimeout(() => done(next <= count ? event(next++) : null))
  }
  return new EventIterator(quick, wait)
}

const loop = (iterator: EventIterator) => ({ [Symbol.asyncIterator]: () => iterator })
const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i + 1))

test("a loop gets every event once, at once or late, and ends after the last", async () => {
  for (const late of [() => false, () => true, (id: number) => id % 3 === 0]) {
    const ids: string[] = []
    for await (const one of loop(makeIterator(20, late))) ids.push((one as { id: string }).id)
    expect(ids).toEqual(numbers(20))
  }
})

test("steps that were asked for together are different ones", async () => {
  const iterator = makeIterator(5)
  const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => iterator.next()))
  expect(results.map(idOf)).toEqual([...numbers(5), undefined] as string[])
  expect(results.map((result) => result.done)).toEqual([false, false, false, false, false, true])
})

test("a result that nobody has read yet keeps its event", async () => {
  const iterator = makeIterator(3)
  const [first, second] = [await iterator.next(), await iterator.next()]
  expect([idOf(second), idOf(first)]).toEqual(["2", "1"])
})

test("a loop that is left can be entered again", async () => {
  const iterator = makeIterator(4)
  const ids: string[] = []
  for (let round = 0; round < 4; round++) {
    for await (const one of loop(iterator)) {
      ids.push((one as { id: string }).id)
      break
    }
  }
  expect(ids).toEqual(numbers(4))
  expect(await iterator.return()).toEqual({ value: undefined, done: true })
})
