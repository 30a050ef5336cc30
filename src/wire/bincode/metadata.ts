// Stamps and parameters of dora 0.4 and 0.5. Section 8.2 of the protocol reference.
import type { Stamp } from "../../core/clock.ts"
import {
  readForeignParameters,
  readStamp as readAnyStamp,
  VARIANTS,
  writeStamp as writeAnyStamp,
} from "../metadata.ts"
import { Reader, WireError, Writer } from "../postcard.ts"
import type { BincodeReader, BincodeWriter } from "./codec.ts"
import type { OldRelease } from "./messages.ts"

const { BOOL, INTEGER, TEXT, LIST_INTEGER, FLOAT, LIST_FLOAT, LIST_TEXT, TIMESTAMP } = VARIANTS
const ITEM: Record<number, number> = {
  [LIST_INTEGER]: INTEGER,
  [LIST_FLOAT]: FLOAT,
  [LIST_TEXT]: TEXT,
}

/** The parameter that is always there, as dora 0.x has it. */
export const CONTEXT = "open_telemetry_context"

/** Writes a stamp. In 0.x nobody's clock has a name of zeros only: who receives such a stamp loses all that it came with. */
export function writeStamp(writer: BincodeWriter, stamp: Stamp): void {
  const { id } = stamp
  writeAnyStamp(writer, id.some((byte) => byte !== 0) ? stamp : { ...stamp, id: NAMED })
}

const NAMED = new Uint8Array(16).fill(1, 0, 1)

/** Reads a stamp; its name is a view of the bytes read. @throws WireError */
export function readStamp(reader: BincodeReader): Stamp {
  const stamp = readAnyStamp(reader)
  if (stamp.id.every((byte) => byte === 0)) throw new WireError("a clock without a name")
  return stamp
}

/** Reads parameters. @returns as 1.x encodes them; null when there are none @throws WireError */
export function readOldParameters(reader: BincodeReader): Uint8Array | null {
  const writer = new Writer()
  copyParameters(reader, writer, () => true)
  return readForeignParameters(new Reader(writer.bytes))
}

/**
 * Writes parameters that are encoded for 1.x.
 *
 * @returns names of those that nodes of this release can't have
 */
export function writeOldParameters(
  writer: BincodeWriter,
  encoded: Uint8Array | null,
  { timestamps }: OldRelease,
): string[] {
  if (encoded === null) {
    writer.varint(0)
    return []
  }
  const unknown: string[] = []
  copyParameters(new Reader(encoded), writer, (key, variant) => {
    const known = variant < TIMESTAMP || timestamps
    if (!known) unknown.push(key)
    return known
  })
  return unknown
}

/** From one encoding into the other; the variants are the same in both. */
function copyParameters(
  reader: Reader,
  writer: Writer,
  wanted: (key: string, variant: number) => boolean,
): void {
  const all = reader.list(() => {
    const key = reader.text()
    const variant = reader.variant()
    return { key, variant, value: readValue(reader, variant) }
  }, 3)
  const kept = all.filter(({ key, variant }) => wanted(key, variant))
  writer.varint(kept.length)
  for (const { key, variant, value } of kept) {
    writer.text(key).variant(variant)
    writeValue(writer, variant, value)
  }
}

type Value = boolean | number | bigint | string | Value[]

function readValue(reader: Reader, variant: number): Value {
  switch (variant) {
    case BOOL:
      return reader.bool()
    case INTEGER:
      return reader.signed()
    case FLOAT:
      return reader.double()
    case TEXT:
    case TIMESTAMP:
      return reader.text()
    case LIST_INTEGER:
    case LIST_FLOAT:
    case LIST_TEXT:
      return reader.list(() => readValue(reader, ITEM[variant]!))
    default:
      throw new WireError(`parameter of unknown type ${variant}`)
  }
}

function writeValue(writer: Writer, variant: number, value: Value): void {
  if (Array.isArray(value)) {
    writer.varint(value.length)
    for (const item of value) writeValue(writer, ITEM[variant]!, item)
  } else if (typeof value === "boolean") writer.bool(value)
  else if (typeof value === "string") writer.text(value)
  else if (variant === FLOAT) writer.double(value as number)
  else writer.signed(value)
}
