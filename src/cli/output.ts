import { wantsColor } from "./color.ts"

/** Where lines for the user go. It survives a reader that leaves early, as `head` does. */
export type Output = {
  readonly color: boolean
  line(text: string): void
  /** Resolves once everything has been handed to the reader, or the reader is gone. */
  end(): Promise<void>
}

/**
 * Standard output as an {@link Output}.
 *
 * @param onBroken  called once when the reader has gone; what is written afterwards is dropped
 * @example const out = standardOutput(() => running.stop())
 */
export function standardOutput(onBroken: () => void = () => {}): Output {
  let broken = false
  process.stdout.on("error", () => {
    if (broken) return
    broken = true
    onBroken()
  })
  return {
    color: wantsColor(process.stdout),
    line(text) {
      if (!broken) process.stdout.write(`${text}\n`)
    },
    end() {
      if (broken) return Promise.resolve()
      return new Promise((resolve) => {
        process.stdout.once("error", () => resolve())
        process.stdout.end(() => resolve())
      })
    },
  }
}
