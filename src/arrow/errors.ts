import { DoraError } from "../core/errors.ts"
import { MAX_PAYLOAD_BYTES } from "../core/limits.ts"

/** A value has no Arrow form, or an Arrow type has no JavaScript form that was asked for. */
export class ArrowTypeError extends DoraError {
  constructor(what: string, fix?: string) {
    super("ARROW_TYPE", { what, fix })
  }
}

/** Received bytes are no Arrow IPC stream with one column and one record batch. */
export class ArrowDataError extends DoraError {
  constructor(why: string, cause?: unknown) {
    super("ARROW_DATA", { what: "the payload is no valid Arrow IPC stream", why, cause })
  }
}

/** A message is larger than an output may send. */
export class PayloadTooLargeError extends DoraError {
  /** Size of the refused body in bytes. */
  readonly sizeBytes: number

  constructor(sizeBytes: number, limitBytes: number = MAX_PAYLOAD_BYTES) {
    super("PAYLOAD_TOO_LARGE", {
      what: `a message body of ${sizeBytes} bytes is over the limit of ${limitBytes} bytes`,
      fix: "send it in parts, or send a smaller type",
    })
    this.sizeBytes = sizeBytes
  }
}
