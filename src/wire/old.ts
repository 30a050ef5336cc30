// The protocol of dora 0.x and of the candidates of 1.0: no more than it takes to know who speaks it. Section 0 of the
// protocol reference.
import { Reader } from "./postcard.ts"

const UUID_BYTES = 16
const MAX_TEXT_BYTES = 256

/**
 * Reads the introduction of a node of an older dora; null when it is none.
 *
 * @returns its id, and the version that it names: up to 0.5 that of the message crate, not of dora
 */
export function readOldRegister(body: Uint8Array): { node: string; version: string } | null {
  try {
    const reader = new Reader(body)
    if (word(reader) !== 0 || length(reader) !== UUID_BYTES) return null
    reader.raw(UUID_BYTES)
    return { node: text(reader), version: text(reader) }
  } catch {
    return null
  }
}

function word(reader: Reader): number {
  const bytes = reader.raw(4)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}

function length(reader: Reader): number {
  const low = word(reader)
  return word(reader) === 0 ? low : Number.POSITIVE_INFINITY
}

function text(reader: Reader): string {
  const bytes = reader.raw(Math.min(length(reader), MAX_TEXT_BYTES + 1))
  if (bytes.byteLength > MAX_TEXT_BYTES) throw new RangeError("too long")
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
}
