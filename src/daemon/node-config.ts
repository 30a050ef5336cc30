import { MAX_ENV_BYTES } from "../core/limits.ts"
import type { Dataflow, InputSpec, NodeSpec, Source } from "../descriptor/types.ts"
import { CONFIG_VARIABLE, encodeNodeConfig, type InputConfig } from "../wire/config.ts"

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
 * @param restartCount  how often the node was started again
 */
export function nodeConfigText(
  dataflow: string,
  flow: Dataflow,
  node: NodeSpec,
  address: string,
  restartCount = 0,
): string {
  const config = {
    dataflow_id: dataflow,
    node_id: node.id,
    run_config: {
      inputs: Object.fromEntries(node.inputs.map((input) => [input.id, inputConfig(input)])),
      outputs: node.outputs.map((output) => output.id),
    },
    daemon_communication: { Tcp: { socket_addr: address } },
    dataflow_descriptor: flow.json,
    dynamic: false,
    write_events_to: null,
    restart_count: restartCount,
    // Or an official node would publish on zenoh, where nobody of ours listens.
    output_routing: Object.fromEntries(
      node.outputs.map(({ id }) => [id, { daemon_only: true, required_ackers: [] }]),
    ),
  }
  const text = encodeNodeConfig(config)
  const bytes = CONFIG_VARIABLE.length + Buffer.byteLength(text) + 2
  return bytes <= MAX_ENV_BYTES ? text : encodeNodeConfig({ ...config, dataflow_descriptor: null })
}

function inputConfig({ source, queueSize, queuePolicy, inputTimeout }: InputSpec): InputConfig {
  return {
    source: sourceText(source),
    queue_size: queuePolicy === "backpressure" ? Math.max(queueSize, HOARD) : queueSize,
    queue_policy: queuePolicy,
    ...(inputTimeout === null ? {} : { input_timeout: inputTimeout }),
  }
}

function sourceText(source: Source): string {
  return source.kind === "output" ? `${source.node}/${source.output}` : source.text
}
