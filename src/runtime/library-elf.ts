// What can be known of a shared library without running any of its code: the header and the dynamic symbols of an ELF file.
// Format: System V ABI, "Object Files".
import { closeSync, fstatSync, openSync, readSync } from "node:fs"

/** What a library says of itself. `symbols` is null when the file has no section that lists them. */
export type ElfLibrary = {
  machine: number
  symbols: { defined: ReadonlySet<string>; undefined: ReadonlySet<string> } | null
}

/** Machines by their number in ELF files. */
export const MACHINES: Readonly<Record<number, string>> = {
  3: "x86",
  40: "arm",
  62: "x64",
  183: "arm64",
  243: "riscv64",
}

const MAX_TABLE_BYTES = 256 * 1024 * 1024
const HEADER_BYTES = 64
const SECTION_BYTES = 64
const SYMBOL_BYTES = 24
const ELF_MAGIC = 0x464c457f
const CLASS_64 = 2
const LITTLE_ENDIAN = 1
const TYPE_SHARED = 3
const SECTION_DYNAMIC_SYMBOLS = 11
const TYPES: Readonly<Record<number, string>> = {
  1: "an object file",
  2: "a program",
  4: "a core dump",
}

/**
 * Reads the header and the dynamic symbols of a library.
 *
 * @returns a text that says what the file is instead, when it is no shared library
 * @throws the system's error when the file can't be read
 */
export function readElf(path: string): ElfLibrary | string {
  const fd = openSync(path, "r")
  try {
    if (!fstatSync(fd).isFile()) return "it is a folder or a device"
    const header = readAt(fd, 0, HEADER_BYTES)
    if (header === null) return "it has fewer bytes than the header of one"
    if (header.readUInt32LE(0) !== ELF_MAGIC) return foreign(header)
    if (header[4] !== CLASS_64 || header[5] !== LITTLE_ENDIAN)
      return "it is no 64-bit little-endian ELF file"
    const type = header.readUInt16LE(16)
    if (type !== TYPE_SHARED) return `it is ${TYPES[type] ?? `an ELF file of type ${type}`}`
    return { machine: header.readUInt16LE(18), symbols: readSymbols(fd, header) }
  } finally {
    closeSync(fd)
  }
}

function foreign(header: Buffer): string {
  if (header.readUInt16BE(0) === 0x4d5a) return "it is a Windows file"
  const magic = header.readUInt32LE(0)
  if (magic === 0xfeedfacf || magic === 0xbebafeca) return "it is a macOS file"
  if (header.subarray(0, 8).toString("latin1") === "!<arch>\n") return "it is a static library"
  return "it is no ELF file"
}

/** Null when it is not all there. */
function readAt(fd: number, position: number, length: number): Buffer | null {
  if (length > MAX_TABLE_BYTES) return null
  const bytes = Buffer.alloc(length)
  return readSync(fd, bytes, 0, length, position) === length ? bytes : null
}

function readSymbols(fd: number, header: Buffer): ElfLibrary["symbols"] {
  const count = header.readUInt16LE(60)
  const sections = readAt(fd, Number(header.readBigUInt64LE(40)), count * SECTION_BYTES)
  if (sections === null) return null
  for (let at = 0; at < sections.length; at += SECTION_BYTES) {
    if (sections.readUInt32LE(at + 4) !== SECTION_DYNAMIC_SYMBOLS) continue
    const symbols = contentOf(fd, sections, at)
    const names = contentOf(fd, sections, sections.readUInt32LE(at + 40) * SECTION_BYTES)
    return symbols && names ? sortSymbols(symbols, names) : null
  }
  return null
}

function contentOf(fd: number, sections: Buffer, at: number): Buffer | null {
  if (at + SECTION_BYTES > sections.length) return null
  const offset = Number(sections.readBigUInt64LE(at + 24))
  return readAt(fd, offset, Number(sections.readBigUInt64LE(at + 32)))
}

function sortSymbols(symbols: Buffer, names: Buffer): ElfLibrary["symbols"] {
  const defined = new Set<string>()
  const missing = new Set<string>()
  for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
    const start = symbols.readUInt32LE(at)
    const end = names.indexOf(0, start)
    if (start === 0 || end < 0) continue
    const name = names.toString("latin1", start, end)
    if (symbols.readUInt16LE(at + 6) === 0) missing.add(name)
    else defined.add(name)
  }
  return { defined, undefined: missing }
}
