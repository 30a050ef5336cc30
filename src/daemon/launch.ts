// What it takes to start the nodes of a dataflow: their programs, what they are told, and who serves their sessions.
import { DYNAMIC_NODE_PORT, MAX_SOCKETS_PER_NODE } from "../core/limits.ts"
import type { Dataflow } from "../descriptor/types.ts"
import { PLAN_VARIABLE } from "../shm/plan.ts"
import { CONFIG_VARIABLE } from "../wire/config.ts"
import { onCores } from "./affinity.ts"
import { type Command, type CommandOptions, resolveCommand } from "./command.ts"
import { DynamicNodes } from "./dynamic.ts"
import type { Memory } from "./memory.ts"
import type { Place } from "./origin.ts"
import { nodeConfig, nodeConfigText } from "./node-config.ts"
import { Relay, type RelayHost } from "./official/relay.ts"
import { ScriptHealth } from "./script-health.ts"
import type { SupervisedNode } from "./supervise.ts"

/** What starting needs to know of the dataflow. */
export type LaunchOptions = {
  dataflow: string
  flow: Dataflow
  memory: Memory
  exitWhenNodesFinish: boolean
  /** By node, without what a single start of it is told. */
  environments: ReadonlyMap<string, Record<string, string>>
  /** Where scripts find the daemon. */
  address: string
  /** Where each node runs. */
  places: ReadonlyMap<string, Place>
  commands: CommandOptions
  warn: (message: string) => void
  /** The thread that serves official nodes has died. */
  relayDied: (error: unknown) => void
}

/** Starts the nodes of a dataflow, again if need be. */
export class Launch implements AsyncDisposable {
  readonly #options: LaunchOptions
  readonly #commands: ReadonlyMap<string, Command>
  readonly #relay: Relay | null
  readonly #health: ScriptHealth
  /** Those that are started by hand. */
  readonly dynamic: DynamicNodes

  /**
   * Looks for all programs before the first one is started, and opens what they need.
   *
   * @throws CommandError
   */
  static async prepare(nodes: SupervisedNode[], options: LaunchOptions): Promise<Launch> {
    const { flow, environments, places } = options
    const commands = new Map<string, Command>()
    for (const { id, spec } of nodes) {
      if (spec.dynamic) continue
      const { dir, path } = places.get(id)!
      const env = environments.get(id)!
      commands.set(id, resolveCommand({ ...spec, path }, dir, env, options.commands))
    }
    const scripts = nodes.filter(({ id }) => commands.get(id)?.script === true)
    const foreign = nodes.filter((node) => !scripts.includes(node))
    const dynamic = new DynamicNodes(nodes, options)
    const hangs = (id: string, ms: number) => {
      const what = `neither asked nor sent for ${ms} ms (health_check_timeout)`
      options.warn(`node ${id} has ${what}: it is killed`)
      nodes.find((node) => node.id === id)?.kill()
    }
    const relay = foreign.length > 0 ? await open(foreign, dynamic, hangs, options) : null
    const pulse = (id: string) => options.memory.pulse(id)
    const health = new ScriptHealth(scripts, pulse, flow.healthCheckInterval, hangs)
    return new Launch(options, commands, dynamic, relay, health)
  }

  private constructor(
    options: LaunchOptions,
    commands: ReadonlyMap<string, Command>,
    dynamic: DynamicNodes,
    relay: Relay | null,
    health: ScriptHealth,
  ) {
    this.#options = options
    this.#commands = commands
    this.dynamic = dynamic
    this.#relay = relay
    this.#health = health
  }

  /** Starts a node, or makes ready for one that is started by hand. @throws SpawnError */
  start(node: SupervisedNode): void {
    if (node.spec.dynamic) return node.expect(this.#relay!)
    const { dataflow, flow, memory, environments, places, address, warn } = this.#options
    const command = this.#commands.get(node.id)!
    const relay = command.script ? null : this.#relay
    const at = relay?.address ?? address
    const config = nodeConfigText(dataflow, flow, node.spec, at, !command.script, node.restartCount)
    const env = {
      ...environments.get(node.id)!,
      [CONFIG_VARIABLE]: config,
      [PLAN_VARIABLE]: JSON.stringify(memory.nodePlan(node.id)),
    }
    const { cpuAffinity } = node.spec
    onCores(
      cpuAffinity,
      () => node.start(command, places.get(node.id)!.dir, env, relay),
      () => warn(`node ${node.id}: this machine has none of the cores ${cpuAffinity}; it uses all`),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#health[Symbol.dispose]()
    await this.#relay?.[Symbol.asyncDispose]()
  }
}

/** Where official nodes that are started by hand look for a daemon, unless this variable names another port. */
function dynamicPort(): number {
  return Number(process.env.DORA_DAEMON_LOCAL_LISTEN_PORT) || DYNAMIC_NODE_PORT
}

/** Any program but a script of ours may be an official node. */
function open(
  foreign: SupervisedNode[],
  dynamic: DynamicNodes,
  hangs: (id: string, ms: number) => void,
  options: LaunchOptions,
): Promise<Relay> {
  const { dataflow, flow, memory, warn, relayDied } = options
  const nodes = new Map(foreign.map((node) => [node.id, node]))
  const plan = {
    dataflow,
    dynamicPort: foreign.some(({ spec }) => spec.dynamic) ? dynamicPort() : null,
    nodes: foreign.map(({ id, spec }) => ({
      plan: memory.nodePlan(id),
      // Its address is put in when it asks.
      configuration: spec.dynamic ? nodeConfig(dataflow, flow, spec, "") : null,
      silentAfterNs: Object.fromEntries(
        spec.inputs.flatMap(({ id: input, inputTimeout }) =>
          inputTimeout === null ? [] : [[input, inputTimeout * 1e9]],
        ),
      ),
      unresponsiveAfterNs:
        spec.restart.healthCheckTimeout === null ? null : spec.restart.healthCheckTimeout * 1e9,
      mayRestart: spec.restart.policy !== "never" && spec.inputs.length > 0,
    })),
    maxSockets: MAX_SOCKETS_PER_NODE * foreign.length,
    healthCheckNs: flow.healthCheckInterval * 1e9,
  }
  const host: RelayHost = {
    subscribe: (id, relayed, reply) => {
      const answer = (error: string | null) => {
        if (error === null) dynamic.joined(id)
        reply(error)
      }
      return nodes.get(id)!.subscribe(answer, relayed)
    },
    left: (id) => dynamic.leaves(id),
    closeOutputs: (id, outputs) => nodes.get(id)!.closeOutputs(outputs),
    hangs,
    era: (id, version) => nodes.get(id)?.tooOld(version),
    warn,
    crashed: relayDied,
  }
  return Relay.start(plan, host)
}
