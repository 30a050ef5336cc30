// How a model's state, an ordinary object of small numbers, becomes a row of bytes and back.

/** What a state may be made of: whole numbers from 0 to 255, lists of them, and objects or lists of these. */
export type Shape = number | readonly Shape[] | { readonly [name: string]: Shape }

/** Numbers of a state laid out as an object of shape `T`: reading and writing a field reads and writes a word. */
export type View<T> = { words: Int32Array; state: T }

/** How many numbers a state of this shape holds. */
export function sizeOf(shape: Shape): number {
  if (typeof shape === "number") return 1
  return Object.values(shape).reduce((sum: number, part: Shape) => sum + sizeOf(part), 0)
}

/**
 * A fresh view that starts with the numbers of `initial`.
 *
 * @example const { words, state } = viewOf({ head: 3, seq: [1, 2] })  // words: 3 1 2
 *          state.head = 4                                            // words: 4 1 2
 */
export function viewOf<T extends object>(initial: T): View<T> {
  const words = new Int32Array(sizeOf(initial as Shape))
  const state = partOf(initial as Shape, words, 0) as T
  return { words, state }
}

function partOf(shape: Shape, words: Int32Array, offset: number): unknown {
  if (typeof shape === "number") throw new Error("a number is a field of its parent")
  const parts = Object.entries(shape)
  if (Array.isArray(shape) && parts.every(([, part]) => typeof part === "number")) {
    words.set(shape as number[], offset)
    return words.subarray(offset, offset + shape.length)
  }
  const object: object = Array.isArray(shape) ? [] : {}
  for (const [name, part] of parts) {
    if (typeof part === "number") defineWord(object, name, words, offset, part)
    else
      Object.defineProperty(object, name, { value: partOf(part, words, offset), enumerable: true })
    offset += sizeOf(part)
  }
  return object
}

function defineWord(object: object, name: string, words: Int32Array, at: number, value: number) {
  words[at] = value
  Object.defineProperty(object, name, {
    enumerable: true,
    get: () => words[at],
    set: (next: number) => {
      words[at] = next
    },
  })
}
