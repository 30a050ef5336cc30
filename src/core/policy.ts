/** What a full queue does: lose its oldest message (counted), or hold the sender until there is room. */
export type QueuePolicy = "drop_oldest" | "backpressure"
