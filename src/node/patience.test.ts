import { expect, test } from "bun:test"
import { Patience } from "./patience.ts"

const US = 1000

test("a spin is shorter after it was in vain, with a long try now and then, and as before once something came", () => {
  const patience = new Patience()
  const usual = patience.spinNs
  const tries = Array.from({ length: 40 }, () => {
    patience.spun(false)
    return patience.spinNs
  })
  expect(tries.slice(0, 3)).toEqual([usual, usual, usual])
  const later = tries.slice(3)
  expect(later.filter((ns) => ns > usual).length).toBeGreaterThan(2)
  expect(later.filter((ns) => ns < usual / 5).length).toBeGreaterThan(later.length * 0.8)
  patience.spun(true)
  expect(patience.spinNs).toBe(usual)
})

test("there are no rounds where messages come long after each other, and again once one comes soon", () => {
  const patience = new Patience()
  const usual = patience.roundsNs
  const after = (ns: number, times: number) => {
    for (let i = 0; i < times; i++) patience.waited(ns)
    return patience.roundsNs
  }
  expect(usual).toBeGreaterThan(100 * US)
  expect([after(1000 * US, 7), after(1000 * US, 1), after(1000 * US, 100)]).toEqual([usual, 0, 0])
  // A neighbour that had to be woken: it may be awake next time.
  expect(after(250 * US, 1)).toBe(usual)
  expect(after(1000 * US, 7)).toBe(usual)
})
