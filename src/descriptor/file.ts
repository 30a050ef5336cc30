// Reads the files of a dataflow: bounded, and UTF-8 only.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { open } from "node:fs/promises"
import { MAX_DESCRIPTOR_BYTES, MAX_MODULE_BYTES } from "../core/limits.ts"
import { DescriptorError, Problems } from "./problems.ts"

/** One read of a file. */
const READ_BYTES = 64 * 1024

/** Why a file can't be read, and what to do. */
export type FileProblem = { code: string; message: string; hint: string | null; at: number }

/**
 * Reads a dataflow file. Pipes and devices don't tell their size and may never end, so at most one
 * byte more than allowed is read.
 *
 * @throws DescriptorError
 */
export async function readDescriptor(path: string): Promise<string> {
  let bytes: Uint8Array
  try {
    bytes = await readBounded(path)
  } catch (cause) {
    if (cause instanceof DescriptorError) throw cause
    const message = `failed to open given file: ${reason(cause)}`
    throw refusal(path, "", { code: "FILE_UNREADABLE", message, hint: null, at: 0 })
  }
  checkSize(path, bytes.byteLength)
  const text = decode(bytes)
  if (typeof text === "string") return text
  throw refusal(path, new TextDecoder().decode(bytes), text)
}

/** Refuses a dataflow file of too many bytes. */
export function checkSize(path: string, bytes: number): void {
  const large = sizeProblem(bytes, MAX_DESCRIPTOR_BYTES)
  if (large) throw refusal(path, "", large)
}

/** Reads the file of a module, which is an ordinary file: waiting for a pipe would hold up everything. */
export function readModule(path: string): string | FileProblem {
  let file: number | null = null
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const stat = fstatSync(file)
    if (!stat.isFile()) return unreadable(`${path} is no file`)
    const large = sizeProblem(stat.size, MAX_MODULE_BYTES)
    if (large) return large
    const bytes = new Uint8Array(stat.size)
    return decode(bytes.subarray(0, readSync(file, bytes)))
  } catch (cause) {
    return unreadable(reason(cause))
  } finally {
    if (file !== null) closeSync(file)
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    checkSize(path, (await file.stat()).size)
    const chunks: Uint8Array[] = []
    for (let total = 0; total <= MAX_DESCRIPTOR_BYTES;) {
      const { buffer, bytesRead } = await file.read(new Uint8Array(READ_BYTES), 0, READ_BYTES, null)
      if (bytesRead === 0) break
      chunks.push(buffer.subarray(0, bytesRead))
      total += bytesRead
    }
    return Buffer.concat(chunks)
  } finally {
    await file.close()
  }
}

function decode(bytes: Uint8Array): string | FileProblem {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    const at = Math.max(0, new TextDecoder().decode(bytes).indexOf("\ufffd"))
    return { code: "NOT_UTF8", message: "the file is not UTF-8 text", hint: "save it as UTF-8", at }
  }
}

function sizeProblem(size: number, most: number): FileProblem | null {
  if (size <= most) return null
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`
  const message = `the file is too large: ${mib(size)}, and at most ${mib(most)} are read`
  return { code: "FILE_TOO_LARGE", message, hint: "is this a dataflow file?", at: 0 }
}

function unreadable(message: string): FileProblem {
  return { code: "FILE_UNREADABLE", message, hint: null, at: 0 }
}

function refusal(path: string, text: string, problem: FileProblem): DescriptorError {
  const problems = new Problems()
  problems.add(path, text)
  const { code, message, hint, at } = problem
  problems.error(code, { start: at, end: text === "" ? at : at + 1 }, message, hint)
  return new DescriptorError(path, problems.list(), problems.texts)
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
