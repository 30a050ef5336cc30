// Bitmaps, least significant bit first, as Arrow has them.

/**
 * Copies `count` bits to a place that is zero so far. Bits beyond the end of `source` count as zero.
 *
 * @param at     index of the first bit in `target`
 * @param start  index of the first bit in `source`
 */
export function copyBits(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  count: number,
): void {
  const end = at + count
  let bit = at
  // Up to a whole byte of the target, bit by bit; then bytes, put together from two of the source; then the rest.
  for (; bit < end && (bit & 7) !== 0; bit++) copyBit(target, bit, source, start + bit - at)
  const shift = (start + bit - at) & 7
  let from = Math.floor((start + bit - at) / 8)
  for (; bit + 8 <= end; bit += 8, from++) {
    const low = source[from] ?? 0
    target[bit / 8] = shift === 0 ? low : (low >> shift) | ((source[from + 1] ?? 0) << (8 - shift))
  }
  for (; bit < end; bit++) copyBit(target, bit, source, start + bit - at)
}

function copyBit(target: Uint8Array, bit: number, source: Uint8Array, from: number): void {
  const byte = source[Math.floor(from / 8)] ?? 0
  if ((byte >> (from & 7)) & 1) setBit(target, bit)
}

/** Sets one bit. */
export function setBit(target: Uint8Array, bit: number): void {
  target[Math.floor(bit / 8)]! |= 1 << (bit & 7)
}

/** Sets `count` bits from `at` on. */
export function setBits(target: Uint8Array, at: number, count: number): void {
  const end = at + count
  let bit = at
  for (; bit < end && (bit & 7) !== 0; bit++) setBit(target, bit)
  if (bit === end) return
  const whole = Math.floor((end - bit) / 8)
  target.fill(0xff, bit / 8, bit / 8 + whole)
  for (bit += whole * 8; bit < end; bit++) setBit(target, bit)
}

/** Number of set bits in `length` bytes from byte `start` on. */
export function countBits(bytes: Uint8Array, start: number, length: number): number {
  let count = 0
  for (let i = start; i < start + length; i++) {
    let byte = bytes[i]!
    byte -= (byte >> 1) & 0x55
    byte = (byte & 0x33) + ((byte >> 2) & 0x33)
    count += (byte + (byte >> 4)) & 0x0f
  }
  return count
}
