// Inputs of an operator of a shared library, as Arrow arrays over the bytes of the rings.
import type { Pointer } from "bun:ffi"
import { figuresOf, formKey, viewCounts } from "../arrow/c-batch.ts"
import { nodesOf, planOf, unknownSchemaKey, writeSchemaKey } from "../arrow/c-schema.ts"
import type { Layout } from "../arrow/decoder.ts"
import { Field, TypeId, typeName } from "../arrow/types.ts"
import type { InputEvent } from "../node/event.ts"
import type { Shim } from "./library-shim.ts"

/** Types that one input is known to have; what comes beyond takes the place of the oldest. */
const MAX_FORMS = 32
/** Larger messages that own their bytes are held, not copied, while the operator has them: nobody else sees such an event, so
 *  that nobody makes its bytes move. */
const HOLD_FROM_BYTES = 1024
/** The shim's answer to a message whose values lead elsewhere. */
const UNSOUND = 64
/** Nothing, at an address that exists. */
const NOTHING = new Uint8Array(new ArrayBuffer(64))
const NULL_COLUMN = new Field(TypeId.Null)
const NO_FIGURES = new Float64Array(2)

/** An input with one type, in the shim's memory, and the figures and context that it was given last. */
type Form = {
  pointer: Pointer
  layout: Layout | null
  context: string
  parameters: Uint8Array | null
}
type Input = { id: string; form: Form | null; forms: Map<string, Form> }

/** The inputs of one operator of a shared library. */
export class LibraryInputs {
  readonly #shim: Shim
  readonly #inputs = new Map<string, Input>()
  /** Messages that the operator keeps, by token. Those that were copied need not be held. */
  readonly #kept = new Map<number, InputEvent | null>()
  #operator = 0 as Pointer
  #last: Input | null = null
  #token = 0
  #held: InputEvent | null = null

  constructor(shim: Shim) {
    this.#shim = shim
  }

  /** The operator whose inputs these are. */
  attach(operator: Pointer): void {
    this.#operator = operator
  }

  /** Hands a message to the operator; the shim's answer. */
  deliver(event: InputEvent): number {
    const answer = this.#deliver(event)
    if (answer !== UNSOUND) return answer
    return this.deliverUnreadable(event.id, "its offsets or indices lead out of its values")
  }

  #deliver(event: InputEvent): number {
    const shim = this.#shim
    const layout = event.layout
    const input =
      this.#last !== null && this.#last.id === event.id ? this.#last : this.#find(event.id)
    let form = input.form
    if (form === null || form.layout !== layout) {
      if (layout?.foreign) return this.deliverUnreadable(event.id, refusal(layout))
      form = this.#select(input, layout)
    }
    if (event.encodedParameters !== form.parameters) this.#setContext(form, event)
    const { address } = event
    if (address !== 0) {
      this.#held = event
      return shim.sh_input_at(form.pointer, address as Pointer, 0)
    }
    const { bare } = event
    const bytes = (bare ?? event.data) as Uint8Array
    const shift = bare === null ? 0 : layout!.headerLength
    if (bytes.byteLength >= HOLD_FROM_BYTES) {
      this.#held = event
      return shim.sh_input_held(form.pointer, bytes, shift)
    }
    this.#held = null
    return shim.sh_input_copy(form.pointer, bytes.byteLength === 0 ? NOTHING : bytes, shift)
  }

  /** Hands over a message that can't be read, as an array whose type says why; the shim's answer. */
  deliverUnreadable(id: string, error: string): number {
    const input = this.#find(id)
    const form = this.#form(input, `!${error}`, () => {
      return this.#make(input.id, NULL_COLUMN, unknownSchemaKey(error), null)
    })
    this.#held = null
    return this.#shim.sh_input_copy(form.pointer, NOTHING, 0)
  }

  /** The operator keeps the message of the last event. */
  keep(): void {
    const token = ++this.#token & 0x7fff_ffff || ++this.#token
    this.#shim.sh_name_kept(this.#operator, token)
    this.#kept.set(token, this.#held?.retain() ?? null)
  }

  /** Gives back what the operator has let go since. */
  collect(): void {
    while (this.#kept.size > 0) {
      const token = this.#shim.sh_released(this.#operator)
      if (token === 0) return
      this.#kept.get(token)?.release()
      this.#kept.delete(token)
    }
  }

  /** Messages that the operator has kept and not let go. */
  get kept(): number {
    return this.#kept.size
  }

  #find(id: string): Input {
    const known = this.#inputs.get(id)
    const input = known ?? { id, form: null, forms: new Map<string, Form>() }
    if (!known) this.#inputs.set(id, input)
    this.#last = input
    return input
  }

  #select(input: Input, layout: Layout | null): Form {
    const key = layout === null ? "" : formKey(layout)
    const form = this.#form(input, key, () => {
      if (layout === null)
        return this.#make(input.id, NULL_COLUMN, writeSchemaKey(NULL_COLUMN), null)
      return this.#make(input.id, layout.field, writeSchemaKey(layout.field), layout)
    })
    const figures = layout === null ? NO_FIGURES : figuresOf(layout)
    this.#shim.sh_figures(form.pointer, figures, figures.length)
    form.layout = layout
    input.form = form
    return form
  }

  #form(input: Input, key: string, make: () => Form): Form {
    const known = input.forms.get(key)
    if (known) return known
    if (input.forms.size >= MAX_FORMS) {
      const [oldest, form] = input.forms.entries().next().value!
      this.#shim.sh_form_free(form.pointer)
      input.forms.delete(oldest)
      input.form = null
    }
    const form = make()
    input.forms.set(key, form)
    return form
  }

  #make(id: string, field: Field, recipe: Uint8Array, layout: Layout | null): Form {
    const plan = planOf(field, layout === null ? () => 0 : viewCounts(layout))
    const name = Buffer.from(id)
    const { length } = name
    const bytes = Buffer.from(recipe)
    const pointer = this.#shim.sh_form(this.#operator, name, length, plan, nodesOf(plan), bytes)
    return { pointer: pointer as Pointer, layout: null, context: "", parameters: null }
  }

  /** The OpenTelemetry context travels as a parameter; all others are not for operators of this kind. */
  #setContext(form: Form, event: InputEvent): void {
    const bytes = event.encodedParameters
    const last = form.parameters
    form.parameters = bytes
    if (bytes !== null && last !== null && Buffer.compare(bytes, last) === 0) return
    const value = bytes === null ? "" : event.metadata.parameters.open_telemetry_context
    const context = typeof value === "string" ? value : ""
    if (context === form.context) return
    form.context = context
    const text = Buffer.from(context)
    this.#shim.sh_context(form.pointer, text, text.byteLength)
  }
}

function refusal({ field }: Layout): string {
  return `a column of ${typeName(field)} like this can't be handed to shared libraries`
}
