// Unmodified official nodes under our daemon and under the official one, in turns. Needs cargo and python3; the first run
// installs and builds.
//   bun bench/official.ts [--rounds 5] [--only TEXT] [--out FILE.json] [--against CHECKOUT]
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { progressOn } from "./command.ts"
import { Cores } from "./cores.ts"
import { Floors } from "./floor.ts"
import { FLOWS, Once, OFFICIAL, prepare, type Taken } from "./official-flows.ts"
import { type Case, type Context, measure } from "./part.ts"
import { RESULT_VERSION, type Result, type Row } from "./result.ts"
import { resultLines } from "./show.ts"
import { machineFacts, readTicks, runFlow } from "./support.ts"

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    /** Flows whose name has this in it. */
    only: { type: "string", default: "" },
    out: { type: "string" },
    /** Our daemon of another checkout instead of the official one. */
    against: { type: "string" },
  },
})

const rounds = Number(flags.rounds)
const progress = progressOn(process.stderr)
const notes: string[] = []
const machine = machineFacts()
const floors = new Floors(1)
const context: Context = {
  rounds,
  extent: "default",
  floors,
  cores: new Cores(),
  run: runFlow,
  // A run that is repeated for one of its figures would be out of step for the others.
  mayRepeat: () => false,
  isEnded: () => false,
  hasTime: () => true,
  progress: progress.show,
  note: (sentence) => void notes.push(sentence),
}

const programs = await prepare()
const main = (checkout: string) => join(checkout, "src/cli/main.ts")
const ours = { programs, main: main(join(import.meta.dir, "..")) }
const theirs = { programs, main: flags.against ? main(resolve(flags.against)) : OFFICIAL }
const peerName = flags.against ? "the other checkout" : "dora 1.1.0"

const start = performance.now()
const before = readTicks()
const rows: Row[] = []
for (const flow of FLOWS) {
  if (!flow.name.includes(flags.only)) continue
  const [one, other] = [new Once(() => flow.run(ours)), new Once(() => flow.run(theirs))]
  const cases = flow.figures.map((name): Case => {
    const of = (taken: Once<Taken>) => async () => (await taken.take(name))[name]!
    return {
      name: `${flow.name}, ${name}`,
      unit: "ns",
      better: "lower",
      peer: { name: peerName, take: of(other) },
      take: of(one),
    }
  })
  rows.push(...(await measure(context, "official", cases)))
}
progress.end()
const after = readTicks()
const others = (after.others - before.others) / Math.max(1, after.all - before.all)
const method = {
  rounds,
  seconds: Math.round((performance.now() - start) / 100) / 10,
  // The daemons and nodes that are measured count as others here: nothing else is to run.
  othersPercent: Math.round(others * 1000) / 10,
  floor: "none",
  interval: "95 % bootstrap of the median of paired ratios",
  nodes: "the same unmodified ones under both daemons",
}
const result: Result = { version: RESULT_VERSION, machine, method, rows, notes }
for (const line of resultLines(result, process.stdout.isTTY)) console.log(line)
if (flags.out) await Bun.write(flags.out, `${JSON.stringify(result, null, 1)}\n`)
