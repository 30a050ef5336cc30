import { join } from "node:path"
import { type Case, measure, type Part, type Take } from "../part.ts"
import { BenchmarkFailedError } from "../support.ts"

type Step = { ours: number; theirs: number; steps: Record<string, number> }

/** Arrow bytes without a transport: ours beside apache-arrow's, and single steps of ours. */
export const arrowPart: Part = {
  name: "arrow",
  about: "encoding and decoding Arrow bytes, beside apache-arrow on the same Bun",
  async run(context) {
    // One process measures all steps of a round; the first row of a round starts it.
    let round = await oneRound()
    const names = Object.keys(round.steps)
    const row = (name: string, value: () => number): Case => {
      return { name, unit: "ns", better: "lower", take: async () => ({ value: value() }) }
    }
    const both: Case = {
      ...row("encode and decode 1024 × float32", () => round.ours),
      peer: { name: "apache-arrow", take: async (): Promise<Take> => ({ value: round.theirs }) },
      take: async () => {
        round = await oneRound()
        return { value: round.ours }
      },
    }
    const steps = names.map((name) => row(name, () => round.steps[name]!))
    return measure(context, "arrow", context.extent === "full" ? [both, ...steps] : [both])
  },
}

async function oneRound(): Promise<Step> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../arrow.ts")], {
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new BenchmarkFailedError("bench/arrow.ts failed", errors)
  return JSON.parse(out) as Step
}
