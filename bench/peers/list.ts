// Every peer that the suite measures, in the order of its table.
import { OfficialDora } from "./dora-rs/peer.ts"
import type { Peer } from "./peer.ts"

/** The peers; those that are missing say how to install them. */
export const PEERS: readonly Peer[] = [new OfficialDora("rust"), new OfficialDora("python")]
