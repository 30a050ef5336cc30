// What the daemon itself sends to nodes: records to their `dora/logs` inputs, and what a node prints on the outputs that its
// `send_stdout_as` and `send_logs_as` name.
import { Encoder } from "../arrow/encoder.ts"
import { type LogRecord, logMessage, passes } from "../core/log.ts"
import type { InputSpec, NodeSpec } from "../descriptor/types.ts"
import type { FlowClock } from "../shm/clock.ts"
import { chunkCount, announcePool, makePool } from "../shm/make.ts"
import { OutputWriter } from "../shm/writer.ts"
import { type Edge, edgePlan, type OutputPools, publishText } from "./edges.ts"

/** Large messages that a consumer may hold at a time. */
const BUDGET = 8

/** Are the messages of an input lines of their sender, rather than what it sends itself? */
export function isFed(nodes: readonly NodeSpec[], { source }: InputSpec): boolean {
  if (source.kind !== "output") return false
  const node = nodes.find(({ id }) => id === source.node)
  return node !== undefined && isPrinted(node, source.output)
}

/** Does an output carry what its node prints? */
export function isPrinted({ logs }: NodeSpec, output: string): boolean {
  return output === logs.stdoutAs || output === logs.recordsAs
}

type Feed = { edge: Edge; writer: OutputWriter; encoder: Encoder }

/** The edges whose producer is the daemon. */
export class Feeds {
  readonly #dataflow: string
  readonly #clock: FlowClock
  readonly #logs: Feed[] = []
  readonly #lines: Feed[] = []

  constructor(dataflow: string, clock: FlowClock) {
    this.#dataflow = dataflow
    this.#clock = clock
  }

  /** Takes over an edge. @returns the memory made for it, for the caller to close */
  add(edge: Edge): OutputPools {
    const chunks = chunkCount([{ queueSize: edge.input.queueSize, budget: BUDGET }], 1)
    const ref = makePool("dora-pool-logs", chunks, 1)
    const pools = { generation: 0, newest: { ref, mapped: null }, older: [] }
    edge.pools = pools
    edge.line = 0
    announcePool(edge.consumer.inbox.words, edge.ring, ref)
    const plan = { id: edge.from, pool: ref, edges: [edgePlan(edge)] }
    const id = new Int32Array(crypto.getRandomValues(new Uint8Array(16)).buffer)
    const writer = new OutputWriter(plan, process.pid, () => edge.consumer.inbox, this.#clock, id)
    const feeds = edge.fed ? this.#lines : this.#logs
    feeds.push({ edge, writer, encoder: new Encoder() })
    return pools
  }

  /** Sends a log record to every `dora/logs` input that asks for it; a node never gets its own. */
  log(record: LogRecord): void {
    for (const feed of this.#logs) {
      const { source } = feed.edge.input
      if (source.kind !== "logs" || record.node === feed.edge.consumer.spec.id) continue
      if (!passes(source.level, record.level)) continue
      if (source.node !== null && source.node !== record.node) continue
      this.#send(feed, logMessage(record, this.#dataflow))
    }
  }

  /**
   * Sends what a node has printed.
   *
   * @param record  null when the node's filter holds it back, which counts for records only
   */
  line({ id, logs }: NodeSpec, line: string, record: LogRecord | null): void {
    for (const feed of this.#lines) {
      const { producer, output } = feed.edge
      if (producer !== id) continue
      if (output === logs.stdoutAs) this.#send(feed, `${line}\n`)
      if (record && output === logs.recordsAs) this.#send(feed, logMessage(record, this.#dataflow))
    }
  }

  #send({ writer, encoder }: Feed, text: string): void {
    publishText(writer, encoder, text)
  }
}
