// Inputs of an operator of a shared library, as Arrow arrays over the bytes of the rings.
import type { Pointer } from "bun:ffi"
import { figuresOf, formKey, viewCounts } from "../arrow/c-batch.ts"
import { nodesOf, planOf, unknownSchemaKey, writeSchemaKey } from "../arrow/c-schema.ts"
import type { Layout } from "../arrow/decoder.ts"
import { Field, TypeId, typeName } from "../arrow/types.ts"
import type { InputEvent, InputSource } from "../node/event.ts"
import type { Shim } from "./library-shim.ts"

/** Types that one input is known to have; what comes beyond takes the place of the oldest. */
const MAX_FORMS = 32
/** Larger messages that own their bytes are held, not copied, while the operator has them: nobody else sees such an event, so
 *  that nobody makes its bytes move. */
const HOLD_FROM_BYTES = 1024
/** Nothing, at an address that exists. */
const NOTHING = new Uint8Array(new ArrayBuffer(64))
const NULL_COLUMN = new Field(TypeId.Null)
const NO_FIGURES = new Float64Array(2)

/** An input with one type, in the shim's memory, and the figures and context that it was given last. */
type Form = {
  id: string
  pointer: Pointer
  layout: Layout | null
  /** Where the last message of this layout came from, and by what number. */
  source: InputSource | null
  template: number
  context: string
  parameters: Uint8Array | null
}
const NO_FORM: Form = {
  id: "",
  pointer: 0 as Pointer,
  layout: null,
  source: null,
  template: 0,
  context: "",
  parameters: null,
}
type Input = { id: string; form: Form | null; forms: Map<string, Form> }

/** The inputs of one operator of a shared library. */
export class LibraryInputs {
  readonly #shim: Shim
  readonly #inputs = new Map<string, Input>()
  /** Messages that the operator keeps, by token. Those that were copied need not be held. */
  readonly #kept = new Map<number, InputEvent | null>()
  #operator = 0 as Pointer
  #last = NO_FORM
  #token = 0

  constructor(shim: Shim) {
    this.#shim = shim
  }

  /** The operator whose inputs these are. */
  attach(operator: Pointer): void {
    this.#operator = operator
  }

  /** Hands a message to the operator; the shim's answer. */
  deliver(event: InputEvent): number {
    const last = this.#last
    const { bare } = event
    // Most messages are like the one before: to be told by what they carry, without a look at their layout.
    if (
      bare !== null &&
      last.source === event.source &&
      last.template === event.template &&
      last.parameters === event.encodedParameters
    )
      return this.#shim.sh_body(last.pointer, bare as Uint8Array)
    const same = last.id === event.id && last.layout === event.layout
    const form = same && last.parameters === event.encodedParameters ? last : this.#formOf(event)
    const { address } = event
    if (address !== 0) return this.#shim.sh_input_at(form.pointer, address as Pointer)
    if (bare !== null) return this.#shim.sh_body(form.pointer, bare as Uint8Array)
    const { data } = event
    const bytes = data.byteLength === 0 ? NOTHING : data
    return this.#shim.sh_input(form.pointer, bytes, isHeld(data) ? 0 : 1)
  }

  /** Hands over a message that can't be read, as an array whose type says why; the shim's answer. */
  deliverUnreadable(id: string, error: string): number {
    return this.#shim.sh_input(this.#unreadable(this.#find(id), error).pointer, NOTHING, 1)
  }

  /** The operator keeps the message of the last event; null: one without bytes. */
  keep(event: InputEvent | null): void {
    const token = ++this.#token & 0x7fff_ffff || ++this.#token
    this.#shim.sh_name_kept(this.#operator, token)
    const held = event !== null && (event.borrowed || isHeld(event.bare ?? event.data))
    this.#kept.set(token, held ? event.retain() : null)
  }

  /** Gives back what the operator has let go since. */
  collect(): void {
    for (;;) {
      const token = this.#shim.sh_released(this.#operator)
      if (token === 0) return
      this.#kept.get(token)?.release()
      this.#kept.delete(token)
    }
  }

  /** What the shim knows of messages like this one, brought up to date. */
  #formOf(event: InputEvent): Form {
    const { layout } = event
    let form = this.#last
    if (form.id !== event.id || form.layout !== layout) form = this.#select(event.id, layout)
    if (event.encodedParameters !== form.parameters) this.#setContext(form, event)
    form.source = event.source
    form.template = event.template
    this.#last = form
    return form
  }

  #find(id: string): Input {
    const known = this.#inputs.get(id)
    const input = known ?? { id, form: null, forms: new Map<string, Form>() }
    if (!known) this.#inputs.set(id, input)
    return input
  }

  #select(id: string, layout: Layout | null): Form {
    const input = this.#find(id)
    if (input.form !== null && input.form.layout === layout) return input.form
    if (layout?.foreign) return this.#unreadable(input, refusal(layout))
    const key = layout === null ? "" : formKey(layout)
    const form = this.#form(input, key, () => {
      if (layout === null)
        return this.#make(input.id, NULL_COLUMN, writeSchemaKey(NULL_COLUMN), null)
      return this.#make(input.id, layout.field, writeSchemaKey(layout.field), layout)
    })
    const figures = layout === null ? NO_FIGURES : figuresOf(layout)
    const header = layout?.headerLength ?? 0
    const copied = holdsBody(layout) ? 0 : 1
    this.#shim.sh_figures(form.pointer, figures, figures.length, header, copied)
    form.layout = layout
    input.form = form
    return form
  }

  #unreadable(input: Input, error: string): Form {
    return this.#form(input, `!${error}`, () => {
      return this.#make(input.id, NULL_COLUMN, unknownSchemaKey(error), null)
    })
  }

  #form(input: Input, key: string, make: () => Form): Form {
    const known = input.forms.get(key)
    if (known) return known
    if (input.forms.size >= MAX_FORMS) {
      const [oldest, form] = input.forms.entries().next().value!
      this.#shim.sh_form_free(form.pointer)
      input.forms.delete(oldest)
      input.form = null
      if (this.#last === form) this.#last = NO_FORM
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
    return { ...NO_FORM, id, pointer: pointer as Pointer }
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

function isHeld({ byteLength }: ArrayBufferView): boolean {
  return byteLength >= HOLD_FROM_BYTES
}

/** Is {@link isHeld} true of the bodies of this layout? */
function holdsBody(layout: Layout | null): boolean {
  const simple = layout?.simple
  return !!simple && simple.length * simple.array.BYTES_PER_ELEMENT >= HOLD_FROM_BYTES
}

function refusal({ field }: Layout): string {
  return `a column of ${typeName(field)} like this can't be handed to shared libraries`
}
