// The page of a result: whole, on its own, and drawn by a real browser.
import { expect, test } from "bun:test"
import { resultPage } from "../../bench/html.ts"
import { chromium, dump } from "../support/chromium.ts"
import { folder } from "../support/dora.ts"
import { needs } from "../support/toolchain.ts"
import { resultOf, rowOf } from "./suite-results.ts"

const ROUNDS = [240, 241, 239, 240, 242]
const RESULT = resultOf(
  rowOf(ROUNDS),
  rowOf(ROUNDS, { name: "4 KB copied, recv()", size: 4096 }),
  rowOf(ROUNDS, { name: "4 KB <b>loaned</b>, recv()", size: 4096, noisy: true, why: "a & b" }),
  rowOf(ROUNDS, {
    part: "idle",
    name: "10 parked nodes",
    unit: "%",
    cdf: undefined,
    ratio: undefined,
  }),
)

test("a page needs nothing from anywhere, and runs no script", () => {
  const page = resultPage(RESULT)
  expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(|https?:/)
})

test("a page bears names as they are", () => {
  const page = resultPage(RESULT)
  expect(page).toContain("4 KB &lt;b&gt;loaned&lt;/b&gt;, recv()")
  expect(page).toContain("a &amp; b")
  expect(page).not.toContain("<b>loaned")
})

test("a page of no rows is a page", () => {
  expect(resultPage(resultOf())).toContain("Machine and method")
})

needs("chromium", chromium !== null)(
  "a browser draws the pictures and every row",
  async () => {
    // The page measures its own pictures, so that what a browser can't draw shows.
    const probe = `<script>
      const drawn = [...document.querySelectorAll("svg")].map((svg) => {
        const { width, height } = svg.getBoundingClientRect()
        const inside = [...svg.querySelectorAll("circle")].every((dot) => {
          const { x, y } = dot.getBoundingClientRect()
          const frame = svg.getBoundingClientRect()
          return x >= frame.x && y >= frame.y && x <= frame.right && y <= frame.bottom
        })
        return width > 300 && height > 60 && inside && svg.querySelector("circle") !== null
      })
      document.body.append("PROBE " + JSON.stringify({ drawn, rows: document.querySelectorAll("tbody tr").length }))
    </script>`
    using place = folder({ "page.html": resultPage(RESULT).replace("</body>", `${probe}</body>`) })
    const text = await dump(`file://${place.path}/page.html`)
    const found = /PROBE (\{"drawn.*\})/.exec(text)
    expect(JSON.parse(found?.[1] ?? "null")).toEqual({ drawn: [true, true, true], rows: 4 })
  },
  90_000,
)
