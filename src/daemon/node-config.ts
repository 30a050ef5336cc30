import { join, resolve } from "node:path"
import { MAX_ENV_BYTES } from "../core/limits.ts"
import type { Dataflow, InputSpec, NodeSpec, Source } from "../descriptor/types.ts"
import {
  CONFIG_VARIABLE,
  encodeNodeConfig,
  type InputConfig,
  type NodeConfig,
} from "../wire/config.ts"
import { END_OUTPUT } from "../wire/relay.ts"
import { isPython, isSibling } from "./operators.ts"

/**
 * An official node takes what it is given as soon as it can, whatever its program does, and with `backpressure` throws away
 * what is more than ten times its queue. It is told of a queue in which a burst has room.
 */
const HOARD = 10_000

/**
 * The value of DORA_NODE_CONFIG for a node. A descriptor that would not fit into one variable is left out: no node
 * needs it to run.
 *
 * @param address       host:port of the daemon
 * @param official      the node may be one of dora's own library
 * @param restartCount  how often the node was started again
 */
export function nodeConfigText(
  dataflow: string,
  flow: Dataflow,
  node: NodeSpec,
  address: string,
  official: boolean,
  restartCount = 0,
): string {
  const made = nodeConfig(dataflow, flow, node, address, official)
  const config = { ...made, restart_count: restartCount }
  const text = encodeNodeConfig(config)
  const bytes = CONFIG_VARIABLE.length + Buffer.byteLength(text) + 2
  return bytes <= MAX_ENV_BYTES ? text : encodeNodeConfig({ ...config, dataflow_descriptor: null })
}

/** What a node is told at its start; a node that is started by hand asks for it. */
export function nodeConfig(
  dataflow: string,
  flow: Dataflow,
  node: NodeSpec,
  address: string,
  official = true,
): NodeConfig {
  const python = isPython(node)
  const inputs = node.inputs.filter((input) => !python || !isSibling(node, input))
  const ends = python ? node.operators.map(({ id }) => END_OUTPUT + id) : []
  const outputs = [...node.outputs.map(({ id }) => id), ...ends]
  return {
    dataflow_id: dataflow,
    node_id: node.id,
    run_config: {
      inputs: Object.fromEntries(inputs.map((input) => [input.id, inputConfig(input, official)])),
      outputs,
    },
    daemon_communication: { Tcp: { socket_addr: address } },
    dataflow_descriptor: flow.json,
    dynamic: node.dynamic,
    write_events_to: eventsFile(node),
    restart_count: 0,
    // Or an official node would publish on zenoh, where nobody of ours listens.
    output_routing: Object.fromEntries(
      outputs.map((id) => [id, { daemon_only: true, required_ackers: [] }]),
    ),
  }
}

/** Where an official node records its inputs, when the caller of the dataflow asks for that. */
function eventsFile(node: NodeSpec): string | null {
  const directory = process.env.DORA_WRITE_EVENTS_TO
  return directory ? join(resolve(directory), `inputs-${node.id}.json`) : null
}

function inputConfig(input: InputSpec, official: boolean): InputConfig {
  const { source, queueSize, queuePolicy, inputTimeout } = input
  const hoards = official && queuePolicy === "backpressure"
  return {
    source: sourceText(source),
    queue_size: hoards ? Math.max(queueSize, HOARD) : queueSize,
    queue_policy: queuePolicy,
    ...(inputTimeout === null ? {} : { input_timeout: inputTimeout }),
  }
}

function sourceText(source: Source): string {
  if (source.kind === "output") return `${source.node}/${source.output}`
  return source.kind === "timer" ? timerText(source.periodNs) : source.text
}

/** In the coarsest unit that says it exactly, as the official daemon does; dora 0.x knows the first two. */
function timerText(periodNs: number): string {
  const [unit, ns] = TIMER_UNITS.find(([, unitNs]) => periodNs % unitNs === 0)!
  return `dora/timer/${unit}/${periodNs / ns}`
}

const TIMER_UNITS = [
  ["secs", 1e9],
  ["millis", 1e6],
  ["micros", 1e3],
  ["nanos", 1],
] as const
