// What is known about a model: a list of systems, each with the verdict that the checker must come to.
import { explore, type Result, type System } from "./mc.ts"

/** One system and what must come out. A system that fails must fail for the reason given. */
export type Verdict = { name: string; because: string | null; explore: () => Result }

/**
 * The corrected protocol: must hold.
 *
 * @example holds("2 slots, one death of each end", ring({ slots: 2, crashes: [1, 1] }))
 */
export function holds<T extends object>(name: string, system: System<T>): Verdict {
  return { name, because: null, explore: () => explore(system) }
}

/** A wrong variant: must fail, with `because` in the sentence, so that a model which goes blind is noticed. */
export function fails<T extends object>(name: string, because: string, system: System<T>): Verdict {
  return { name, because, explore: () => explore(system) }
}

/**
 * Explores one system and prints a line.
 *
 * @throws Error  when the verdict isn't the expected one; with the shortest counterexample, if there is one
 */
export function judge(verdict: Verdict): void {
  const { states, steps, ms, failure } = verdict.explore()
  const outcome = failure ? "fails" : "holds"
  const size = `${states} states, ${steps} steps, ${(ms / 1000).toFixed(1)} s`
  console.log(`${outcome}  ${verdict.name}: ${size}`)
  const { because } = verdict
  if (failure ? because !== null && failure.why.includes(because) : because === null) return
  const expected = because === null ? "it to hold" : `it to fail because "${because}"`
  const seen = failure ? [failure.why, ...failure.trace.map((step) => `  ${step}`)] : ["it holds"]
  throw new Error([`${verdict.name}: expected ${expected}`, ...seen].join("\n"))
}
