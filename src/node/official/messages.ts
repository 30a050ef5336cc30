// What a program and its thread tell each other. Messages of the dataflow never travel this way.
import type { NodePlan } from "../../shm/plan.ts"
import type { ReceivedEvent } from "../../wire/events.ts"
import type { SessionAddress } from "../connection.ts"

/** What the thread is started with. */
export type LinkPlan = {
  address: SessionAddress
  node: NodePlan
  link: NodePlan
  /** Inputs with an `input_timeout`: silence closes them, a message opens them again. */
  mayRecover: string[]
}

/** What the thread tells the program. */
export type LinkReport =
  | { type: "subscribed" }
  | { type: "event"; event: ReceivedEvent }
  /** Something went wrong, as the text of its cause; without the daemon nothing comes and nothing is sent any more. */
  | { type: "broken"; what: string }
  | { type: "notSent"; output: string; why: string }

/** Stands in the shared word once the thread has left the dataflow. */
export const DONE = 1

/** All that the thread is given. */
export type ThreadData = {
  plan: LinkPlan
  /** One word, 0 at first. */
  done: Int32Array
  /** The process whose end is ours; null when nobody said. */
  parent: number | null
}
