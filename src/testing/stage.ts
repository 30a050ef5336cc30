// The relay thread of official nodes, for tests that are its clients.
import type { QueuePolicy } from "../core/policy.ts"
import { Memory } from "../daemon/memory.ts"
import { Relay } from "../daemon/official/relay.ts"
import { parseDataflow } from "../descriptor/load.ts"
import { EdgeReader } from "../shm/reader.ts"
import type { WaitMode } from "../shm/plan.ts"
import { Inbox } from "../shm/segment.ts"
import type { DaemonReply } from "../wire/messages.ts"
import { Client } from "./client.ts"

const TEXT = `nodes:
- { id: source, path: a, inputs: { in: { source: sink/back, queue_size: 4, queue_policy: BACK } }, outputs: [out, unheard] }
- { id: sink, path: a, inputs: { in: { source: source/out, queue_size: 4, queue_policy: POLICY } }, outputs: [back] }
`

/**
 * A dataflow of two nodes with real memory and real sockets; the relay serves `source`, the test is `sink`.
 *
 * @example await using stage = await new Stage().open(); const { control } = await stage.joined()
 */
export class Stage implements AsyncDisposable {
  readonly dataflow = crypto.randomUUID()
  readonly memory: Memory
  readonly warnings: string[] = []
  readonly closed: string[] = []
  readonly reader: EdgeReader
  readonly producer: Inbox
  readonly #clients: Client[] = []
  #relay: Relay | null = null

  /** @param policy  of what `source` sends @param back  of what it receives @param wait  how the relay waits for it */
  constructor(
    policy: QueuePolicy = "drop_oldest",
    back: QueuePolicy = "drop_oldest",
    wait: WaitMode = "park",
  ) {
    const text = TEXT.replace("POLICY", policy).replace("BACK", back)
    const flow = parseDataflow(text, "flow.yml")
    const { dataflow } = this
    const options = { dataflow, wait, exitWhenNodesFinish: false }
    this.memory = Memory.create(flow, options)
    const { pid, inbox, wakeFd, inputs } = this.memory.nodePlan("sink")
    this.reader = new EdgeReader(new Inbox(pid, inbox, wakeFd), inputs[0]!, pid)
    const { producer } = inputs[0]!
    this.producer = new Inbox(pid, producer!.inbox, producer!.wakeFd)
    this.reader.onCredit = () => this.producer.wake()
  }

  async open(frameTimeoutMs = 30_000): Promise<this> {
    const plan = {
      dataflow: this.dataflow,
      nodes: [
        {
          plan: this.memory.nodePlan("source"),
          mayRestart: false,
          configuration: null,
          silentAfterNs: {},
        },
      ],
      maxSockets: 8,
      frameTimeoutMs,
    }
    this.#relay = await Relay.start(plan, {
      subscribe: (_node, relayed, reply) => {
        reply(relayed ? null : "not relayed")
        return () => {}
      },
      closeOutputs: (_node, outputs) => void this.closed.push(...outputs),
      left: () => {},
      hangs: () => {},
      era: (node, version) => void this.warnings.push(`${node} is of ${version}`),
      warn: (message) => void this.warnings.push(message),
      crashed: (error) => void this.warnings.push(`crashed: ${error}`),
    })
    return this
  }

  get relay(): Relay {
    return this.#relay!
  }

  get port(): number {
    return Number(this.relay.address.split(":")[1])
  }

  async client(): Promise<Client> {
    const client = await Client.connect({ hostname: "127.0.0.1", port: this.port })
    this.#clients.push(client)
    return client
  }

  async registered(node = "source"): Promise<Client> {
    const client = await this.client()
    granted(await client.register({ dataflow_id: this.dataflow, node_id: node }))
    return client
  }

  /** The event connection and the control connection of a node that was let past the barrier. */
  async joined(): Promise<{ events: Client; control: Client }> {
    const events = await this.registered()
    granted(await events.request({ type: "Subscribe" }))
    return { events, control: await this.registered() }
  }

  /** The next message of `source/out`. */
  async take(): Promise<EdgeReader> {
    await until(() => this.reader.take(), "a message")
    return this.reader
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.#relay?.[Symbol.asyncDispose]()
    this.memory[Symbol.dispose]()
  }
}

/** Waits for what other threads do. @param what  what was waited for in vain */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5000
  while (!condition()) {
    if (performance.now() > end) throw new Error(`in vain: ${what}`)
    await Bun.sleep(1)
  }
}

function granted(reply: DaemonReply): void {
  if (reply.type !== "Result" || reply.error !== null) throw new Error(JSON.stringify(reply))
}
