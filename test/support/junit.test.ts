import { expect, test } from "bun:test"
import { readReport } from "./junit.ts"

test("a report gives what passed, and the names of what failed and what was skipped", () => {
  const report = `<testsuites name="bun test" tests="4">
    <testsuite name="a.test.ts" file="a.test.ts">
      <testcase name="ok" classname="" file="a.test.ts" assertions="0" />
      <testcase name="needs &lt;python&gt;" classname="g" file="a.test.ts"><skipped /></testcase>
      <testcase name="bad" classname="" file="a.test.ts">
        <failure type="AssertionError" message="x &gt; y">at a.test.ts</failure>
      </testcase>
      <testcase name="slow" classname="" file="a.test.ts"><error message="timeout"/></testcase>
    </testsuite></testsuites>`
  expect(readReport(report)).toEqual({
    passed: 1,
    failed: ["a.test.ts: bad", "a.test.ts: slow"],
    skipped: ["a.test.ts: g > needs <python>"],
  })
})
