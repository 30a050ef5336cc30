import { expect, test } from "bun:test"
import type { LogRecord } from "../core/log.ts"
import { wantsColor } from "./color.ts"
import { logLines } from "./log-line.ts"

const record: LogRecord = {
  ts: new Date(2026, 0, 2, 3, 4, 5).toISOString(),
  level: "info",
  node: "camera",
  stream: "stderr",
  msg: "started",
  fields: { hz: "30" },
}

test("a pretty line has local time, level, node, text and fields", () => {
  expect(logLines("pretty", false)(record)).toBe("03:04:05 INFO   camera: started hz=30")
  expect(logLines("pretty", false)({ ...record, node: null, level: "stdout" })).toBe(
    "03:04:05 STDOUT [dora] started hz=30",
  )
})

test("a compact line leaves out time and level, a JSON line is the record itself", () => {
  expect(logLines("compact", false)(record)).toBe("camera: started hz=30")
  expect(JSON.parse(logLines("json", true)(record))).toEqual(record)
})

test("an operator's line carries its name", () => {
  const line = (target: string) => logLines("compact", false)({ ...record, target })
  expect(line("camera/sobel")).toBe("camera/sobel: started hz=30")
  expect(line("my_crate::camera")).toBe("camera: started hz=30")
})

test("each node keeps a colour of its own, and without colour a node's codes are removed", () => {
  const line = logLines("compact", true)
  const [a, b, again] = [line(record), line({ ...record, node: "plot" }), line(record)]
  expect(a).toBe(again)
  expect(a.slice(0, 5)).not.toBe(b.slice(0, 5))
  const plain = logLines("compact", false)({ ...record, msg: "\x1b[31mred\x1b[0m", fields: null })
  expect(plain).toBe("camera: red")
})

test("colour is for people, unless the environment says otherwise", () => {
  expect(wantsColor({ isTTY: true }, {})).toBe(true)
  expect(wantsColor({ isTTY: false }, {})).toBe(false)
  expect(wantsColor({ isTTY: true }, { NO_COLOR: "1" })).toBe(false)
  expect(wantsColor({ isTTY: true }, { TERM: "dumb" })).toBe(false)
  expect(wantsColor({}, { FORCE_COLOR: "1" })).toBe(true)
  expect(wantsColor({ isTTY: true }, { FORCE_COLOR: "0" })).toBe(false)
})
