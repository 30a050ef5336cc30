/**
 * Splits a command line into words as a shell would, without expanding anything: white space
 * separates, quotes and backslashes hold together, `#` at the start of a word comments out the rest
 * of the line. The rules are those of the official tool (1.1.0, tried out).
 *
 * @returns the words, or where the quote opens that is never closed
 * @example splitWords("--name 'a b'") // { words: ["--name", "a b"] }
 */
export function splitWords(text: string): { words: string[] } | { openAt: number } {
  const words: string[] = []
  let at = 0
  while (at < text.length) {
    if (isSpace(text[at]!)) at++
    else if (text[at] === "#") at = endOfLine(text, at)
    else {
      const word = readWord(text, at)
      if ("openAt" in word) return word
      if (word.text !== null) words.push(word.text)
      at = word.next
    }
  }
  return { words }
}

type Word = { text: string | null; next: number } | { openAt: number }

/** One word from `at` on; null text when nothing but an escaped line break was there. */
function readWord(text: string, at: number): Word {
  const parts: string[] = []
  while (at < text.length && !isSpace(text[at]!)) {
    const char = text[at]!
    if (char === "'") {
      const end = text.indexOf("'", at + 1)
      if (end < 0) return { openAt: at }
      parts.push(text.slice(at + 1, end))
      at = end + 1
    } else if (char === '"') {
      const end = closingQuote(text, at + 1)
      if (end === null) return { openAt: at }
      parts.push(text.slice(at + 1, end).replace(/\\([$`"\\\n])/g, unescaped))
      at = end + 1
    } else if (char === "\\") {
      const next = text[at + 1]
      if (next === undefined) return { openAt: at }
      if (next !== "\n") parts.push(next)
      at += 2
    } else {
      parts.push(char)
      at++
    }
  }
  return { text: parts.length > 0 ? parts.join("") : null, next: at }
}

function unescaped(_: string, char: string): string {
  return char === "\n" ? "" : char
}

function closingQuote(text: string, from: number): number | null {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++
    else if (text[at] === '"') return at
  }
  return null
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from)
  return end < 0 ? text.length : end
}

function isSpace(char: string): boolean {
  return char === " " || char === "\t" || char === "\n" || char === "\r"
}
