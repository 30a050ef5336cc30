// The host of Python operators for the common cases: a process of its own, which a test hands events one by one.
import { join } from "node:path"
import type { DataType } from "apache-arrow"
import type { Event, InputEvent } from "../../src/node/event.ts"
import type { DoraStatus } from "../../src/runtime/host.ts"
import { pythonWith } from "../support/python.ts"
import { WHEEL } from "../support/official.ts"
import type { LoadedProbe, Sent } from "./operator.ts"

const HOST = join(import.meta.dir, "../../src/runtime/python")
const DRIVER = join(import.meta.dir, "operators/host.py")

/** pyarrow has no class for these two. */
export function knownToPyarrow(type: DataType): boolean {
  return !/Interval<(YEAR|DAY)/.test(`${type}`)
}

/** Loads an operator into a process of Python. */
export async function loadPython(path: string): Promise<LoadedProbe> {
  const interpreter = await pythonWith(WHEEL)
  const child = Bun.spawn([interpreter, "-u", DRIVER, HOST, path], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  })
  const frames = framesOf(child.stdout)
  const sent: Sent[] = []
  const call = async (event: object, stream: Uint8Array): Promise<DoraStatus> => {
    const text = new TextEncoder().encode(JSON.stringify(event))
    child.stdin.write(new Uint8Array(Uint32Array.of(text.length, stream.length).buffer))
    child.stdin.write(text)
    child.stdin.write(stream)
    await child.stdin.flush()
    for (;;) {
      const frame = (await frames.next()).value!
      const { output, parameters, status, error } = JSON.parse(frame.text)
      if (error !== undefined) throw new Error(error)
      if (output === undefined) return status
      sent.push({ output, stream: frame.stream, parameters })
    }
  }
  return {
    sent,
    input: (id, stream, parameters = {}) =>
      call({ type: "INPUT", id, metadata: parameters }, stream ?? new Uint8Array(0)),
    operator: {
      onEvent: (event) => call(toldOf(event as Exclude<Event, InputEvent>), new Uint8Array(0)),
      async drop() {
        await child.stdin.end()
        const code = await child.exited
        if (code !== 0) throw new Error(`the host ended with ${code}`)
      },
    },
  }
}

/** An event as the wheel tells it. */
function toldOf(event: Exclude<Event, InputEvent> | { type: "INPUT_PARSE_ERROR"; error: string }) {
  if (event.type === "INPUT_PARSE_ERROR") return { type: "ERROR", error: event.error }
  if (event.type === "ERROR") return { type: "ERROR", error: event.error.message }
  return event.type === "STOP" ? { type: "STOP", id: event.cause } : event
}

async function* framesOf(stream: ReadableStream<Uint8Array>) {
  let bytes: Uint8Array = new Uint8Array(0)
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 8) {
      const view = new DataView(bytes.buffer, bytes.byteOffset)
      const [text, data] = [view.getUint32(0, true), view.getUint32(4, true)]
      if (bytes.length < 8 + text + data) break
      yield {
        text: new TextDecoder().decode(bytes.subarray(8, 8 + text)),
        // A copy of its own, so that it is aligned.
        stream: new Uint8Array(bytes.subarray(8 + text, 8 + text + data)),
      }
      bytes = bytes.subarray(8 + text + data)
    }
  }
}
