// The program of an operator's thread: one operator, called as in the runtime.
import { Encoder, type Sendable } from "../arrow/encoder.ts"
import type { Parameters } from "../core/parameters.ts"
import { UnknownOutputError } from "../node/errors.ts"
import { InputEvent } from "../node/event.ts"
import { Log } from "../node/log.ts"
import type { Payload } from "../shm/payload.ts"
import { encodeParameters } from "../wire/metadata.ts"
import { DoraStatus, type Operator, type OperatorContext, type OperatorEvent } from "./host.ts"
import { hostOf } from "./hosts.ts"
import { reasonOf } from "./errors.ts"
import type { FromThread, ThreadEvent, ToThread } from "./thread.ts"

declare const self: {
  onmessage: ((event: MessageEvent<ToThread>) => void) | null
  postMessage(message: FromThread, transfer?: ArrayBuffer[]): void
}

let operator: Operator | null = null

self.onmessage = ({ data }) => {
  void answer(data)
}

async function answer(message: ToThread): Promise<void> {
  try {
    self.postMessage({ type: "done", status: await handle(message) })
  } catch (error) {
    // An error loses its class and its stack on the way: what is needed of them is put into words here.
    self.postMessage({ type: "failed", error: new Error(reasonOf(error)) })
  }
}

async function handle(message: ToThread): Promise<DoraStatus> {
  switch (message.type) {
    case "load": {
      const host = await hostOf(message.plan.kind)
      operator = await host.load(contextOf(message))
      return DoraStatus.CONTINUE
    }
    case "event":
      return await operator!.onEvent(eventOf(message.event))
    case "drop":
      await operator?.drop()
      return DoraStatus.CONTINUE
  }
}

function eventOf(told: ThreadEvent): OperatorEvent {
  if (told.type === "OTHER") return told.event
  const { id, seconds, fraction, parameters, stream } = told
  const source = { id, template: () => null, learn: () => {}, released: () => {} }
  return new InputEvent(source, seconds, fraction, 0, parameters, stream, null, null)
}

function contextOf(message: Extract<ToThread, { type: "load" }>): OperatorContext {
  const { plan, node, dataflowId, descriptor, outputs } = message
  const encoder = new Encoder()
  const owner = `${node}/${plan.id}`
  const post = (output: string, payload: Payload, parameters?: Parameters) => {
    if (!outputs.includes(output)) throw new UnknownOutputError(owner, output, outputs)
    const stream = new Uint8Array(payload.byteLength)
    payload.write(stream, 0)
    const encoded = parameters ? encodeParameters(parameters) : null
    self.postMessage({ type: "send", output, stream, parameters: encoded }, [stream.buffer])
    return Promise.resolve()
  }
  return {
    node,
    dataflowId,
    dataflowDescriptor: descriptor,
    plan,
    outputs: {
      names: () => outputs,
      send: (output: string, data: Sendable, parameters?: Parameters) =>
        post(output, encoder.prepare(data), parameters),
      sendPayload: post,
    },
    log: new Log(node, true, owner),
    entering: () => {},
    fail: (error) => {
      throw error
    },
  }
}
