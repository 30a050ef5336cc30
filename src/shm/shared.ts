// Memory of this process that C code of the same thread uses as well.
import { ptr } from "bun:ffi"

/** Words at an address that never changes: those of a small array of its own would move when somebody asks for its buffer. */
export function sharedWords(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(new ArrayBuffer(4 * count))
}

/** Where an array begins. Whoever gets the address must be gone before the array is. */
export function addressOf(array: NodeJS.TypedArray): number {
  return ptr(array) as number
}
