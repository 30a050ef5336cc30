// JavaScript values → batches, after a plan. Writing and checking are one pass, so a plan can be tried on the next message
// before anything is worked out anew.
import { MAX_PAYLOAD_BYTES } from "../core/limits.ts"
import type { Batch } from "./batch.ts"
import { setBit } from "./bits.ts"
import { ArrowTypeError, PayloadTooLargeError } from "./errors.ts"
import { putInt64 } from "./flatbuffer.ts"
import { categoryOf, checkItems, type Plan, type Row, valueAt } from "./plan.ts"
import type { TypedArray } from "./types.ts"

/** Adds columns of JavaScript values to a batch. */
export class ValueWriter {
  readonly #batch: Batch
  // Columns of nested values are gathered here, one list for each level at work.
  readonly #gathered: unknown[][] = []
  #level = 0

  constructor(batch: Batch) {
    this.#batch = batch
  }

  /**
   * Adds a column.
   *
   * @returns false when the values call for another plan; the batch is spoilt then
   * @throws ArrowTypeError  an integer or a date out of range
   */
  add(plan: Plan, values: readonly unknown[]): boolean {
    this.#level = 0
    return this.#column(plan, values)
  }

  #column(plan: Plan, values: readonly unknown[]): boolean {
    const batch = this.#batch
    const count = values.length
    const nullCount = nullsIn(values)
    // A column of nothing but nulls has the type Null, whatever it was in the last message.
    if ((nullCount === count) !== (plan.category === "null")) return false
    batch.node(count, nullCount)
    if (plan.category === "null") return true
    this.#validity(values, nullCount)
    switch (plan.category) {
      case "number":
        return this.#numbers(values)
      case "bigint":
        return this.#bigints(values)
      case "boolean":
        return this.#booleans(values)
      case "string":
        return this.#strings(values)
      case "Date":
        return this.#dates(values)
      case "bytes":
        return this.#binaries(values)
      case "array":
        return this.#lists(plan.children[0]!, values)
      case "object":
        return this.#rows(plan, values)
      default:
        return this.#typedArrays(plan, values)
    }
  }

  #validity(values: readonly unknown[], nullCount: number): void {
    const batch = this.#batch
    if (nullCount === 0) {
      batch.buffer(0)
      return
    }
    const size = Math.ceil(values.length / 8)
    batch.buffer(size)
    const start = batch.zeros(size)
    batch.own(start, size)
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (value !== null && value !== undefined) setBit(batch.scratch, start * 8 + i)
    }
  }

  /** Opens a buffer of `size` zero bytes in the scratch and returns their place. */
  #own(size: number): number {
    const batch = this.#batch
    batch.buffer(size)
    const start = batch.zeros(size)
    batch.own(start, size)
    return start
  }

  #numbers(values: readonly unknown[]): boolean {
    let at = this.#own(values.length * 8)
    const { view } = this.#batch
    for (let i = 0; i < values.length; i++, at += 8) {
      const value = values[i]
      if (typeof value === "number") view.setFloat64(at, value, true)
      else if (value !== null && value !== undefined) return false
    }
    return true
  }

  #bigints(values: readonly unknown[]): boolean {
    let at = this.#own(values.length * 8)
    const { view } = this.#batch
    for (let i = 0; i < values.length; i++, at += 8) {
      const value = values[i]
      if (typeof value === "bigint") view.setBigInt64(at, checkedInt64(value, i), true)
      else if (value !== null && value !== undefined) return false
    }
    return true
  }

  #booleans(values: readonly unknown[]): boolean {
    const start = this.#own(Math.ceil(values.length / 8))
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (value === true) setBit(this.#batch.scratch, start * 8 + i)
      else if (value !== false && value !== null && value !== undefined) return false
    }
    return true
  }

  #dates(values: readonly unknown[]): boolean {
    let at = this.#own(values.length * 8)
    const { view } = this.#batch
    for (let i = 0; i < values.length; i++, at += 8) {
      const value = values[i]
      if (value instanceof Date) {
        const time = value.getTime()
        if (Number.isNaN(time)) throw new ArrowTypeError(`element ${i} is an invalid date`)
        putInt64(view, at, time)
      } else if (value !== null && value !== undefined) return false
    }
    return true
  }

  #strings(values: readonly unknown[]): boolean {
    const batch = this.#batch
    let offsets = this.#own((values.length + 1) * 4)
    const start = batch.reserve(0)
    let end = start
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (typeof value === "string") end = writeText(batch, end, value)
      else if (value !== null && value !== undefined) return false
      offsets += 4
      batch.view.setInt32(offsets, end - start, true)
    }
    batch.buffer(end - start)
    batch.own(start, end - start)
    return true
  }

  #binaries(values: readonly unknown[]): boolean {
    const batch = this.#batch
    let offsets = this.#own((values.length + 1) * 4)
    const sources: Uint8Array[] = []
    let size = 0
    for (const value of values) {
      if (value !== null && value !== undefined) {
        if (categoryOf(value) !== "bytes") return false
        const bytes = bytesOf(value as ArrayBufferView | ArrayBufferLike)
        size = fitting(size + bytes.byteLength)
        sources.push(bytes)
      }
      offsets += 4
      batch.view.setInt32(offsets, size, true)
    }
    batch.buffer(size)
    for (const bytes of sources) batch.part(bytes, 0, bytes.byteLength)
    return true
  }

  #typedArrays(plan: Plan, values: readonly unknown[]): boolean {
    const batch = this.#batch
    let offsets = this.#own((values.length + 1) * 4)
    const sources: Uint8Array[] = []
    const { width } = plan.field.children[0]!
    let size = 0
    for (const value of values) {
      if (value !== null && value !== undefined) {
        if (categoryOf(value) !== plan.category) return false
        const bytes = bytesOf(value as TypedArray)
        size = fitting(size + bytes.byteLength)
        sources.push(bytes)
      }
      offsets += 4
      batch.view.setInt32(offsets, size / width, true)
    }
    batch.node(size / width, 0)
    batch.buffer(0)
    batch.buffer(size)
    for (const bytes of sources) batch.part(bytes, 0, bytes.byteLength)
    return true
  }

  #lists(item: Plan, values: readonly unknown[]): boolean {
    let offsets = this.#own((values.length + 1) * 4)
    const items = this.#gather()
    for (const value of values) {
      if (Array.isArray(value)) for (let i = 0; i < value.length; i++) items.push(value[i])
      else if (value !== null && value !== undefined) return false
      checkItems(items.length)
      offsets += 4
      this.#batch.view.setInt32(offsets, items.length, true)
    }
    const done = this.#column(item, items)
    this.#drop(items)
    return done
  }

  #rows(plan: Plan, values: readonly unknown[]): boolean {
    for (const value of values) {
      if (value === null || value === undefined) continue
      if (categoryOf(value) !== "object") return false
    }
    const rows = values as readonly Row[]
    if (!sameKeys(plan, rows)) return false
    for (const child of plan.children) {
      const key = child.field.name
      const column = this.#gather()
      for (let i = 0; i < rows.length; i++) {
        column.push(plan.inherited ? valueAt(rows[i], key) : rows[i]?.[key])
      }
      if (!this.#column(child, column)) return false
      this.#drop(column)
    }
    return true
  }

  #gather(): unknown[] {
    const list = this.#gathered[this.#level] ?? []
    this.#gathered[this.#level++] = list
    list.length = 0
    return list
  }

  #drop(list: unknown[]): void {
    // Emptied, so that nothing of the user's is kept alive.
    list.length = 0
    this.#level--
  }
}

