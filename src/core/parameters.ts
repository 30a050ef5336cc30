/**
 * The parameters of a message: bool, integer, float, string, or a list of those. A JavaScript integer is sent as
 * an integer and comes back as `number` when it is safe, else as `bigint`; use {@link Float} to send a whole number as
 * float. A float comes back as `number`, a whole one as {@link Float}: `Number(value)` is a number in every case.
 */
export type Parameters = Record<string, Parameter>
/** One parameter value. */
export type Parameter =
  | boolean
  | number
  | bigint
  | string
  | Date
  | Float
  | readonly (number | bigint)[]
  /** A list of floats, also when all of them are whole. */
  | Float64Array
  | readonly string[]

/**
 * A number that is a float on the wire even when it is whole, as `2.0` in Python.
 *
 * @example await node.sendOutput("pose", data, { scale: new Float(2) })
 */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
  valueOf(): number {
    return this.value
  }
}
