import { HybridClock } from "../core/clock.ts"
import { Listener } from "../daemon/listener.ts"
import { Mailbox } from "../daemon/mailbox.ts"

/** Dataflow of {@link fakeDaemon}. */
export const DATAFLOW = "0198c000-1111-7222-8333-444455556666"

/**
 * A daemon of one node `camera`, without memory and processes; it remembers what it was told.
 *
 * @example const { listener, closed } = fakeDaemon()
 */
export function fakeDaemon() {
  const clock = new HybridClock()
  const warnings: string[] = []
  const closed: string[] = []
  const parked: ((error: string | null) => void)[] = []
  const hungUp: string[] = []
  const mailbox = new Mailbox()
  const node = {
    id: "camera",
    outputs: ["image", "depth"],
    mailbox,
    subscribe: (reply: (error: string | null) => void) => {
      parked.push(reply)
      return () => hungUp.push("camera")
    },
    closeOutputs: (outputs: readonly string[]) => void closed.push(...outputs),
    outputsDone: () => void closed.push("image", "depth"),
  }
  const host = {
    dataflow: DATAFLOW,
    clock,
    node: (id: string) => (id === "camera" ? node : null),
    warn: (message: string) => void warnings.push(message),
    era: (id: string, version: string) => void warnings.push(`${id} is of ${version}`),
  }
  const listener = new Listener(host, 4)
  return { listener, clock, mailbox, warnings, closed, parked, hungUp }
}
