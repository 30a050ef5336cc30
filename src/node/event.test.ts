import { describe, expect, test } from "bun:test"
import { Metadata } from "./event.ts"

describe("metadata", () => {
  test("tells the date of the stamp, to the millisecond", () => {
    for (const ms of [0, 1, 250, 500, 999]) {
      const fraction = Math.ceil((ms * 2 ** 32) / 1000)
      const { date } = new Metadata({ seconds: 1_700_000_000, fraction }, null)
      expect(date.toISOString()).toBe(`2023-11-14T22:13:20.${String(ms).padStart(3, "0")}Z`)
    }
  })

  test("has no parameters when none were sent", () => {
    expect(new Metadata({ seconds: 1, fraction: 0 }, null).parameters).toEqual({})
  })
})
