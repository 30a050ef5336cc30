import { describe, expect, test } from "bun:test"
import { splitWords } from "./words.ts"

// Each tried with the official tool, 1.1.0.
const LINES: [string, string[]][] = [
  ["", []],
  ["  a  b\tc\n", ["a", "b", "c"]],
  ["'b c' \"d e\"", ["b c", "d e"]],
  ["f\\ g", ["f g"]],
  ["'a'\"b\"c", ["abc"]],
  ["'' \"\"", ["", ""]],
  ['"x\\"y\\$z\\q"', ['x"y$z\\q']],
  ["'a\\'", ["a\\"]],
  ["end\\n", ["endn"]],
  ["next \\\ncont", ["next", "cont"]],
  ["con\\\ntinued", ["continued"]],
  ["'multi\nline'", ["multi\nline"]],
  ["$HOME ~ *", ["$HOME", "~", "*"]],
  ["a # the rest\nb a#b", ["a", "b", "a#b"]],
]
const OPEN: [string, number][] = [
  ["'a", 0],
  ['a"', 1],
  ['one "a \\"', 4],
  ["a \\", 2],
]

describe("a command line", () => {
  test.each(LINES)("%j has the words %j", (line, words) => {
    expect(splitWords(line)).toEqual({ words })
  })

  test.each(OPEN)("%j has an open quote at %d", (line, openAt) => {
    expect(splitWords(line)).toEqual({ openAt })
  })
})
