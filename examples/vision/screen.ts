// Pictures in a terminal: each character cell shows two pixels, the upper as "▀" and the lower as its background.
import { closeSync, constants, openSync, writeSync } from "node:fs"
import { WriteStream } from "node:tty"
import type { Parameters } from "dora-bun"

/** A picture of the size of the screen: three bytes a pixel. */
type Thumbnail = { columns: number; rows: number; rgb: Uint8Array }

const MOST_COLUMNS = 72

/** The upper part of a terminal; log lines go on scrolling below it. */
export type Screen = Disposable & {
  /** Keeps a small copy of a picture: the message's memory goes back to its sender. */
  keep(id: string, pixels: Uint8Array, parameters: Parameters): void
  draw(ids: readonly string[]): void
}

/**
 * Takes the upper part of a terminal for pictures until it is disposed.
 *
 * @param path  device of the terminal, as `/dev/pts/3`
 */
export function openScreen(path: string): Screen {
  const fd = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
  const { columns = 80, rows = 24 } = new WriteStream(fd)
  const width = Math.min(MOST_COLUMNS, Math.floor((columns - 1) / 2))
  const height = Math.max(1, Math.min(rows - 8, Math.round((width * 3) / 8)))
  const pictures = new Map<string, Thumbnail>()
  // Clear, scroll only below the pictures, and put the cursor there.
  writeSync(fd, `\x1b[2J\x1b[${height + 2};${rows}r\x1b[${height + 2};1H`)
  return {
    keep(id, pixels, parameters) {
      pictures.set(id, shrink(pixels, parameters, width, height * 2))
    },
    draw(ids) {
      let text = "\x1b7\x1b[?25l"
      for (const [place, id] of ids.entries()) {
        const picture = pictures.get(id)
        if (picture) text += paint(picture, place * (width + 1) + 1)
      }
      writeSync(fd, `${text}\x1b[0m\x1b8\x1b[?25h`)
    },
    [Symbol.dispose]() {
      writeSync(fd, "\x1b7\x1b[r\x1b8")
      closeSync(fd)
    },
  }
}

function shrink(
  pixels: Uint8Array,
  parameters: Parameters,
  columns: number,
  rows: number,
): Thumbnail {
  const width = parameters.width as number
  const height = parameters.height as number
  const channels = parameters.encoding === "rgb8" ? 3 : 1
  const rgb = new Uint8Array(columns * rows * 3)
  for (let y = 0, at = 0; y < rows; y++) {
    const line = Math.floor(((y + 0.5) * height) / rows) * width
    for (let x = 0; x < columns; x++) {
      const from = (line + Math.floor(((x + 0.5) * width) / columns)) * channels
      for (let c = 0; c < 3; c++) rgb[at++] = pixels[from + (channels === 3 ? c : 0)]!
    }
  }
  return { columns, rows, rgb }
}

function paint({ columns, rows, rgb }: Thumbnail, left: number): string {
  let text = ""
  for (let y = 0; y < rows; y += 2) {
    text += `\x1b[${y / 2 + 1};${left}H`
    for (let x = 0; x < columns; x++) {
      const upper = (y * columns + x) * 3
      const lower = upper + columns * 3
      text += `\x1b[38;2;${rgb[upper]};${rgb[upper + 1]};${rgb[upper + 2]}m`
      text += `\x1b[48;2;${rgb[lower]};${rgb[lower + 1]};${rgb[lower + 2]}m▀`
    }
  }
  return text
}
