// Compares what arrives on "types" with what the source of every language sends, and says what was right and what not. What
// apache-arrow has no type for is only looked at: its bytes are an Arrow stream.
import { Node, type Parameters } from "dora-bun"
import { plain } from "../../../support/arrow.ts"
import { arrays } from "./arrow-types.ts"
import { PARAMETERS, say, sayEvent } from "./say.ts"

/** Types that the other languages send and apache-arrow can't read. */
const FOREIGN = new Set(["list_view", "large_list_view", "run_end_encoded"])
/** Types that apache-arrow reads and has no builder for. */
const READ_ONLY: Record<string, unknown> = {
  map: [
    [
      ["a", 1],
      ["b", null],
    ],
    null,
    [],
  ],
  sparse_union: [1, "a", 2],
  month_day_nano: [[1, -2, 3, 0], null],
}

function text(parameters: Parameters): string {
  const known = Object.keys(PARAMETERS).map((key) => [key, parameters[key]])
  return JSON.stringify(known, (_, value) => {
    if (typeof value === "bigint" && !Number.isSafeInteger(Number(value))) return String(value)
    if (typeof value === "bigint") return Number(value)
    return value instanceof Float64Array ? Array.from(value) : value
  })
}

using node = await Node.init()
const expected = arrays()
const unseen = new Set([...expected.keys(), ...FOREIGN, ...Object.keys(READ_ONLY)])
const right: string[] = []
const wrong: string[] = []
for await (const event of node) {
  if (event.type !== "INPUT") {
    sayEvent(event)
    continue
  }
  const { parameters } = event.metadata
  const name = String(parameters.name)
  if (!unseen.delete(name)) wrong.push(`${name}: not expected`)
  else if (text(parameters) !== text(PARAMETERS)) wrong.push(`${name}: ${text(parameters)}`)
  else if (FOREIGN.has(name)) right.push(name)
  else {
    const wanted = expected.get(name)
    const type = wanted ? `${wanted.type}` : `${event.value!.type}`
    const values = JSON.stringify(plain(event.value))
    const same = values === JSON.stringify(wanted ? plain(wanted) : READ_ONLY[name])
    if (same && `${event.value!.type}` === type) right.push(name)
    else wrong.push(`${name}: ${event.value!.type} ${values}`)
  }
}
say({ right, wrong, missing: [...unseen] })
process.exitCode = wrong.length > 0 ? 1 : 0
