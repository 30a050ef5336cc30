// Ids inside messages. Sections 1.5 and 3.2 of the protocol reference.
import { dataIdProblem, nodeIdProblem } from "../core/ids.ts"
import { type Reader, WireError, type Writer } from "./postcard.ts"

/** `Vec<String>`. */
export function writeTexts(writer: Writer, texts: readonly string[]): void {
  writer.varint(texts.length)
  for (const text of texts) writer.text(text)
}

/** A node id; throws {@link WireError} on one that dora forbids. */
export function readNodeId(reader: Reader): string {
  return checkedId(reader.text(), nodeIdProblem)
}

/** An input or output name; throws {@link WireError} on one that dora forbids. */
export function readDataId(reader: Reader): string {
  return checkedId(reader.text(), dataIdProblem)
}

/** The official decoder refuses a frame with a bad id, so it must not be passed on. */
function checkedId(id: string, problemOf: (id: string) => string | null): string {
  const problem = problemOf(id)
  if (problem) throw new WireError(problem)
  return id
}

/** A UUID in its usual text form, as length and 16 bytes. */
export function writeUuid(writer: Writer, uuid: string): void {
  const bytes = Uint8Array.fromHex(uuid.replaceAll("-", ""))
  if (bytes.byteLength !== 16) throw new WireError(`"${uuid}" is no UUID`)
  writer.blob(bytes)
}

/** The inverse of {@link writeUuid}, in lower case. */
export function readUuid(reader: Reader): string {
  const bytes = reader.blob()
  if (bytes.byteLength !== 16) throw new WireError(`a UUID of ${bytes.byteLength} bytes`)
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}
