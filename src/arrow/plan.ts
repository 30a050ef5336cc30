// Which Arrow type JavaScript values become. The answer depends on the values alone, never on what was sent before.
import { MAX_ARROW_DEPTH, MAX_ARROW_FIELDS, MAX_ARROW_ITEMS } from "../core/limits.ts"
import { ArrowTypeError } from "./errors.ts"
import { Field, kindOf, PRIMITIVES, type TypedArray, TypeId } from "./types.ts"

/** What a single JavaScript value is. */
export type Category =
  | "null"
  | "number"
  | "bigint"
  | "boolean"
  | "string"
  | "Date"
  | "bytes"
  | "array"
  | "object"
  | TypedCategory
  | ""
/** A typed array inside of other values, by its name. */
export type TypedCategory = `${string}Array`

/** How the values of one column are written. */
export type Plan = {
  readonly category: Category
  readonly field: Field
  /** One plan for each child of the field. */
  readonly children: readonly Plan[]
  /** Keys of rows that every object inherits, so that a missing one has to be told from the inherited one. */
  readonly inherited: boolean
}

/**
 * The category of a value; "" when it has none.
 *
 * @example categoryOf(new Date()) // "Date"
 */
export function categoryOf(value: unknown): Category {
  switch (typeof value) {
    case "number":
    case "bigint":
    case "boolean":
    case "string":
      return typeof value as Category
    case "undefined":
      return "null"
    case "object":
      break
    default:
      return ""
  }
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array || value instanceof DataView) return "bytes"
    return (value as TypedArray)[Symbol.toStringTag] as TypedCategory
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return "object"
  if (value instanceof Date) return "Date"
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return "bytes"
  return ""
}

/**
 * The plan for a column of values.
 *
 * @param name  how messages call the value at an index
 * @throws ArrowTypeError  mixed or unknown values, nesting without end
 */
export function planFor(values: readonly unknown[], name: (index: number) => string): Plan {
  return new Planner().column("data", values, name, 1)
}

type Namer = (index: number) => string

class Planner {
  #fields = 0

  column(key: string, values: readonly unknown[], name: Namer, depth: number): Plan {
    if (depth > MAX_ARROW_DEPTH) {
      throw new ArrowTypeError(`${name(0)} is nested deeper than ${MAX_ARROW_DEPTH} levels`)
    }
    if (++this.#fields > MAX_ARROW_FIELDS) {
      throw new ArrowTypeError(`the value has more than ${MAX_ARROW_FIELDS} fields`)
    }
    const category = commonCategory(values, name)
    const field = new Field(typeOf(category))
    field.name = key
    const children = this.#children(field, category, values, name, depth)
    for (const child of children) field.children.push(child.field)
    const inherited = children.some((child) => child.field.name in Object.prototype)
    return { category, field, children, inherited }
  }

  #children(
    field: Field,
    category: Category,
    values: readonly unknown[],
    name: Namer,
    depth: number,
  ): Plan[] {
    switch (category) {
      case "number":
        field.width = 8
        return []
      case "bigint":
        field.width = 8
        field.signed = true
        return []
      case "Date":
        field.width = 8
        // TimeUnit.MILLISECOND
        field.unit = 1
        return []
      case "array": {
        const lists = values as (unknown[] | null | undefined)[]
        const items: unknown[] = []
        for (const list of lists) {
          for (let i = 0; i < (list?.length ?? 0); i++) items.push(list![i])
          checkItems(items.length)
        }
        return [this.column("item", items, elementNamer(lists, name), depth + 1)]
      }
      case "object":
        return this.#rows(values as Row[], name, depth)
    }
    if (!category.endsWith("Array")) return []
    const primitive = PRIMITIVES[kindOf(category)]!.field
    const element = Object.assign(new Field(primitive.id), primitive, { name: "item" })
    return [{ category: "", field: element, children: [], inherited: false }]
  }

  #rows(rows: Row[], name: Namer, depth: number): Plan[] {
    const keys = new Set<string>()
    for (const row of rows) {
      if (row === null || row === undefined) continue
      for (const key of Object.keys(row)) keys.add(key)
    }
    return Array.from(keys, (key) => {
      const values = rows.map((row) => valueAt(row, key))
      return this.column(key, values, (i) => `${name(i)}.${key}`, depth + 1)
    })
  }
}

/** One row of a struct column. */
export type Row = Record<string, unknown> | null | undefined

/** An own value of a row. */
export function valueAt(row: Row, key: string): unknown {
  return row !== null && row !== undefined && Object.hasOwn(row, key) ? row[key] : undefined
}

/** Lists that contain themselves several times would never end before memory does. */
export function checkItems(count: number): void {
  if (count <= MAX_ARROW_ITEMS) return
  const fix = "send typed arrays, or fewer at a time"
  throw new ArrowTypeError(`nested lists have more than ${MAX_ARROW_ITEMS} elements`, fix)
}

/** Names an element by the list that it stands in: indices of the joined elements mean nothing to a user. */
function elementNamer(lists: readonly (unknown[] | null | undefined)[], name: Namer): Namer {
  return (index) => {
    let rest = index
    for (let i = 0; i < lists.length; i++) {
      const length = lists[i]?.length ?? 0
      if (rest < length) return `${name(i)}[${rest}]`
      rest -= length
    }
    return `${name(0)}[]`
  }
}

function commonCategory(values: readonly unknown[], name: Namer): Category {
  let common: Category = "null"
  let first = 0
  for (let i = 0; i < values.length; i++) {
    const category = categoryOf(values[i])
    if (category === "null" || category === common) continue
    if (category === "") throw unsendable(values[i], name(i))
    if (common !== "null") {
      throw new ArrowTypeError(
        `${name(i)} is ${withArticle(category)}, but ${name(first)} is ${withArticle(common)}`,
        "a column has one type: convert its elements, or send an object with a key for each",
      )
    }
    common = category
    first = i
  }
  return common
}

function unsendable(value: unknown, name: string): ArrowTypeError {
  const what =
    typeof value === "object"
      ? withArticle(value?.constructor?.name || "object without a class")
      : withArticle(typeof value)
  const fix = "send numbers, strings, booleans, dates, bytes, arrays or plain objects of them"
  return new ArrowTypeError(`${name} is ${what}, which has no Arrow form`, fix)
}

function withArticle(noun: string): string {
  return `${/^[aeiouAEIO]/.test(noun) ? "an" : "a"} ${noun}`
}

function typeOf(category: Category): number {
  switch (category) {
    case "null":
      return TypeId.Null
    case "number":
      return TypeId.Float
    case "bigint":
      return TypeId.Int
    case "boolean":
      return TypeId.Bool
    case "string":
      return TypeId.Utf8
    case "Date":
      return TypeId.Timestamp
    case "bytes":
      return TypeId.Binary
    case "object":
      return TypeId.Struct
    default:
      return TypeId.List
  }
}
