/** Lengths of the messages, in turn. */
const SIZES = [0, 4, 100, 5000, 70_000, 300_000]
const NUMBER_BYTES = 4

/** Message `n`: its number in the first four bytes, then a pattern. The other languages have the same. */
export function message(n: number): Uint8Array {
  return Uint8Array.from({ length: SIZES[n % SIZES.length]! }, (_, at) => {
    return at < NUMBER_BYTES ? n >> (8 * at) : at * 7 + n
  })
}

/** The number of a message, or -1 if it isn't one. An empty one has the number that is expected. */
export function numberOf(data: Uint8Array, expected: number): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const n = data.length < NUMBER_BYTES ? expected : view.getInt32(0, true)
  return n >= 0 && Buffer.compare(data, message(n)) === 0 ? n : -1
}
