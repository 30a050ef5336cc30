/**
 * Lays out rows in columns, the first to the left and the others to the right.
 *
 * @example table([["edge", "messages"], ["a/b → c/d", "12"]])
 */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, width(cell))
  }
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = " ".repeat(widths[i]! - width(cell))
        return i === 0 ? cell + space : space + cell
      })
      .join("  ")
      .trimEnd(),
  )
}

function width(text: string): number {
  return Bun.stringWidth(text)
}
