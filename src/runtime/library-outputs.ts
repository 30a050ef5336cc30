// What an operator of a shared library has sent: collected by the shim, written from here straight into the memory of the rings.
import type { Pointer } from "bun:ffi"
import { type Elements, elementsOf } from "../arrow/elements.ts"
import { StreamHeader } from "../arrow/c-batch.ts"
import { nodesOf, planOf, readSchemaKey } from "../arrow/c-schema.ts"
import { type ElementArray, type ElementName, viewElements } from "../core/elements.ts"
import type { Payload } from "../shm/payload.ts"
import { encodeParameters } from "../wire/metadata.ts"
import type { OperatorContext, OutputRings } from "./host.ts"
import type { Shim } from "./library-shim.ts"

/** What the shim asks for: the name of an output, the type of an array, room for more, consumers that sleep to be woken. */
const SINK_NAME = 0
const SINK_SCHEMA = 1
const SINK_FLUSH = 2
const WORD_COUNT = 0
const WORD_SENT = 4
const MAX_COLLECTED = 64
const FORMS_PER_OUTPUT = 16
const CHANGED = 1
const HAS_CONTEXT = 2
const STAGED = 4
const FIGURES_SHIFT = 3
/** After the words: where the shim leaves the elements of small outputs, so much for each. */
const STAGE_AT = 1024
const STAGE_BYTES = 1024
/** Of the figures of a column of one node: how many rows it has. */
const ROWS_FIGURE = 4
const ONE_ROW = [1, 0]
const NO_OFFSETS = [0, 0, 0, 0]
const MAX_CONTEXT_BYTES = 16 * 1024
/** What official operators send with each output when nobody traces. */
const NO_CONTEXT = encodeParameters({ open_telemetry_context: "" })

/** An output: where the shim may publish by itself, and whether it does. */
type Port = {
  name: string
  number: number
  templates: number
  rings: OutputRings | null
  open: boolean
}
/** What messages of one type and size have in common. */
type Form = {
  port: Port
  header: StreamHeader
  /** Its newest template, whose first message may be the only one, and the one that the shim was told last. */
  newest: number
  learned: number
  bytes: Uint8Array | null
  bodyLength: number
  /** Its elements as a typed array has them, of one row; null: none has. */
  unit: Elements | null
  rows: number
  /** Of the stage, by place. */
  views: (ElementArray | null)[]
}

/** The outputs of one operator of a shared library. */
export class LibraryOutputs {
  /** Memory that the shim writes into and that stays where it is. */
  readonly words = new Int32Array(new ArrayBuffer(STAGE_AT + MAX_COLLECTED * STAGE_BYTES))
  readonly #shim: Shim
  readonly #context: OperatorContext
  readonly #ports: Port[] = []
  readonly #forms: Form[] = []
  readonly #undeclared = new Set<string>()
  readonly #payload: Payload
  readonly #text = Buffer.from(new ArrayBuffer(64 * 1024))
  readonly #bases = new Float64Array(FORMS_PER_OUTPUT)
  #figures = new Float64Array(64)
  #operator = 0 as Pointer
  #number = 0

