// What is looked up, and changed, in a WebAssembly module before it is compiled: the limit of its memory.
// Format: https://webassembly.github.io/spec/core/binary/modules.html

/** Bytes of a page of linear memory. */
export const WASM_PAGE_BYTES = 65_536
const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const MEMORY_SECTION = 5
const HAS_MAXIMUM = 1

/** Why a module can't be limited. */
export class WasmFormatError extends Error {}

/**
 * The same module with a memory that can't grow beyond `maxPages`.
 *
 * @throws WasmFormatError  the bytes are no module, or it has no memory of its own, or needs more from the start
 */
export function limitMemory(module: Uint8Array, maxPages: number): Uint8Array<ArrayBuffer> {
  if (!HEADER.every((byte, i) => module[i] === byte)) {
    throw new WasmFormatError("it is no WebAssembly module of version 1")
  }
  const reader = new Reader(module, HEADER.length)
  while (!reader.atEnd) {
    const start = reader.at
    const id = reader.byte()
    const size = reader.u32()
    const content = reader.at
    if (id !== MEMORY_SECTION) {
      reader.skip(size)
      continue
    }
    const limited = memorySection(reader, content + size, maxPages)
    const parts = [module.subarray(0, start), limited, module.subarray(content + size)]
    return new Uint8Array(Buffer.concat(parts))
  }
  throw new WasmFormatError("it has no memory of its own")
}

function memorySection(reader: Reader, end: number, maxPages: number): Uint8Array {
  const count = reader.u32()
  const flags = reader.byte()
  if (count !== 1 || (flags !== 0 && flags !== HAS_MAXIMUM)) {
    throw new WasmFormatError("it has several memories, or one that is shared or of 64 bits")
  }
  const least = reader.u32()
  const most = flags === HAS_MAXIMUM ? reader.u32() : maxPages
  if (reader.at !== end) throw new WasmFormatError("its memory section has a wrong size")
  if (least > maxPages) {
    const mib = (pages: number) => `${(pages * WASM_PAGE_BYTES) / 1024 / 1024} MiB`
    throw new WasmFormatError(
      `it begins with ${mib(least)} of memory; it may have ${mib(maxPages)}`,
    )
  }
  const content = [1, HAS_MAXIMUM, ...encode(least), ...encode(Math.min(most, maxPages))]
  return Uint8Array.from([MEMORY_SECTION, ...encode(content.length), ...content])
}

class Reader {
  readonly #bytes: Uint8Array
  at: number

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes
    this.at = at
  }

  get atEnd(): boolean {
    return this.at >= this.#bytes.byteLength
  }

  byte(): number {
    const byte = this.#bytes[this.at++]
    if (byte === undefined) throw new WasmFormatError("it ends in the middle of a section")
    return byte
  }

  u32(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new WasmFormatError("a number is longer than 32 bits")
  }

  skip(bytes: number): void {
    this.at += bytes
    if (this.at > this.#bytes.byteLength) {
      throw new WasmFormatError("it ends in the middle of a section")
    }
  }
}

function encode(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest % 128) | 0x80)
  }
}
