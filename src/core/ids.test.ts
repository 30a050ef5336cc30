import { jscDescribe } from "bun:jsc"
import { expect, test } from "bun:test"
import { interned } from "./ids.ts"

test.each(["image", "op/out", "7", "", "длинное имя"])(
  "%p is kept as the names of a program are",
  (name) => {
    const read = JSON.parse(JSON.stringify(`${name} and more`)).slice(0, name.length)
    expect(interned(read)).toBe(name)
    expect(jscDescribe(interned(read))).toContain("(atomic)")
  },
)
