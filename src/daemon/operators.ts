// The operators of a node, as the daemon sees them: one process of ours that runs them all, and says in its memory whose
// code it is running.
import { WASM_CALL_MS, WATCHDOG_MS, WATCHDOG_WARN_MS } from "../core/limits.ts"
import type { OperatorKind } from "../core/operator.ts"
import type { InputSpec, NodeSpec, OperatorSpec } from "../descriptor/types.ts"
import {
  CALL_BITS,
  CALL_DROP,
  CALL_EVENT,
  CALL_INIT,
  CALL_WORD,
  CALLS_WORD,
} from "../shm/layout.ts"
import type { NodePlan } from "../shm/plan.ts"

/** Does an input come from an operator of the same process? */
export function isSibling(spec: NodeSpec, { source }: InputSpec): boolean {
  return spec.operators.length > 0 && source.kind === "output" && source.node === spec.id
}

/** Does Python host the operators of a node? Then all of them. */
export function isPython({ operators }: NodeSpec): boolean {
  return operators[0]?.kind === "python"
}

/** What a runtime is told about its operators; nothing for other nodes. */
export function operatorPlans(
  spec: NodeSpec,
  hotReload = false,
): Pick<NodePlan, "operators" | "hotReload"> {
  if (spec.operators.length === 0) return {}
  return {
    hotReload,
    operators: spec.operators.map(({ id, kind, path, threads, position }) => {
      const { file, line, column } = position
      return { id, kind, path, threads, place: `${file}:${line}:${column}` }
    }),
  }
}

/** A call of an operator that has begun and not ended. */
export type OpenCall = { operator: OperatorSpec; symbol: string }

/** Whose code a runtime is running, or was when it died; null: its own. */
export function openCall(spec: NodeSpec, words: Int32Array): OpenCall | null {
  const word = words[CALL_WORD]!
  const operator = spec.operators[(word >> CALL_BITS) - 1]
  return operator ? { operator, symbol: symbolOf(operator, word & ((1 << CALL_BITS) - 1)) } : null
}

const LIBRARY = {
  [CALL_INIT]: "dora_init_operator",
  [CALL_EVENT]: "dora_on_event",
  [CALL_DROP]: "dora_drop_operator",
}
const SYMBOLS: Record<OperatorKind, Record<number, string>> = {
  module: { [CALL_INIT]: "the constructor", [CALL_EVENT]: "onEvent", [CALL_DROP]: "drop" },
  python: { [CALL_INIT]: "__init__", [CALL_EVENT]: "on_event", [CALL_DROP]: "__del__" },
  "shared-library": LIBRARY,
  wasm: LIBRARY,
}

function symbolOf({ kind }: OperatorSpec, step: number): string {
  return SYMBOLS[kind][step] ?? "the loading"
}

/** Python operators often load a model when they are made, which takes as long as it takes. */
export function isLoading({ spec, words }: Pick<WatchedNode, "spec" | "words">): boolean {
  return isPython(spec) && openCall(spec, words) !== null
}

/** @example describeCall("rt", call) // "`dora_on_event` of operator `rt/op` (/flows/libop.so)" */
export function describeCall(node: string, { operator, symbol }: OpenCall): string {
  const name = symbol.startsWith("the ") ? symbol : `\`${symbol}\``
  return `${name} of operator \`${node}/${operator.id}\` (${operator.path})`
}

/** A node that may run operators. */
export interface WatchedNode {
  readonly id: string
  readonly spec: NodeSpec
  readonly alive: boolean
  readonly words: Int32Array
  kill(waitMs?: number): void
}

type Seen = { word: number; calls: number; sinceMs: number; warned: boolean }

/**
 * Tells which operator does not return from a call, and ends the node when it is a WebAssembly one: nothing else can stop its
 * code.
 */
export class Watchdog implements Disposable {
  readonly #nodes: readonly WatchedNode[]
  readonly #say: (level: "warn" | "error", message: string) => void
  readonly #seen = new Map<string, Seen>()
  readonly #timer: Timer | null

  constructor(
    nodes: readonly WatchedNode[],
    say: (level: "warn" | "error", message: string) => void,
  ) {
    this.#nodes = nodes.filter(({ spec }) => spec.operators.length > 0)
    this.#say = say
    this.#timer = this.#nodes.length > 0 ? setInterval(() => this.#look(), WATCHDOG_MS) : null
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearInterval(this.#timer)
  }

  #look(): void {
    for (const node of this.#nodes) if (node.alive) this.#lookAt(node, performance.now())
  }

  #lookAt(node: WatchedNode, nowMs: number): void {
    const word = node.words[CALL_WORD]!
    const calls = node.words[CALLS_WORD]!
    const seen = this.#seen.get(node.id)
    if (word === 0 || seen?.word !== word || seen.calls !== calls) {
      this.#seen.set(node.id, { word, calls, sinceMs: nowMs, warned: false })
      return
    }
    const call = openCall(node.spec, node.words)
    if (call === null) return
    const lasted = nowMs - seen.sinceMs
    const what = describeCall(node.id, call)
    if (lasted >= WATCHDOG_WARN_MS && !seen.warned) {
      seen.warned = true
      this.#say("warn", `node ${node.id} has been in ${what} for ${Math.round(lasted / 1000)} s`)
    }
    if (lasted < WASM_CALL_MS || call.operator.kind !== "wasm") return
    this.#say(
      "error",
      `${what} did not return within ${WASM_CALL_MS / 1000} s: node ${node.id} is killed`,
    )
    node.kill()
  }
}
