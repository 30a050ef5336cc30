// The environment of a node: order and refusals as in dora-daemon 1.1.0 (sections 1.1 of the protocol reference
// and 9 of the descriptor reference).
import type { Dataflow } from "../descriptor/types.ts"
import { CONFIG_VARIABLE } from "../wire/config.ts"
import { PLAN_VARIABLE } from "../shm/plan.ts"
import { MARKER } from "./guard.ts"

const LOADER = ["LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES"]
const SECRETS = ["DORA_AUTH_TOKEN", "DORA_ALLOW_SHELL_NODES"]
const LIBRARY_PATH = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"]
const CONTROL = [
  CONFIG_VARIABLE,
  "DORA_RUNTIME_CONFIG",
  "DORA_ZENOH_LISTEN",
  "DORA_ZENOH_LISTEN_EXTRA",
  "DORA_ZENOH_CONNECT",
  "DORA_ZENOH_MULTICAST",
  "DORA_RUN_PARENT_PID",
  PLAN_VARIABLE,
  MARKER,
  "BUN_BE_BUN",
]
// With a foreign zenoh configuration a node would ignore our loopback-only one, or refuse to start.
const ZENOH = ["ZENOH_CONFIG", "DORA_ZENOH_CONFIG_OVERLAY"]

const NOT_INHERITED = new Set([...LOADER, ...SECRETS, ...CONTROL, ...ZENOH])
const NOT_FROM_FILE = new Set([...NOT_INHERITED, ...LIBRARY_PATH, "DORA_ZENOH_OPEN_TIMEOUT_MS"])

/** Where the variables of a node come from, weakest first. */
export type EnvironmentSources = {
  inherited: Record<string, string | undefined>
  /** Root `env` of the file, `--env`, `env` of the node: in this order. */
  given: Record<string, string>[]
  /** What the daemon itself sets. */
  own: Record<string, string>
}

/**
 * Composes the environment of a process.
 *
 * @returns `refused`: names that a dataflow file may not set and that were left out, for a warning
 * @example composeEnvironment({ inherited: process.env, given: [flow.env, node.env], own })
 */
export function composeEnvironment(sources: EnvironmentSources): {
  env: Record<string, string>
  refused: string[]
} {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(sources.inherited)) {
    if (value !== undefined && !NOT_INHERITED.has(name)) env[name] = value
  }
  const refused = new Set<string>()
  for (const [name, value] of sources.given.flatMap((given) => Object.entries(given))) {
    if (NOT_FROM_FILE.has(name) || name === "" || /[=\s\0]/.test(name) || value.includes("\0")) {
      refused.add(name)
    } else {
      env[name] = value
    }
  }
  return { env: Object.assign(env, sources.own), refused: [...refused] }
}

/**
 * The environment of every node, without what a single node is told about itself.
 *
 * @param flags  what the caller of the dataflow adds
 * @param warn   told of each variable that a dataflow may not set
 */
export function nodeEnvironments(
  flow: Dataflow,
  dataflow: string,
  flags: Record<string, string> = {},
  warn: (message: string) => void,
): Map<string, Record<string, string>> {
  const own = ownEnvironment(dataflow)
  return new Map(
    flow.nodes.map((node) => {
      const given = [flow.env, flags, node.env]
      const inherited = { ...DEFAULTS, ...process.env }
      const { env, refused } = composeEnvironment({ inherited, given, own })
      for (const name of refused) {
        warn(`node ${node.id}: a dataflow may not set the variable \`${name}\`; it is left out`)
      }
      return [node.id, env]
    }),
  )
}

/**
 * Unless somebody says otherwise: official nodes prepare memory for a data plane that no message of theirs takes here, 8 MB
 * each, and complain of every larger message that takes the other way.
 */
const DEFAULTS = {
  DORA_NODE_SHM_POOL_SIZE: "65536",
  DORA_ZERO_COPY_THRESHOLD: "1000000000",
  // They make a copy or two of each message that they send. From glibc such memory comes by mmap and goes back at once, and
  // a message of 1 MiB costs a millisecond of page faults.
  MALLOC_MMAP_THRESHOLD_: "33554432",
  MALLOC_TRIM_THRESHOLD_: "134217728",
}

/** What every process of a dataflow gets from us. */
export function ownEnvironment(dataflow: string): Record<string, string> {
  const outer = process.env[MARKER]
  return {
    // A dataflow inside a node of another one: the outer sweep finds the inner processes too.
    [MARKER]: outer ? `${outer},${dataflow}` : dataflow,
    // Official nodes watch this process and go when it goes.
    DORA_RUN_PARENT_PID: String(process.pid),
    // They open zenoh whatever they use it for: on loopback, any port, looking for nobody.
    DORA_ZENOH_LISTEN: "tcp/127.0.0.1:0",
    DORA_ZENOH_MULTICAST: "off",
    PYTHONUNBUFFERED: "1",
  }
}
