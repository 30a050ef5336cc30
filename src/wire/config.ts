// The node configuration: YAML text in DORA_NODE_CONFIG. Sections 1.2 to 1.4 of the protocol reference.
import { DoraError } from "../core/errors.ts"
import { nodeIdProblem } from "../core/ids.ts"
import type { QueuePolicy } from "../core/policy.ts"

/** Environment variable that carries a {@link NodeConfig}. */
export const CONFIG_VARIABLE = "DORA_NODE_CONFIG"

/** What the daemon tells a node at its start, with the official field names. Unknown fields are kept. */
export type NodeConfig = {
  dataflow_id: string
  node_id: string
  run_config: RunConfig
  daemon_communication: { Tcp: { socket_addr: string } } | "Interactive" | null
  /** The dataflow file as plain values; may be null for a node that runs a program. */
  dataflow_descriptor: unknown
  dynamic: boolean
  write_events_to?: string | null
  restart_count?: number
  output_routing?: Record<string, OutputRouting> | null
}

/** Inputs and outputs of a node. */
export type RunConfig = {
  inputs: Record<string, InputConfig>
  outputs: string[]
}

/** An input: its source (`camera/image`, `dora/timer/millis/100`, `dora/logs/info`), alone or with options. */
export type InputConfig =
  | string
  | {
      source: string
      queue_size?: number
      /** Seconds. */
      input_timeout?: number
      queue_policy?: QueuePolicy
    }

/** `daemon_only` keeps an official node from publishing an output on zenoh, where we would never see it. */
export type OutputRouting = {
  daemon_only: boolean
  required_ackers: { node_id: string; input_id: string }[]
}

/** A node configuration that a node can't start with. */
export class NodeConfigError extends DoraError {
  constructor(why: string, cause?: unknown) {
    super("BAD_NODE_CONFIG", {
      what: `the node configuration in ${CONFIG_VARIABLE} is not usable`,
      why,
      fix: "start the node by `dora run`, which sets this variable",
      cause,
    })
  }
}

// serde_yaml wants an enum as a YAML tag; all else of the text is JSON. Inside a JSON string the quotes would be
// escaped, so this can't be found anywhere but in its place.
const TAGGED = /"daemon_communication": !Tcp (\{"socket_addr":"[^"\\]*"\})/

/**
 * The text for DORA_NODE_CONFIG.
 *
 * @example env[CONFIG_VARIABLE] = encodeNodeConfig(config)
 */
export function encodeNodeConfig(config: NodeConfig): string {
  const { daemon_communication: channel, ...rest } = config
  const value =
    channel !== null && typeof channel === "object"
      ? `!Tcp ${JSON.stringify(channel.Tcp)}`
      : JSON.stringify(channel)
  return `{"daemon_communication": ${value},${JSON.stringify(rest).slice(1)}`
}

/**
 * Reads what our daemon or an official one put into DORA_NODE_CONFIG.
 *
 * @throws NodeConfigError
 */
export async function decodeNodeConfig(text: string): Promise<NodeConfig> {
  return checkNodeConfig(parseOurs(text) ?? (await parseYaml(text)))
}

/**
 * Checks a configuration that came as plain values, as a dynamic node gets it.
 *
 * @throws NodeConfigError
 */
export function checkNodeConfig(value: unknown): NodeConfig {
  if (!isMap(value)) throw new NodeConfigError("it is no map")
  const problem =
    textProblem(value, "dataflow_id") ??
    textProblem(value, "node_id") ??
    nodeIdProblem(value.node_id as string) ??
    runConfigProblem(value.run_config) ??
    channelProblem(value.daemon_communication)
  if (problem) throw new NodeConfigError(problem)
  return {
    ...value,
    daemon_communication: value.daemon_communication ?? null,
    dataflow_descriptor: value.dataflow_descriptor ?? null,
    dynamic: value.dynamic === true,
  } as NodeConfig
}

/** Host and port of the daemon, or null when the configuration names no daemon. */
export function daemonAddress(config: NodeConfig): { hostname: string; port: number } | null {
  const channel = config.daemon_communication
  if (channel === null || typeof channel === "string") return null
  const found = SOCKET_ADDRESS.exec(channel.Tcp.socket_addr)!
  return { hostname: found[1] ?? found[2]!, port: Number(found[3]) }
}

const SOCKET_ADDRESS = /^(?:\[([0-9a-fA-F:.%]+)\]|([0-9.]+)):(\d{1,5})$/

function parseOurs(text: string): unknown {
  if (!text.startsWith("{")) return null
  try {
    return JSON.parse(text.replace(TAGGED, '"daemon_communication":{"Tcp":$1}'))
  } catch {
    // Not JSON with our one tag: YAML then, which says what is wrong.
    return null
  }
}

async function parseYaml(text: string): Promise<unknown> {
  // Only under a foreign daemon; the parser would cost every other node its load time.
  const { isMap: isYamlMap, parseDocument } = await import("yaml")
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) throw new NodeConfigError(error.message, error)
  const value: unknown = document.toJS()
  if (!isMap(value) || !isYamlMap(document.contents)) return value
  const channel = document.contents.get("daemon_communication", true)
  if (channel?.tag === "!Tcp") value.daemon_communication = { Tcp: value.daemon_communication }
  return value
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function textProblem(map: Record<string, unknown>, field: string): string | null {
  return typeof map[field] === "string" ? null : `\`${field}\` is missing or no text`
}

function runConfigProblem(run: unknown): string | null {
  if (!isMap(run)) return "`run_config` is missing or no map"
  run.inputs ??= {}
  run.outputs ??= []
  if (!isMap(run.inputs)) return "`run_config.inputs` is no map"
  if (!Array.isArray(run.outputs) || !run.outputs.every((id) => typeof id === "string")) {
    return "`run_config.outputs` is no list of names"
  }
  for (const [id, input] of Object.entries(run.inputs)) {
    if (typeof input !== "string" && !(isMap(input) && typeof input.source === "string")) {
      return `input \`${id}\` has no source`
    }
  }
  return null
}

function channelProblem(channel: unknown): string | null {
  if (channel === undefined || channel === null || channel === "Interactive") return null
  const tcp = isMap(channel) ? channel.Tcp : null
  if (!isMap(tcp) || typeof tcp.socket_addr !== "string") {
    return "`daemon_communication` is of an unknown kind, expected `!Tcp`"
  }
  return SOCKET_ADDRESS.test(tcp.socket_addr) ? null : `${tcp.socket_addr} is no socket address`
}
