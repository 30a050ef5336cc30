// Where the data of a message of dora 0.4 or 0.5 lies: in its frame, or in shared memory that the sender has made. The latter is
// read, not mapped: a sender that cuts it short must not bring us down.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { DoraError } from "../../../core/errors.ts"
import { WireError } from "../../../wire/postcard.ts"

/** Data to be copied from. */
export interface Sample {
  readonly byteLength: number
  /** Copies `length` bytes from `from` on; what is not there any more reads as zeros. */
  copy(target: Uint8Array, at: number, from: number, length: number): void
  close(): void
}

/** Shared memory that a message names can't be read. */
export class SampleError extends DoraError {
  constructor(id: string, bytes: number, why: string, cause?: unknown) {
    super("OLD_NODE_SAMPLE", {
      what: `shared memory \`${id}\` with ${bytes} bytes of a message can't be read`,
      why,
      fix: "the node must run in the same container as `dora run`, with the same /dev/shm",
      cause,
    })
  }
}

/** Data that came in the frame. */
export class FrameSample implements Sample {
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get byteLength(): number {
    return this.#bytes.byteLength
  }

  copy(target: Uint8Array, at: number, from: number, length: number): void {
    target.set(this.#bytes.subarray(from, from + length), at)
  }

  close(): void {}
}

/** Data in shared memory. Held open, it can be read even when its owner has removed it. */
export class SharedSample implements Sample {
  readonly byteLength: number
  readonly #fd: number

  /**
   * @param id  as the operating system knows it
   * @throws WireError    such a name is none of shared memory
   * @throws SampleError  there is none, or less
   */
  constructor(id: string, byteLength: number) {
    const name = /^\/?([A-Za-z0-9_-]{1,200})$/.exec(id)?.[1]
    if (name === undefined)
      throw new WireError(`shared memory named ${JSON.stringify(id).slice(0, 80)}`)
    this.byteLength = byteLength
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    try {
      this.#fd = openSync(`/dev/shm/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    } catch (cause) {
      throw new SampleError(id, byteLength, "there is none", cause)
    }
    const status = fstatSync(this.#fd)
    if (status.isFile() && status.size >= byteLength) return
    this.close()
    throw new SampleError(id, byteLength, `it has ${status.size} bytes`)
  }

  copy(target: Uint8Array, at: number, from: number, length: number): void {
    let done = 0
    while (done < length) {
      const got = readSync(this.#fd, target, at + done, length - done, from + done)
      if (got === 0) {
        target.fill(0, at + done, at + length)
        return
      }
      done += got
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}
