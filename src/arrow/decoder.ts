// Received streams → JavaScript values over the same bytes.
import type { Vector } from "apache-arrow"
import { ArrowDataError, ArrowTypeError } from "./errors.ts"
import type { Layout } from "./layout.ts"
import { type TypedArray, typeName } from "./types.ts"
import { foreignVector, VectorReader, viewOf } from "./vectors.ts"

export { type Layout, readLayout } from "./layout.ts"

/**
 * The elements of a column as a typed array over the bytes of `stream`; a copy only when they are misaligned.
 * Temporal types come as their integers, fixed-size lists and binaries flat. Where the column is null, the element is
 * undefined: ask `vectorOf` when `layout.simple` is null and nulls matter.
 *
 * @throws ArrowTypeError  the type has no typed array: text, lists, structs, booleans, …
 * @example const pixels = arrayOf(layout, event.data) // Uint8Array
 */
export function arrayOf(layout: Layout, stream: Uint8Array): TypedArray {
  const elements = layout.elements
  if (elements === null) {
    const fix = "read it as an Arrow vector: event.value"
    throw new ArrowTypeError(`a column of ${typeName(layout.field)} has no typed array`, fix)
  }
  checkSize(layout, stream)
  return viewOf(elements.array, stream, elements.offset, elements.length)
}

/**
 * The column as an apache-arrow Vector over the bytes of `stream`.
 *
 * @throws ArrowDataError  offsets in the body point outside it
 * @throws ArrowTypeError  apache-arrow does not know the type
 */
export function vectorOf(layout: Layout, stream: Uint8Array): Vector {
  checkSize(layout, stream)
  if (layout.foreign) return foreignVector(layout, stream)
  return new VectorReader(layout, stream).read()
}

function checkSize(layout: Layout, stream: Uint8Array): void {
  if (layout.byteLength === stream.byteLength) return
  throw new ArrowDataError(
    `it has ${stream.byteLength} bytes, and ${layout.byteLength} when it was read`,
  )
}
