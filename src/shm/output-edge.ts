import type { ElementArray } from "../core/elements.ts"
import { SLOTS_WORD } from "./layout.ts"
import type { EdgePlan } from "./plan.ts"
import { ProducerRing } from "./ring.ts"
import type { Inbox } from "./segment.ts"

/** What the writer remembers of an edge: who consumes it, and what its slots hold already. */
export class OutputEdge {
  readonly plan: EdgePlan
  readonly ring: ProducerRing
  readonly slots: number
  /** Template whose header lies in a slot, by slot. */
  readonly templates: Int32Array
  /** Views over the body of that template, by slot. */
  readonly views: (ElementArray | null)[]
  /** Parameters that follow a message of that template, by slot. */
  readonly parameters: (Uint8Array | null)[]
  gone = false

  constructor(plan: EdgePlan, inbox: Inbox) {
    this.plan = plan
    this.ring = new ProducerRing(inbox, plan.ring)
    this.slots = inbox.words[(plan.ring >> 2) + SLOTS_WORD]!
    this.templates = new Int32Array(this.slots)
    this.views = new Array<ElementArray | null>(this.slots).fill(null)
    this.parameters = new Array<Uint8Array | null>(this.slots).fill(null)
  }
}
