// What messages of one template have in common.
import type { Layout } from "../arrow/decoder.ts"
import type { ElementArray } from "../core/elements.ts"
import type { Template } from "./event.ts"

/** Header and trailer of a message, without its body. */
export function patternOf(bytes: Uint8Array, layout: Layout): Uint8Array {
  const body = layout.simple
  const bodyBytes = body ? body.length * body.array.BYTES_PER_ELEMENT : layout.bodyLength
  const trailer = bytes.subarray(layout.headerLength + bodyBytes)
  const pattern = new Uint8Array(layout.headerLength + trailer.byteLength)
  pattern.set(bytes.subarray(0, layout.headerLength))
  pattern.set(trailer, layout.headerLength)
  return pattern
}

/** A whole stream from the body alone. */
export function rebuild({ layout, pattern }: Template, body: ElementArray): Uint8Array {
  const stream = new Uint8Array(layout.byteLength)
  stream.set(pattern.subarray(0, layout.headerLength))
  stream.set(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), layout.headerLength)
  const trailer = layout.headerLength + body.byteLength
  stream.set(pattern.subarray(layout.headerLength), trailer)
  return stream
}
