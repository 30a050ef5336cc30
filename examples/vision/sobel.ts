/**
 * Writes how strongly the brightness of an RGB image changes at each pixel.
 *
 * @param rgb    three bytes a pixel, read where they lie
 * @param edges  one byte a pixel, 0 to 255
 */
export function sobel(rgb: Uint8Array, width: number, height: number, edges: Uint8Array): void {
  const grey = greyOf(rgb, width * height)
  edges.fill(0, 0, width)
  edges.fill(0, (height - 1) * width)
  for (let y = 1; y < height - 1; y++) {
    const row = y * width
    edges[row] = 0
    edges[row + width - 1] = 0
    for (let at = row + 1; at < row + width - 1; at++) {
      const nw = grey[at - width - 1]!
      const ne = grey[at - width + 1]!
      const sw = grey[at + width - 1]!
      const se = grey[at + width + 1]!
      const dx = ne + 2 * grey[at + 1]! + se - nw - 2 * grey[at - 1]! - sw
      const dy = sw + 2 * grey[at + width]! + se - nw - 2 * grey[at - width]! - ne
      const strength = (Math.abs(dx) + Math.abs(dy)) >> 1
      edges[at] = strength > 255 ? 255 : strength
    }
  }
}

let scratch = new Uint8Array(0)

function greyOf(rgb: Uint8Array, pixels: number): Uint8Array {
  if (scratch.length !== pixels) scratch = new Uint8Array(pixels)
  for (let i = 0, at = 0; i < pixels; i++, at += 3) {
    scratch[i] = (rgb[at]! + 2 * rgb[at + 1]! + rgb[at + 2]!) >> 2
  }
  return scratch
}
