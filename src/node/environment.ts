// What a process finds out about its place in a dataflow.
import { type NodePlan, PLAN_VARIABLE } from "../shm/plan.ts"
import {
  CONFIG_VARIABLE,
  daemonAddress,
  decodeNodeConfig,
  type NodeConfig,
} from "../wire/config.ts"
import type { SessionAddress } from "./connection.ts"
import { type NodeSession, Session } from "./control.ts"
import { NotInDataflowError } from "./errors.ts"

/** A process's node, where its memory is, and whom to tell. */
export type Membership = {
  config: NodeConfig
  plan: NodePlan
  address: SessionAddress
  session: NodeSession
}

/**
 * Reads the environment that the daemon made.
 *
 * @throws NotInDataflowError, SharedMemoryError
 */
export async function readMembership(): Promise<Membership> {
  const text = process.env[CONFIG_VARIABLE]
  if (text === undefined) throw new NotInDataflowError()
  const config = await decodeNodeConfig(text)
  const where = daemonAddress(config)
  if (where === null) throw new NotInDataflowError()
  const address = { ...where, dataflow: config.dataflow_id, node: config.node_id }
  const plan = process.env[PLAN_VARIABLE]
  if (plan !== undefined) {
    return { config, plan: JSON.parse(plan), address, session: new Session() }
  }
  // A daemon that shares no memory: an official one.
  const { OfficialSession } = await import("./official/session.ts")
  const session = new OfficialSession(config, address)
  return { config, plan: session.plan, address, session }
}
