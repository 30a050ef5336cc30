import { type Case, type Context, measure, type Part, type Take } from "../part.ts"
import { pingPong, takeOf } from "./latency.ts"

const COUNT = 1_000_000
const SIZE = 64
const HOP = { size: SIZE, mode: "copy", api: "iterate", wait: "busy" } as const

/** What operators cost: between siblings, and between a node and itself through one. */
export const operatorsPart: Part = {
  name: "operators",
  about: "events of operators: from sibling to sibling, and between two nodes",
  run: (context) => measure(context, "operators", cases(context)),
}

function cases(context: Context): Case[] {
  return [
    {
      name: "TypeScript, event with an output to a sibling, 64 B",
      size: SIZE,
      unit: "ns",
      better: "lower",
      take: () => siblings(context),
    },
    {
      name: "node → TypeScript operator → node, 64 B",
      size: SIZE,
      unit: "ns",
      better: "lower",
      peer: { name: "one hop between nodes", take: () => pingPong(context, HOP) },
      take: () => throughOperator(context),
    },
  ]
}

/** Two operators of one node that hand a message to and fro. */
async function siblings(context: Context): Promise<Take> {
  const share = context.extent === "quick" ? 0.1 : 1
  const operator = (id: string, other: string, more = {}) => ({
    id,
    typescript: "../operators/turn.ts",
    inputs: { ball: `pair/${other}/ball`, ...more },
    outputs: ["ball"],
  })
  const operators = [
    operator("first", "second", { begin: "dora/timer/secs/1000" }),
    operator("second", "first"),
  ]
  const env = {
    COUNT: String(COUNT * share),
    SIZE: String(SIZE),
    PIECE_NS: String(context.cores.bestNs),
  }
  const { printed } = await context.run([{ id: "pair", operators, env }], "adaptive")
  const { ns, unshared } = printed[0] as unknown as { ns: number; unshared: number | null }
  return { value: ns, figures: unshared === null ? {} : { unshared } }
}

/** A message from a node through an operator and back: two hops and the operator. */
async function throughOperator(context: Context): Promise<Take> {
  const env = {
    SIZE: String(SIZE),
    MODE: "copy",
    API: "iterate",
    WARM_UP: "40000",
    WARM_MS: "500",
    MOST: "400000",
    FOR_MS: context.extent === "quick" ? "45" : "150",
  }
  const operator = {
    typescript: "../operators/echo.ts",
    inputs: { ping: "ping/ping" },
    outputs: ["pong"],
  }
  const nodes = [
    { id: "ping", path: "ping.ts", env, inputs: { pong: "echo/pong" }, outputs: ["ping"] },
    { id: "echo", operator },
  ]
  const { printed } = await context.run(nodes, "busy")
  return takeOf(printed[0]!)
}
