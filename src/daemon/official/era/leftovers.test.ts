import { afterEach, expect, test } from "bun:test"
import { closeSync, existsSync, openSync, rmSync } from "node:fs"
import { Leftovers } from "./leftovers.ts"

const made = new Set<string>()
afterEach(() => {
  for (const path of made) rmSync(path, { force: true })
  made.clear()
})

function sample(kind: "shmem" | "zenoh" = "shmem"): { path: string; fd: number } {
  const id = crypto.randomUUID().slice(0, 8).toUpperCase()
  const path = kind === "shmem" ? `/dev/shm/shmem_${id}` : `/dev/shm/${Number(`0x${id}`)}.zenoh`
  made.add(path)
  return { path, fd: openSync(path, "w") }
}

test("memory of a killed node is removed, that of the living and what is older stays", () => {
  const old = sample()
  closeSync(old.fd)
  Bun.sleepSync(100)
  const since = Date.now() - 50
  const [dead, alive] = [sample(), sample()]
  closeSync(dead.fd)
  new Leftovers().died(since, false, [])
  expect([old, dead, alive].map(({ path }) => existsSync(path))).toEqual([true, false, true])
  closeSync(alive.fd)
})

test("what others may have named in messages is removed once those are read", () => {
  const since = Date.now() - 50
  const left = sample()
  closeSync(left.fd)
  const leftovers = new Leftovers()
  const others = [{}, {}]
  leftovers.died(since, false, others)
  for (const other of others) {
    expect([existsSync(left.path), leftovers.any]).toEqual([true, true])
    leftovers.read(other)
  }
  expect([existsSync(left.path), leftovers.any]).toEqual([false, false])
})

test("a node that took its leave has removed its own; what is left of it goes at the end", () => {
  const since = Date.now() - 50
  const left = sample()
  closeSync(left.fd)
  const leftovers = new Leftovers()
  leftovers.died(since, true, [])
  expect(existsSync(left.path)).toBe(true)
  leftovers.finish()
  expect(existsSync(left.path)).toBe(false)
})

test("memory of a killed node's zenoh session goes at the end, that of the living and what is older stays", () => {
  const old = sample("zenoh")
  closeSync(old.fd)
  Bun.sleepSync(100)
  const leftovers = new Leftovers()
  // The clock of files is a few milliseconds behind.
  Bun.sleepSync(20)
  const [dead, alive] = [sample("zenoh"), sample("zenoh")]
  closeSync(dead.fd)
  leftovers.died(Date.now() - 50, false, [])
  expect(existsSync(dead.path)).toBe(true)
  leftovers.finish()
  expect([old, dead, alive].map(({ path }) => existsSync(path))).toEqual([true, false, true])
  closeSync(alive.fd)
})
