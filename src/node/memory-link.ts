// Attaches this process to the shared memory of its dataflow.
import { FlowClock } from "../shm/clock.ts"
import { ATTACHED_WORD } from "../shm/layout.ts"
import { dieWithParent, SharedMemoryError } from "../shm/libc.ts"
import { type NodePlan, PLAN_VERSION, type SegmentRef } from "../shm/plan.ts"
import { Inbox } from "../shm/segment.ts"
import { Sleeper } from "../shm/sleep.ts"
import { OutputWriter } from "../shm/writer.ts"
import { Output } from "./output.ts"
import { Receiver } from "./receiver.ts"
import { Waiting } from "./waiting.ts"

/** A node's ends of all its edges. */
export type Link = {
  receiver: Receiver
  waiting: Waiting
  outputs: Map<string, Output>
  close(): void
}

/** Maps everything that a plan names. @throws SharedMemoryError */
export function attach(plan: NodePlan): Link {
  if (plan.version !== PLAN_VERSION) {
    throw new SharedMemoryError(
      `the daemon's plan has version ${plan.version}, this library speaks ${PLAN_VERSION}`,
      "use the same version of dora-bun for `dora run` and for the node",
    )
  }
  dieWithParent()
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
  const receiver = new Receiver(plan, own, inboxOf, clock)
  const sleeper = new Sleeper(own, plan.pid, plan.wakeFd)
  const waiting = new Waiting(sleeper, clock, plan.wait)
  const clockId = new Int32Array(Uint8Array.fromHex(plan.clockId).buffer)
  const outputs = new Map<string, Output>()
  for (const output of plan.outputs) {
    const writer = new OutputWriter(
      output,
      plan.pid,
      (e) => inboxOf(e.inbox, e.wakeFd),
      clock,
      clockId,
    )
    outputs.set(output.id, new Output(plan.node, writer, waiting))
  }
  Atomics.store(own.words, ATTACHED_WORD, process.pid)
  const close = () => {
    receiver.close()
    for (const output of outputs.values()) output.abort()
    sleeper.close()
    for (const inbox of inboxes.values()) inbox.close()
  }
  return { receiver, waiting, outputs, close }
}
