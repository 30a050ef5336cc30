import { describe, expect, test } from "bun:test"
import { MAX_TIMER_NS } from "../core/limits.ts"
import { parseSource } from "./source.ts"
import type { Source } from "./types.ts"

const SOURCES: [string, Source][] = [
  ["a/o", { kind: "output", node: "a", output: "o" }],
  ["a/op/o", { kind: "output", node: "a", output: "op/o" }],
  ["mod.inner/o", { kind: "output", node: "mod.inner", output: "o" }],
  ["dora/logs", { kind: "logs", level: "stdout", node: null, text: "dora/logs" }],
  ["dora/logs/", { kind: "logs", level: "stdout", node: null, text: "dora/logs/" }],
  ["dora/logs/WARN", { kind: "logs", level: "warn", node: null, text: "dora/logs/WARN" }],
  ["dora/logs/info/a", { kind: "logs", level: "info", node: "a", text: "dora/logs/info/a" }],
]

// Periods as the official tool, 1.1.0, prints them.
const PERIODS: [string, number][] = [
  ["secs/5", 5e9],
  ["secs/+5", 5e9],
  ["secs/05", 5e9],
  ["millis/100", 1e8],
  ["micros/1", 1000],
  ["nanos/1", 1],
  ["hz/30", 33_333_333],
  ["hz/60", 16_666_667],
  ["hz/7", 142_857_143],
  ["hz/0.3", 3_333_333_333],
  ["hz/.5", 2e9],
  ["hz/2e9", 1],
  ["nanos/18446744073709551615", MAX_TIMER_NS],
  ["secs/18446744073709551615", MAX_TIMER_NS],
]

// [source, where the blame starts]
const WRONG: [string, number][] = [
  ["a", 0],
  ["", 0],
  ["/o", 0],
  ["a/", 2],
  ["a/b//c", 2],
  ["a b/c", 0],
  ["a/b c", 2],
  ["dora", 0],
  ["dora/", 5],
  ["dora/time", 5],
  ["dora/timer", 0],
  ["dora/timer/secs", 0],
  ["dora/timer/hours/1", 11],
  ["dora/timer/Secs/1", 11],
  ["dora/timer/secs/0", 16],
  ["dora/timer/secs/-1", 16],
  ["dora/timer/secs/1.5", 16],
  ["dora/timer/secs/ 1", 16],
  ["dora/timer/secs/1/2", 16],
  ["dora/timer/secs/", 16],
  ["dora/timer/secs/18446744073709551616", 16],
  ["dora/timer/hz/0", 14],
  ["dora/timer/hz/-1", 14],
  ["dora/timer/hz/inf", 14],
  ["dora/timer/hz/nan", 14],
  ["dora/timer/hz/2.1e9", 14],
  ["dora/timer/hz/1e-30", 14],
  ["dora/logs/warning", 10],
  ["dora/logs/info/", 15],
  ["dora/logs/info/a/b", 15],
]

describe("the source of an input", () => {
  test.each(SOURCES)("%s", (text, source) => {
    expect(parseSource(text)).toEqual(source)
  })

  test.each(PERIODS)("dora/timer/%s ticks every %d ns", (timer, periodNs) => {
    const text = `dora/timer/${timer}`
    expect(parseSource(text)).toEqual({ kind: "timer", periodNs, text })
  })

  test.each(WRONG)("%p is wrong from character %d on", (text, at) => {
    expect(parseSource(text)).toMatchObject({ at, message: expect.any(String) })
  })
})
