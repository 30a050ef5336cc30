import type { OutputWriter } from "../shm/writer.ts"

/** What an output writes to. */
export type Writer = Pick<
  OutputWriter,
  | "id"
  | "closed"
  | "printed"
  | "isRead"
  | "edges"
  | "inlineBytes"
  | "ready"
  | "roomy"
  | "unwant"
  | "publishInline"
  | "publishChunk"
  | "allocate"
  | "giveBack"
  | "write"
  | "writeFrame"
  | "lend"
  | "detach"
  | "close"
  | "wake"
  | "warm"
> & {
  /** For C code of this thread that publishes here as well; null: messages also go where only JavaScript can bring them. */
  share(): Float64Array | null
}
