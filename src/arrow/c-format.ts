// Format strings of Arrow's C data interface: a type in a few letters. Specification: "The Arrow C data interface" of the
// Arrow format 1.5.
import { ArrowTypeError } from "./errors.ts"
import { Field, TypeId } from "./types.ts"

const TIME_UNITS = ["s", "m", "u", "n"]
const INTERVALS = ["tiM", "tiD", "tin"]
const INTEGERS = "cCsSiIlL"

/** Format string of a type; of a dictionary's values when the field has one. */
export function formatOf(field: Field): string {
  const unit = TIME_UNITS[field.unit]
  switch (field.id) {
    case TypeId.Null:
      return "n"
    case TypeId.Int:
      return INTEGERS[Math.log2(field.width) * 2 + (field.signed ? 0 : 1)]!
    case TypeId.Float:
      return field.width === 2 ? "e" : field.width === 4 ? "f" : "g"
    case TypeId.Binary:
      return "z"
    case TypeId.Utf8:
      return "u"
    case TypeId.Bool:
      return "b"
    case TypeId.Decimal:
      return `d:${field.precision},${field.scale}${field.width === 16 ? "" : `,${field.width * 8}`}`
    case TypeId.Date:
      return field.unit === 0 ? "tdD" : "tdm"
    case TypeId.Time:
      return `tt${unit}`
    case TypeId.Timestamp:
      return `ts${unit}:${field.timezone ?? ""}`
    case TypeId.Duration:
      return `tD${unit}`
    case TypeId.Interval:
      return INTERVALS[field.unit]!
    case TypeId.List:
      return "+l"
    case TypeId.LargeList:
      return "+L"
    case TypeId.Struct:
      return "+s"
    case TypeId.Map:
      return "+m"
    case TypeId.Union:
      return `+u${field.unit === 0 ? "s" : "d"}:${field.typeIds.join(",")}`
    case TypeId.FixedSizeBinary:
      return `w:${field.width}`
    case TypeId.FixedSizeList:
      return `+w:${field.width}`
    case TypeId.LargeBinary:
      return "Z"
    case TypeId.LargeUtf8:
      return "U"
    case TypeId.BinaryView:
      return "vz"
    case TypeId.Utf8View:
      return "vu"
    default:
      throw new ArrowTypeError(`the C data interface of this version has no type ${field.id}`)
  }
}

const TYPES: Record<string, number> = {
  n: TypeId.Null,
  b: TypeId.Bool,
  z: TypeId.Binary,
  Z: TypeId.LargeBinary,
  u: TypeId.Utf8,
  U: TypeId.LargeUtf8,
  vz: TypeId.BinaryView,
  vu: TypeId.Utf8View,
  "+l": TypeId.List,
  "+L": TypeId.LargeList,
  "+s": TypeId.Struct,
  "+m": TypeId.Map,
}

/**
 * The type of a format string, without its children.
 *
 * @throws ArrowTypeError  the format is unknown
 */
export function parseFormat(format: string): Field {
  const plain = TYPES[format]
  if (plain !== undefined) return new Field(plain)
  const integer = format.length === 1 ? INTEGERS.indexOf(format) : -1
  if (integer >= 0) return made(TypeId.Int, 1 << (integer >> 1), { signed: integer % 2 === 0 })
  const float = format.length === 1 ? "efg".indexOf(format) : -1
  if (float >= 0) return made(TypeId.Float, 2 << float)
  const [head = "", rest = ""] = cut(format)
  const parsed = head.startsWith("t") ? parseTime(head, rest) : parseSized(head, rest)
  if (parsed) return parsed
  const shown = format.length > 100 ? `${format.slice(0, 100)}…` : format
  throw new ArrowTypeError(`the format "${shown}" is unknown or can't be sent`)
}

function cut(format: string): string[] {
  const colon = format.indexOf(":")
  return colon < 0 ? [format] : [format.slice(0, colon), format.slice(colon + 1)]
}

function made(id: number, width: number, rest: Partial<Field> = {}): Field {
  return Object.assign(new Field(id), { width, ...rest })
}

function parseTime(head: string, timezone: string): Field | null {
  const unit = TIME_UNITS.indexOf(head[2] ?? "")
  if (head === "tdD" || head === "tdm") {
    return made(TypeId.Date, head === "tdD" ? 4 : 8, { unit: head === "tdD" ? 0 : 1 })
  }
  const interval = INTERVALS.indexOf(head)
  if (interval >= 0) return made(TypeId.Interval, 4 << interval, { unit: interval })
  if (unit < 0 || head.length !== 3) return null
  if (head.startsWith("tt")) return made(TypeId.Time, unit < 2 ? 4 : 8, { unit })
  if (head.startsWith("tD")) return made(TypeId.Duration, 8, { unit })
  if (!head.startsWith("ts")) return null
  return made(TypeId.Timestamp, 8, { unit, timezone: timezone === "" ? null : timezone })
}

function parseSized(head: string, rest: string): Field | null {
  const values = rest
    .split(",")
    .map((part) => (/^-?\d{1,9}$/.test(part) ? Number(part) : Number.NaN))
  if (values.some(Number.isNaN) && !(rest === "" && head.startsWith("+u"))) return null
  const [first = 0, second = 0, bits = 128] = values
  switch (head) {
    case "w":
      return first < 0 ? null : made(TypeId.FixedSizeBinary, first)
    case "+w":
      return first < 0 ? null : made(TypeId.FixedSizeList, first)
    case "d":
      if (values.length < 2 || ![32, 64, 128, 256].includes(bits)) return null
      return made(TypeId.Decimal, bits / 8, { precision: first, scale: second })
    case "+us":
    case "+ud": {
      const typeIds = rest === "" ? [] : values
      if (typeIds.some((id) => id < 0 || id > 127)) return null
      return made(TypeId.Union, 0, { unit: head === "+us" ? 0 : 1, typeIds })
    }
    default:
      return null
  }
}
