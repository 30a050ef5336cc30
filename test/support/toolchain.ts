import { test } from "bun:test"

/** A test by name, with its limit in milliseconds. */
export type NamedTest = (name: string, body: () => void | Promise<void>, limitMs?: number) => void

/**
 * `test` for what needs a program that a user may not have: skipped by name without it, a failure in CI.
 *
 * @param tool     what is missing, for the name: "cc", "python with pyarrow"
 * @param present  whether it is there
 * @example const withCc = needs("cc", Bun.which("cc") !== null)
 *          withCc("a C node reads the ring", async () => {})
 */
export function needs(tool: string, present: boolean): NamedTest {
  if (present) return test
  if (!process.env.CI) return (name) => test.skip(`${name} (needs ${tool})`, () => {})
  return (name) =>
    test(name, () => {
      throw new Error(`CI must have ${tool}, and it is missing`)
    })
}
