// Pictures in a terminal: each character cell shows two pixels, the upper as "▀" and the lower as its background.
import { closeSync, constants, openSync, writeSync } from "node:fs"
import { WriteStream } from "node:tty"
import type { Parameters } from "dora-bun"

/** A picture of the size of the screen: three bytes a pixel. */
type Thumbnail = { columns: number; rows: number; rgb: Uint8Array }

const MOST_COLUMNS = 72

/** The upper part of a terminal; log lines go on scrolling below it. */
export type Screen = Disposable & {
  /** Draws a picture to the left (0) or to the right (1). */
  draw(place: number, pixels: Uint8Array, parameters: Parameters): void
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
  // Clear, scroll only below the pictures, and put the cursor there.
  writeSync(fd, `\x1b[2J\x1b[${height + 2};${rows}r\x1b[${height + 2};1H`)
  return {
    draw(place, pixels, parameters) {
      const picture = shrink(pixels, parameters, width, height * 2)
      const text = paint(picture, place * (width + 1) + 1)
      writeSync(fd, `\x1b7\x1b[?25l${text}\x1b[0m\x1b8\x1b[?25h`)
    },
    [Symbol.dispose]() {
      writeSync(fd, "\x1b7\x1b[r\x1b8")
      closeSync(fd)
    },
  }
}

/** One pixel for each block of the picture: the mean colour, or the strongest edge, which must not get lost. */
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
  for (let at = 0; at < rgb.length; at++) {
    const cell = Math.floor(at / 3)
    const left = Math.floor(((cell % columns) * width) / columns)
    const right = Math.floor((((cell % columns) + 1) * width) / columns)
    const top = Math.floor((Math.floor(cell / columns) * height) / rows)
    const bottom = Math.floor(((Math.floor(cell / columns) + 1) * height) / rows)
    let sum = 0
    let strongest = 0
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) {
        const value = pixels[(y * width + x) * channels + (channels === 3 ? at % 3 : 0)]!
        sum += value
        if (value > strongest) strongest = value
      }
    }
    rgb[at] = channels === 3 ? sum / ((bottom - top) * (right - left)) : strongest
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
