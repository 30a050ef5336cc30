// What nodes say about the types of their messages: read, and compared along the edges. It is advice, unless the file has
// `strict_types: true`; messages are not looked at.
import { dataIdProblem } from "../core/ids.ts"
import type { NodeDraft } from "./node.ts"
import { type Hint, type Problems, type Span, quote } from "./problems.ts"
import { didYouMean, lastEntries, readMap, readText } from "./read.ts"
import type { YamlNode } from "./yaml.ts"

const PREFIXES = {
  "std/core/v1":
    "Float32 Float64 Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 String Bytes Bool",
  "std/math/v1": "Vector3 Quaternion Pose Transform",
  "std/control/v1": "Twist JointState Odometry",
  "std/media/v1": "Image CompressedImage PointCloud AudioFrame",
  "std/vision/v1": "BoundingBox Detection Segmentation",
}
const SHIPPED = new Set(
  Object.entries(PREFIXES).flatMap(([prefix, names]) =>
    names.split(" ").map((name) => `${prefix}/${name}`),
  ),
)
const BYTES = "std/core/v1/Bytes"
const TICK = "std/core/v1/UInt64"
const WIDENINGS: TypeRule[] = [
  ["UInt8", "UInt32"],
  ["UInt32", "UInt64"],
  ["Int32", "Int64"],
  ["Float32", "Float64"],
].map(([from, to]) => ({ from: `std/core/v1/${from}`, to: `std/core/v1/${to}` }))
/** Rules that may follow on one another. */
const MAX_STEPS = 3

/** A conversion that the file allows. */
export type TypeRule = { from: string; to: string }
/** The type of one input or output. */
export type TypeNote = { type: string; key: Span; at: Span }
/** By input and output, as the dataflow knows them. */
export type TypeNotes = { inputs: Map<string, TypeNote>; outputs: Map<string, TypeNote> }

/** How the notes of a file are judged. */
export type TypeCheck = {
  strict: boolean
  rules: readonly TypeRule[]
  /** Is there a file of types with this prefix, as `robot/v1`? */
  isOwn: (prefix: string) => boolean
}

/**
 * Reads `output_types` and `input_types`.
 *
 * @param field   the value of a field, null when absent
 * @param prefix  of the names, for an operator: "op/"
 */
export function readTypes(
  problems: Problems,
  field: (key: string) => YamlNode | null,
  prefix = "",
): TypeNotes {
  const read = (key: string) => {
    const value = field(key)
    const map = value && readMap(problems, value, key)
    const notes = new Map<string, TypeNote>()
    for (const entry of map ? lastEntries(problems, map, "key") : []) {
      const bad = dataIdProblem(entry.key.text)
      if (bad) problems.error("BAD_ID", entry.key, bad)
      const type = readText(problems, entry.value, `${key}.${entry.key.text}`)
      if (type === null || bad) continue
      notes.set(prefix + entry.key.text, { type, key: entry.key, at: entry.value })
    }
    return notes
  }
  return { outputs: read("output_types"), inputs: read("input_types") }
}

/** Compares what the nodes say. */
export function checkTypes(
  problems: Problems,
  nodes: readonly NodeDraft[],
  check: TypeCheck,
): void {
  const say = (at: Span, node: NodeDraft, text: string, hint: Hint = null) => {
    const message = `node "${node.id ?? "?"}": ${text}`
    if (check.strict) problems.error("TYPE_MISMATCH", at, message, hint)
    else problems.warn("TYPE_MISMATCH", at, message, hint)
  }
  const steps = Map.groupBy([...WIDENINGS, ...check.rules], ({ from }) => from)
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const node of nodes) {
    const inputs = new Set(node.inputs.map(({ spec }) => spec.id))
    checkNames(node.types.outputs, node.outputs, "output", check, (at, text, hint) =>
      say(at, node, text, hint),
    )
    checkNames(node.types.inputs, inputs, "input", check, (at, text, hint) =>
      say(at, node, text, hint),
    )
    for (const { spec } of node.inputs) {
      const wanted = node.types.inputs.get(spec.id)
      const { source } = spec
      if (!wanted || source.kind === "logs") continue
      const sender = source.kind === "output" ? byId.get(source.node) : undefined
      const given = source.kind === "output" ? sender?.types.outputs.get(source.output)?.type : TICK
      const name = source.kind === "output" ? `${source.node}/${source.output}` : "timer"
      if (given === undefined) {
        const text = `input "${spec.id}" expects type "${wanted.type}" but upstream ${name} has no type annotation`
        if (check.strict) say(wanted.at, node, text)
      } else if (!fits(given, wanted.type, steps)) {
        const from =
          source.kind === "timer"
            ? `timer provides "${given}"`
            : `upstream ${name} declares "${given}"`
        const text = `type mismatch on input "${spec.id}": ${from}, but expected "${wanted.type}"`
        say(wanted.at, node, text)
      }
    }
  }
}

function checkNames(
  notes: ReadonlyMap<string, TypeNote>,
  names: ReadonlySet<string> | ReadonlyMap<string, unknown>,
  what: "output" | "input",
  { isOwn }: TypeCheck,
  say: (at: Span, text: string, hint: Hint) => void,
): void {
  for (const [name, { type, key, at }] of notes) {
    if (!names.has(name)) {
      say(key, `${what}_types key "${name}" not found in ${what}s list`, null)
      continue
    }
    const base = baseOf(type)
    if (SHIPPED.has(base) || isOwn(base.slice(0, Math.max(0, base.lastIndexOf("/"))))) continue
    const long = [...SHIPPED].find((known) => known.endsWith(`/${base}`))
    const hint = () => (long ? `did you mean ${quote(long)}?` : didYouMean(base, SHIPPED))
    say(at, `unknown type "${type}" on ${what} "${name}"`, hint)
  }
}

type Steps = ReadonlyMap<string, readonly TypeRule[]>

/** May a message of one type go where another is expected? */
function fits(given: string, wanted: string, steps: Steps): boolean {
  const [from, to] = [baseOf(given), baseOf(wanted)]
  if (from === to || to === BYTES) return true
  let reached = new Set([from])
  for (let step = 0; step < MAX_STEPS; step++) {
    reached = new Set([...reached].flatMap((at) => steps.get(at) ?? []).map(({ to }) => to))
    if (reached.has(to)) return true
  }
  return false
}

/** Without its parameters. */
function baseOf(type: string): string {
  const at = type.indexOf("[")
  return at < 0 ? type : type.slice(0, at)
}
