// Attaches this process to the shared memory of its dataflow.
import { FlowClock } from "../shm/clock.ts"
import { ATTACHED_WORD } from "../shm/layout.ts"
import { dieWithParent, setTimeSlice, SharedMemoryError } from "../shm/libc.ts"
import {
  type EdgePlan,
  type NodePlan,
  type OutputPlan,
  PLAN_VERSION,
  type SegmentRef,
} from "../shm/plan.ts"
import { Inbox } from "../shm/segment.ts"
import { Sleeper } from "../shm/sleep.ts"
import { OutputWriter } from "../shm/writer.ts"
import { BatchPolicy } from "./batch-policy.ts"
import { Output } from "./output.ts"
import { Receiver } from "./receiver.ts"
import { Waiting } from "./waiting.ts"

/** Where nodes share cores, one that is woken is to have its turn soon: the shortest that Linux gives. */
const CROWDED_SLICE_NS = 100_000

/** A node's ends of all its edges. */
export type Link = {
  receiver: Receiver
  waiting: Waiting
  outputs: Map<string, Output>
  close(): void
}

/** The memory of a node, mapped: what its receivers and outputs are made of. */
export type Mapped = {
  own: Inbox
  inboxOf: (ref: SegmentRef, wakeFd: number) => Inbox
  clock: FlowClock
  waiting: Waiting
  writer: (output: OutputPlan) => OutputWriter
  /** Tells the daemon that everything is mapped. */
  attached(): void
  close(): void
}

/** Maps everything that a plan names. @throws SharedMemoryError */
export function mapPlan(plan: NodePlan): Mapped {
  if (plan.version !== PLAN_VERSION) {
    throw new SharedMemoryError(
      `the daemon's plan has version ${plan.version}, this library speaks ${PLAN_VERSION}`,
      "use the same version of dora-bun for `dora run` and for the node",
    )
  }
  // Without a daemon's memory the parent is another one, with rules of its own.
  if (plan.pid !== process.pid) dieWithParent()
  const crowded = plan.crowded === true
  if (crowded) setTimeSlice(CROWDED_SLICE_NS)
  const inboxes = new Map<number, Inbox>()
  const inboxOf = (ref: SegmentRef, wakeFd: number) => {
    const known = inboxes.get(ref.fd)
    if (known) return known
    const inbox = new Inbox(plan.pid, ref, wakeFd)
    inboxes.set(ref.fd, inbox)
    return inbox
  }
  const own = inboxOf(plan.inbox, plan.wakeFd)
  const clock = new FlowClock(plan.epoch)
  const sleeper = new Sleeper(own, plan.pid, plan.wakeFd)
  if (!crowded && plan.wait !== "park") sleeper.neighbours = inboxes
  const rings = plan.inputs.filter(({ sibling }) => !sibling).map(({ ring }) => ring)
  const policy = new BatchPolicy(own.words, rings)
  if (policy.applies) sleeper.onSleep = () => policy.sleeps(clock.nowNs())
  const sends = plan.outputs.some(({ edges }) => edges.length > 0)
  const waiting = new Waiting(sleeper, clock, plan.wait, { sends, crowded })
  const clockId = new Int32Array(Uint8Array.fromHex(plan.clockId).buffer)
  const edgeInbox = (edge: EdgePlan) => inboxOf(edge.inbox, edge.wakeFd)
  const writer = (output: OutputPlan) =>
    new OutputWriter(output, plan.pid, edgeInbox, clock, clockId)
  const attached = () => void Atomics.store(own.words, ATTACHED_WORD, process.pid)
  const close = () => {
    sleeper.close()
    for (const inbox of inboxes.values()) inbox.close()
  }
  return { own, inboxOf, clock, waiting, writer, attached, close }
}

/** Attaches a node to its memory. @throws SharedMemoryError */
export function attach(plan: NodePlan): Link {
  const memory = mapPlan(plan)
  const { own, inboxOf, clock, waiting } = memory
  const receiver = new Receiver(plan, own, inboxOf, clock)
  const outputs = new Map<string, Output>()
  for (const output of plan.outputs) {
    outputs.set(output.id, new Output(plan.node, memory.writer(output), waiting))
  }
  waiting.keepWarm([receiver, ...outputs.values()])
  memory.attached()
  const close = () => {
    receiver.close()
    for (const output of outputs.values()) output.abort(!plan.mayRestart)
    memory.close()
  }
  return { receiver, waiting, outputs, close }
}
