import { expect, test } from "bun:test"
import { Silence } from "./silence.ts"

test("an input is watched from its first message, told once as silent, and told as recovered", () => {
  const silence = new Silence({ a: 100 })
  expect([silence.dueNs, silence.fallen(1e9)]).toEqual([Number.POSITIVE_INFINITY, []])
  expect(silence.heard("a", () => 1000)).toBe(false)
  expect([silence.dueNs, silence.fallen(1099)]).toEqual([1100, []])
  expect(silence.fallen(1100)).toEqual(["a"])
  expect([silence.dueNs, silence.fallen(2000)]).toEqual([Number.POSITIVE_INFINITY, []])
  expect(silence.heard("a", () => 3000)).toBe(true)
  expect(silence.heard("a", () => 3050)).toBe(false)
  expect(silence.dueNs).toBe(3150)
  silence.ended("a")
  expect(silence.fallen(1e9)).toEqual([])
  expect(silence.heard("b", () => 1)).toBe(false)
})
