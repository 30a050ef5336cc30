import { expect, test } from "bun:test"
import { Patience } from "./patience.ts"

test("polls less after it was in vain, with a long try now and then, and as before once something came", () => {
  const patience = new Patience()
  const usual = patience.spinNs
  const tries = Array.from({ length: 40 }, () => {
    patience.polled(false)
    return patience.spinNs
  })
  expect(tries.slice(0, 3)).toEqual([usual, usual, usual])
  const later = tries.slice(3)
  expect(later.filter((ns) => ns > usual).length).toBeGreaterThan(2)
  expect(later.filter((ns) => ns < usual / 5).length).toBeGreaterThan(later.length * 0.8)
  patience.polled(true)
  expect(patience.spinNs).toBe(usual)
})
