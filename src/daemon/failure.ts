// Why a start failed, and who is to blame when several nodes have.
import { DoraError } from "../core/errors.ts"
import type { Dataflow, NodeSpec } from "../descriptor/types.ts"
import type { Exit } from "./spawn.ts"
import type { NodeCause, NodeResult } from "./types.ts"

/** What is known of a failure beside its traces, and the remedy. */
export type Trouble = { what: string; fix: string }

/** What official nodes of the protocol that we speak are installed by, as pip takes it. */
export const WHEEL = "dora-rs==1.1.0"

/** Lines of stderr in the message of an error; the result has more of them. */
const TAIL_LINES = 10

/** A node ended before every node had subscribed, so the dataflow was not started. */
export class NodeExitedEarlyError extends DoraError {
  readonly result: NodeResult

  /** @param trouble  what else is known of it */
  constructor(node: NodeSpec, result: NodeResult, trouble: Trouble | null = null) {
    const why = evidence(result.command, result.stderrTail)
    super("NODE_EXITED_EARLY", {
      what: `node ${node.id} ${howItEnded(result)} before the dataflow had started`,
      where: placeOf(node),
      why: trouble ? `${trouble.what}\n       ${why}` : why,
      fix: trouble?.fix ?? whatToDo(node),
    })
    this.result = result
  }
}

function whatToDo(node: NodeSpec): string {
  return node.operators.length > 0
    ? "the lines above say which operator it is about"
    : "a node must call `Node.init()` and stay until all others have done so"
}

/** A node did not subscribe in time, so the dataflow was not started. */
export class StartupTimeoutError extends DoraError {
  readonly nodes: string[]

  constructor(node: NodeSpec, nodes: string[], seconds: number, command: string[], tail: string[]) {
    const others = nodes.filter((id) => id !== node.id)
    super("STARTUP_TIMEOUT", {
      what:
        `node ${node.id} did not subscribe within ${seconds} s` +
        (others.length > 0 ? `, nor did ${others.join(", ")}` : ""),
      where: placeOf(node),
      why: evidence(command, tail),
      fix: "a node must call `Node.init()` soon after its start",
    })
    this.nodes = nodes
  }
}

/** A node was built for another dora, whose protocol is not ours. */
export class OldNodeError extends DoraError {
  constructor(node: NodeSpec, version: string, command: readonly string[]) {
    const [program = node.path] = command
    const isPython = node.path.endsWith(".py") || node.operators[0]?.kind === "python"
    super("NODE_OF_OLDER_DORA", {
      what: `node ${node.id} speaks the node protocol of an older dora (it says ${version}); dora 1.1 is needed`,
      where: placeOf(node),
      fix: isPython
        ? `\`${program} -m pip install ${WHEEL}\``
        : "build it against version 1.1 of dora-node-api",
    })
  }
}

/** A script started an official node: its place in memory is that of a node of ours. */
export class HiddenOfficialNodeError extends DoraError {
  constructor(node: NodeSpec) {
    super("OFFICIAL_NODE_IN_SCRIPT", {
      what: `node ${node.id} is a script for Bun, and takes part as an official node`,
      where: placeOf(node),
      fix: "name the official program itself as `path`, or use the Node of dora-bun in the script",
    })
  }
}

/** The start was given up by the caller. */
export class StartAbortedError extends DoraError {
  constructor(reason: unknown) {
    super("START_ABORTED", {
      what: "the start of the dataflow was given up",
      why: typeof reason === "string" ? reason : undefined,
    })
  }
}

/** What the other nodes are told of one that ended before it had subscribed, in the words of the official daemon. */
export function farewell(node: string, dataflow: string): string {
  const logs = `dora logs ${dataflow} --node ${node}`
  return `Node ${node} exited before initializing dora. For more information, run \`${logs}\`.`
}

/** Where a node is written down. */
export function placeOf({ position: { file, line, column } }: NodeSpec): string {
  return `${file}:${line}:${column}`
}

/** What is known about the end of a node when it is judged. */
export type Circumstances = {
  /** It had been let past the start barrier. */
  started: boolean
  /** We signalled its process because it did not heed a stop: of the dataflow, or of itself when it had nothing to do any more. */
  forced: "stop" | "finish" | null
  /** A node whose failure explains this one. */
  blamed: string | null
}

/** Was that a good end, and what was its cause? */
export function judge(exit: Exit, circumstances: Circumstances): { ok: boolean; cause: NodeCause } {
  if (exit.code === null && exit.signal === null) return { ok: false, cause: "stuck" }
  // A stop that was asked for is no failure, whatever it took.
  // Who ends at SIGTERM is well-behaved, as with the official daemon.
  if (circumstances.forced)
    return { ok: circumstances.forced === "stop" || terminated(exit), cause: "grace" }
  if (exit.code === 0 && circumstances.started) return { ok: true, cause: "exit" }
  if (circumstances.blamed !== null) return { ok: false, cause: "cascade" }
  if (!circumstances.started) return { ok: false, cause: "startup" }
  return { ok: false, cause: exit.signal === null ? "exit" : "signal" }
}

function terminated({ code, signal }: Exit): boolean {
  return signal === "SIGTERM" || [0, 128 + 2, 128 + 15].includes(code ?? -1)
}

/**
 * The failed node that a node gets data from, directly or through others; the nearest one, or null.
 *
 * @example failedSource(flow, "plot", new Set(["camera"])) // "camera"
 */
export function failedSource(
  flow: Dataflow,
  node: string,
  failed: ReadonlySet<string>,
): string | null {
  const seen = new Set([node])
  let layer = [node]
  while (layer.length > 0) {
    const sources = flow.nodes
      .filter((spec) => layer.includes(spec.id))
      .flatMap((spec) => spec.inputs)
      .flatMap(({ source }) => (source.kind === "output" ? [source.node] : []))
    layer = [...new Set(sources)].filter((id) => !seen.has(id))
    const found = layer.find((id) => failed.has(id))
    if (found !== undefined) return found
    for (const id of layer) seen.add(id)
  }
  return null
}

/** The end of a node as the rest of a sentence: `exited with code 3`. */
export function howItEnded({
  exitCode,
  signal,
  during,
}: Pick<NodeResult, "exitCode" | "signal" | "during">): string {
  const where = during === undefined ? "" : ` in ${during}`
  if (signal !== null) return `was killed by ${signal}${where}`
  return exitCode === null ? "could not be ended" : `exited with code ${exitCode}${where}`
}

function evidence(command: string[], tail: readonly string[]): string {
  const lines = [`command: ${command.join(" ")}`]
  if (tail.length > 0) lines.push("stderr:", ...tail.slice(-TAIL_LINES).map((line) => `  ${line}`))
  return lines.join("\n       ")
}
