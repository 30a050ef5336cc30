// Messages that show by themselves whether they are whole: every word follows from the number of the message.

/**
 * Fills `words` as message number `seq`.
 *
 * @example fill(new Uint32Array(16), 7)
 */
export function fill(words: Uint32Array, seq: number): Uint32Array {
  words[0] = seq
  for (let i = 1; i < words.length; i++) words[i] = wordAt(seq, i, words.length)
  return words
}

/** What is wrong with a message, or null: a word of another message, a length of another one. */
export function tornAt(words: Uint32Array): string | null {
  if (words.length === 0) return "it is empty"
  const seq = words[0]!
  for (let i = 1; i < words.length; i++) {
    if (words[i] !== wordAt(seq, i, words.length))
      return `word ${i} of ${words.length} in message ${seq}`
  }
  return null
}

function wordAt(seq: number, i: number, length: number): number {
  return (Math.imul(seq ^ (length << 16), 0x9e3779b1) + Math.imul(i, 0x85ebca6b)) >>> 0
}