/** Are the keys of the rows, in the order of their first appearance, those of the plan? */
function sameKeys(plan: Plan, rows: readonly Row[]): boolean {
  const { children } = plan
  let seen = 0
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r]
    let at = 0
    for (const key in row) {
      // Mostly the next key of the plan; else one that an earlier row had; else a new one, next in the plan.
      if (at < children.length && at <= seen && children[at]!.field.name === key) {
        if (++at > seen) seen = at
      } else if (!hasKey(plan, key, seen)) {
        if (children[seen]?.field.name !== key) return false
        seen++
      }
    }
  }
  return seen === children.length
}

function hasKey(plan: Plan, key: string, seen: number): boolean {
  for (let i = 0; i < seen; i++) if (plan.children[i]!.field.name === key) return true
  return false
}

function nullsIn(values: readonly unknown[]): number {
  let count = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (value === null || value === undefined) count++
  }
  return count
}

function checkedInt64(value: bigint, index: number): bigint {
  if (BigInt.asIntN(64, value) === value) return value
  const fix = "send a BigUint64Array, or a float, or a string"
  throw new ArrowTypeError(`element ${index}, ${value}, does not fit into int64`, fix)
}

function fitting(size: number): number {
  if (size > MAX_PAYLOAD_BYTES) throw new PayloadTooLargeError(size)
  return size
}

/** Writes UTF-8 at the end of the scratch and returns the new end. */
function writeText(batch: Batch, end: number, text: string): number {
  const length = text.length
  if (length === 0) return end
  // Three bytes for each unit suffice; measuring pays for long texts only.
  const most = length <= 256 ? length * 3 : Buffer.byteLength(text)
  fitting(most)
  batch.extend(most)
  const written = batch.scratch.write(text, end)
  batch.trim(end + written)
  return end + written
}

function bytesOf(value: ArrayBufferView | ArrayBufferLike): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  }
  return new Uint8Array(value)
}
