import { expect, test } from "bun:test"
import { saidWhileSlow } from "./slow.ts"

test("what takes long says so until its end, and hands its value or its error on", async () => {
  for (const fails of [false, true]) {
    const said: string[] = []
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const waiting = saidWhileSlow(promise, "a build", 5, (text) => {
      if (said.push(text) < 2) return
      if (fails) reject(new Error("broken"))
      else resolve(7)
    })
    const end = await waiting.catch((error: Error) => error.message)
    expect(end).toBe(fails ? "broken" : 7)
    expect(said).toEqual(["a build goes on since 0 s", "a build goes on since 0 s"])
    await Bun.sleep(20)
    expect(said).toHaveLength(2)
  }
})

test("what is done says nothing", async () => {
  const said: string[] = []
  expect(await saidWhileSlow(Promise.resolve(1), "x", 1, (text) => said.push(text))).toBe(1)
  expect(said).toEqual([])
})
