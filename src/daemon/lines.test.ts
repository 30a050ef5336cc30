import { expect, test } from "bun:test"
import { LineSplitter } from "./lines.ts"

function split(chunks: (string | number[])[], limit?: number): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter((line) => lines.push(line), limit)
  for (const chunk of chunks) {
    splitter.push(
      typeof chunk === "string" ? new TextEncoder().encode(chunk) : Uint8Array.from(chunk),
    )
  }
  splitter.end()
  return lines
}

test("lines are put together from any chunks, the last one without its end too", () => {
  expect(split(["a", "b\nc", "\n\r\n", "d\r\ne"])).toEqual(["ab", "c", "", "d", "e"])
})

test("a character cut by a chunk stays whole, a wrong byte becomes U+FFFD", () => {
  expect(
    split([
      [0xe2, 0x82],
      [0xac, 10, 0xff],
    ]),
  ).toEqual(["€", "\ufffd"])
})

test("a line beyond the limit is cut and says how much is missing", () => {
  expect(split(["aaaa", "bbbb", "cc\nnext\n"], 6)).toEqual(["aaaabb … (4 bytes cut)", "next"])
})
