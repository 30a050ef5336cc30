// Every view of a large message counts in full as allocated memory for JavaScriptCore's collector, although it is only a
// window: a stream of 4 MB messages would start a collection every few messages, tens of microseconds each. The collector
// lets garbage grow in proportion to what is alive, so one large window that stays, over pages that nobody touches, makes
// these collections rare. It costs no memory. docs/adr/0007-collector-ballast.md
import { type Pointer, toArrayBuffer } from "bun:ffi"

/** Smaller views do no harm. */
const SMALL_BYTES = 64 * 1024
/** Collections happen about once in so many views … */
const VIEWS_PER_COLLECTION = 64
/** … but garbage of other kinds is never let grow beyond this. */
const MAX_BALLAST_BYTES = 1024 * 1024 * 1024

let size = 0
let ballast: ArrayBuffer | null = null

/** A view of `length` bytes is about to be made in a mapping of `mappedBytes` at `address`, which must stay mapped. */
export function balance(address: Pointer, mappedBytes: number, length: number): void {
  if (length <= SMALL_BYTES || length * VIEWS_PER_COLLECTION <= size || size >= MAX_BALLAST_BYTES)
    return
  const wanted = 2 ** Math.ceil(Math.log2(length * VIEWS_PER_COLLECTION))
  const next = Math.min(wanted, MAX_BALLAST_BYTES, mappedBytes)
  if (next <= size) return
  size = next
  ballast = toArrayBuffer(address, 0, size)
}

/** Bytes of the window at present. */
export function ballastBytes(): number {
  return ballast?.byteLength ?? 0
}
