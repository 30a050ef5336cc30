// What fixture programs share: they print values, and tests read them.
import type { Event } from "../../../src/index.ts"

/** What this program is told to do. */
export const [what = "", ...args] = process.argv.slice(2)

/** Prints a value as one line. */
export function say(value: unknown): void {
  console.log(
    JSON.stringify(value, (_, part) => {
      if (typeof part === "bigint") return `${part}n`
      return ArrayBuffer.isView(part) ? [...(part as Uint8Array)] : part
    }),
  )
}

/** An event in one word: `in:5`, `INPUT_CLOSED in`, `STOP MANUAL`. */
export function word(event: Event | null): string {
  if (event === null) return "null"
  if (event.type === "INPUT") return `${event.id}:${event.array[0] ?? ""}`
  if (event.type === "STOP") return `STOP ${event.cause}`
  if (event.type === "EXTERNAL") return `EXTERNAL ${event.value}`
  if (event.type === "ERROR") return `ERROR ${event.error}`
  return "id" in event ? `${event.type} ${event.id}` : event.type
}

/** Name and code of what a call throws, or of what its promise rejects with. */
export async function failure(call: () => unknown): Promise<string[]> {
  try {
    await call()
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string }
    return [name, code ?? "", message]
  }
  return ["nothing"]
}
