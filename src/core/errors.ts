/** The parts of an error message: what happened, where, why, and what to do about it. */
export type ErrorParts = {
  what: string
  where?: string
  why?: string
  fix?: string
  cause?: unknown
}

/**
 * The base of every error that a user can meet. `code` is stable and meant for programs; the message is
 * one or more lines: what, where, why, and what to do.
 *
 * @example try { await node.sendOutput("x", 1) } catch (e) { if (e instanceof DoraError) console.error(e.code) }
 */
export class DoraError extends Error {
  readonly code: string
  /** Not enumerable: where an error is printed, its message says the same already. */
  declare readonly parts: Readonly<ErrorParts>

  constructor(code: string, parts: ErrorParts) {
    super(messageOf(parts), parts.cause === undefined ? undefined : { cause: parts.cause })
    this.name = new.target.name
    this.code = code
    Object.defineProperty(this, "parts", { value: parts })
  }
}

/**
 * Lets a mistake of the caller show the caller's line: frames of `api` and below are taken off its stack. Other errors
 * are ours and keep their stack.
 *
 * @example try { send() } catch (error) { throw fromCaller(error, this.sendOutput) }
 */
export function fromCaller(error: unknown, api: (...args: never[]) => unknown): unknown {
  if (error instanceof DoraError) Error.captureStackTrace(error, api)
  return error
}

function messageOf(parts: ErrorParts): string {
  const lines = [parts.where ? `${parts.where}: ${parts.what}` : parts.what]
  if (parts.why) lines.push(`  why: ${parts.why}`)
  if (parts.fix) lines.push(`  fix: ${parts.fix}`)
  return lines.join("\n")
}
