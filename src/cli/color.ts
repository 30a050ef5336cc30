const CODES = {
  bold: "1",
  dim: "2",
  red: "31",
  green: "32",
  yellow: "33",
  blue: "34",
  magenta: "35",
  cyan: "36",
  brightBlue: "94",
  brightMagenta: "95",
} as const

/** A style that {@link painter} knows. */
export type Style = keyof typeof CODES

/** Wraps a text in the codes of a style, or leaves it as it is where colour is not wanted. */
export type Paint = (style: Style, text: string) => string

/** What nodes are coloured with, in the order in which they first speak. */
export const NODE_STYLES: readonly Style[] = [
  "cyan",
  "green",
  "magenta",
  "blue",
  "yellow",
  "brightBlue",
  "brightMagenta",
]

/**
 * Does this stream want colour? FORCE_COLOR says yes, then NO_COLOR says no, then it is whether a person looks at it.
 *
 * @example wantsColor({ isTTY: true }, { NO_COLOR: "1" }) // false
 */
export function wantsColor(
  stream: { isTTY?: boolean },
  env: Record<string, string | undefined> = process.env,
): boolean {
  const force = env.FORCE_COLOR
  if (force !== undefined && force !== "") return force !== "0" && force !== "false"
  if (env.NO_COLOR) return false
  return stream.isTTY === true && env.TERM !== "dumb"
}

/** A {@link Paint} that colours, or one that does nothing. */
export function painter(color: boolean): Paint {
  if (!color) return (_style, text) => text
  return (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`
}
