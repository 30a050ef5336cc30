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
