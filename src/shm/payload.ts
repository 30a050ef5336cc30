import type { ElementArray } from "../core/elements.ts"

/** A measured message that can write itself: the Arrow stream. */
export interface Payload {
  byteLength: number
  headerLength: number
  /** > 0: messages with the same number have the same bytes everywhere but in the body. */
  template: number
  /** The elements, when the body is nothing but them. */
  flat: ElementArray | null
  write(target: Uint8Array, at: number): void
  /** As `write`, where another message of this template lies already: of the same bytes but for the body. */
  writeBody?(target: Uint8Array, at: number): void
}