  constructor(shim: Shim, context: OperatorContext) {
    this.#shim = shim
    this.#context = context
    const write = (target: Uint8Array, at: number) => {
      shim.sh_write(this.#operator, this.#number, target, at, 0)
    }
    const writeBody = (target: Uint8Array, at: number) => {
      shim.sh_write(this.#operator, this.#number, target, at, 1)
    }
    this.#payload = { byteLength: 0, headerLength: 0, template: 0, flat: null, write, writeBody }
  }

  /** The operator whose outputs these are. */
  attach(operator: Pointer): void {
    this.#operator = operator
  }

  /** Called by the shim while the operator sends. What goes wrong becomes an error text for the operator. */
  sink(kind: number, number: number): number {
    try {
      if (kind === SINK_NAME) return this.#declare()
      if (kind === SINK_SCHEMA) this.#learn(number)
      else if (kind === SINK_FLUSH) {
        const error = this.write()
        if (error !== null) throw error
      } else this.#ports[number]!.rings!.wake()
      return 1
    } catch (error) {
      const text = Buffer.from(error instanceof Error ? error.message : String(error))
      this.#shim.sh_refuse(this.#operator, text, text.byteLength)
      return 0
    }
  }

  /** Sends everything that is collected; the first error, when there was one. */
  write(): unknown {
    const count = this.words[WORD_COUNT]!
    let first: unknown = null
    for (let i = 0; i < count; i++) {
      try {
        this.#send(i)
      } catch (error) {
        first ??= error
      }
    }
    return first
  }

  #send(number: number): void {
    const formNumber = this.words[WORD_SENT + 2 * number]!
    const facts = this.words[WORD_SENT + 2 * number + 1]!
    const form = this.#forms[formNumber]!
    if (facts & CHANGED) this.#update(form, formNumber, number, facts >> FIGURES_SHIFT)
    const parameters = facts & HAS_CONTEXT ? this.#contextOf(number) : NO_CONTEXT
    const { header } = form
    const payload = this.#payload
    this.#number = number
    payload.byteLength = header.byteLength
    payload.headerLength = header.bytes.byteLength
    payload.template = header.template
    payload.flat = facts & STAGED ? (form.views[number] ?? this.#stagedView(form, number)) : null
    // Who waits for room holds back the next event of this operator; nobody has to wait here.
    void this.#context.outputs.sendPayload(form.port.name, payload, parameters)
    if (form.port.rings !== null) this.#share(form, form.port.rings, number)
  }

  /** Others like this one, which was sent, the shim may publish by itself while nothing waits. */
  #share(form: Form, { blocked }: OutputRings, number: number): void {
    const { port, header } = form
    if (blocked === port.open) {
      port.open = !blocked
      this.#shim.sh_publishes(this.#operator, port.number, blocked ? 0 : 1)
    }
    const { template } = header
    if (template > form.newest) form.newest = template
    else if (template !== form.learned) {
      form.learned = template
      this.#shim.sh_learn(this.#operator, number, template)
    }
  }

  #update(form: Form, formNumber: number, number: number, count: number): void {
    if (this.#figures.length < count) this.#figures = new Float64Array(2 * count)
    this.#shim.sh_figures_of(this.#operator, number, this.#figures)
    const { header } = form
    header.update(this.#figures.subarray(0, count))
    form.rows = this.#figures[ROWS_FIGURE]!
    form.views = []
    if (header.bytes === form.bytes && header.bodyLength === form.bodyLength) return
    form.bytes = header.bytes
    form.bodyLength = header.bodyLength
    this.#bases.set(header.bases)
    const { bytes, bodyLength, bases } = header
    const place = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#shim.sh_header(
      this.#operator,
      formNumber,
      place,
      bytes.byteLength,
      bodyLength,
      this.#bases,
      bases.length,
    )
  }

  #stagedView(form: Form, number: number): ElementArray | null {
    if (form.unit === null) return null
    const { array, length } = form.unit
    const at = STAGE_AT + number * STAGE_BYTES
    const name = array.name as ElementName
    const view = viewElements(name, this.words.buffer, at, form.rows * length)
    form.views[number] = view
    return view
  }

  #contextOf(number: number): Uint8Array {
    const text = this.#text
    const length = this.#shim.sh_context_of(this.#operator, number, text, MAX_CONTEXT_BYTES)
    return encodeParameters({ open_telemetry_context: text.toString("utf8", 0, length) })
  }

  /** The name in the shim's hands: 1 when it is a declared output. */
  #declare(): number {
    const length = this.#shim.sh_text(this.#operator, 1, this.#text, this.#text.byteLength)
    const name = this.#text.toString("utf8", 0, length)
    // The very string that the runtime has, since it is compared for each message.
    const declared = this.#context.outputs.names().find((one) => one === name)
    if (declared !== undefined) {
      this.#shim.sh_port(this.#operator, Buffer.from(name), Buffer.byteLength(name))
      this.#openPort(declared)
      return 1
    }
    if (!this.#undeclared.has(name)) {
      this.#undeclared.add(name)
      const what = `output \`${name}\` is not declared in the dataflow file: ignored`
      this.#context.log.warn(`operator \`${this.#context.plan.id}\`: ${what}`)
    }
    return 0
  }

  #openPort(name: string): void {
    const number = this.#ports.length
    const rings = this.#context.outputs.rings?.(name)
    const facts = rings?.share() ?? null
    this.#ports.push({
      name,
      number,
      templates: 0,
      rings: facts && rings!,
      open: false,
    })
    if (facts === null) return
    const parameters = Buffer.from(NO_CONTEXT)
    this.#shim.sh_writer(this.#operator, number, facts, parameters, parameters.byteLength)
  }

  /** An array of a type that this output has not sent yet. */
  #learn(formNumber: number): void {
    const shim = this.#shim
    const length = shim.sh_key(this.#operator, formNumber, this.#text, 0)
    const key = Buffer.from(new ArrayBuffer(length))
    shim.sh_key(this.#operator, formNumber, key, length)
    const field = readSchemaKey(key)
    const plan = planOf(field)
    const port = this.#ports[Math.floor(formNumber / FORMS_PER_OUTPUT)]!
    const header = new StreamHeader(field, () => ++port.templates)
    this.#forms[formNumber] = {
      port,
      header,
      newest: 0,
      learned: 0,
      bytes: null,
      bodyLength: -1,
      unit: elementsOf(field, ONE_ROW, NO_OFFSETS),
      rows: 0,
      views: [],
    }
    shim.sh_plan(this.#operator, formNumber, plan, nodesOf(plan))
  }
}
