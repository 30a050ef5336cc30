// Random columns that flechette builds, so that a second implementation writes and reads what we read and write.
import * as flechette from "@uwdata/flechette"

/** Small random numbers from a seed (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 to `limit`, without it. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** Up to 40 values, some of them null. */
  values(make: () => unknown): unknown[] {
    return Array.from({ length: this.below(40) }, () => (this.below(4) === 0 ? null : make()))
  }
}

type Make = (random: Random) => { type: flechette.DataType; sent: unknown[] }

const words = ["", "a", "grün", "a text of more than twelve bytes", "🚀"]

function of(type: () => flechette.DataType, value: (random: Random) => unknown): Make {
  return (random) => ({ type: type(), sent: random.values(() => value(random)) })
}

const int = (r: Random) => r.below(200) - 100
const text = (r: Random) => words[r.below(words.length)]

/** Makers of columns of the types that flechette, apache-arrow and we have in common. */
export const shared: readonly Make[] = [
  of(flechette.int8, int),
  of(flechette.uint16, (r) => r.below(60_000)),
  of(flechette.int32, int),
  of(flechette.int64, (r) => BigInt(int(r))),
  of(flechette.float32, int),
  of(flechette.float64, (r) => r.below(1000) / 8),
  of(flechette.bool, (r) => r.below(2) === 1),
  of(flechette.utf8, text),
  of(flechette.largeUtf8, text),
  of(flechette.binary, (r) => new Uint8Array(r.below(20)).fill(r.below(256))),
  of(flechette.fixedSizeBinary.bind(null, 3), (r) => new Uint8Array(3).fill(r.below(256))),
  of(
    () => flechette.dictionary(flechette.utf8(), flechette.int16()),
    (r) => text(r),
  ),
  of(
    () => flechette.list(flechette.int32()),
    (r) => r.values(() => int(r)),
  ),
  of(
    () => flechette.fixedSizeList(flechette.float32(), 3),
    (r) => [int(r), int(r), int(r)],
  ),
  of(
    () => flechette.struct({ a: flechette.int16(), b: flechette.utf8() }),
    (r) => ({ a: int(r), b: text(r) }),
  ),
  of(
    () => flechette.list(flechette.struct({ t: flechette.list(flechette.utf8()) })),
    (r) => r.values(() => ({ t: r.values(() => text(r)) })),
  ),
]
