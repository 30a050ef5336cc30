/** Inputs with `input_timeout`: armed by their first message, told as closed when nothing follows in time, and as recovered by the next. */
export class Silence {
  readonly #inputs = new Map<string, { afterNs: number; lastNs: number; told: boolean }>()

  /** @param afterNs  by input, how long it may be silent */
  constructor(afterNs: Readonly<Record<string, number>>) {
    for (const [id, ns] of Object.entries(afterNs)) {
      this.#inputs.set(id, { afterNs: ns, lastNs: Number.POSITIVE_INFINITY, told: false })
    }
  }

  /** Is any input watched? */
  get any(): boolean {
    return this.#inputs.size > 0
  }

  /** A message has come. @returns true when the input had been told as closed */
  heard(id: string, nowNs: () => number): boolean {
    const input = this.#inputs.get(id)
    if (!input) return false
    const { told } = input
    input.lastNs = nowNs()
    input.told = false
    return told
  }

  /** Inputs that have been silent for too long since the last look. */
  fallen(nowNs: number): string[] {
    const fallen: string[] = []
    for (const [id, input] of this.#inputs) {
      if (input.told || nowNs - input.lastNs < input.afterNs) continue
      input.told = true
      fallen.push(id)
    }
    return fallen
  }

  /** The input has really ended: it is watched no more. */
  ended(id: string): void {
    this.#inputs.delete(id)
  }

  /** When the next input will have been silent for too long. */
  get dueNs(): number {
    let due = Number.POSITIVE_INFINITY
    for (const { afterNs, lastNs, told } of this.#inputs.values()) {
      if (!told) due = Math.min(due, lastNs + afterNs)
    }
    return due
  }
}
