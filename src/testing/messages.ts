// What an official node sends, for tests of the relay.
import { HybridClock } from "../core/clock.ts"
import type { Parameters } from "../core/parameters.ts"
import { frame } from "../wire/frame.ts"
import { type DaemonRequest, encodeRequest } from "../wire/messages.ts"
import { encodeMessage, encodeParameters } from "../wire/metadata.ts"

/** Of a node that has no other. */
export const clock = new HybridClock()

/** A message of so many bytes, all of them `fill`. */
export function message(size: number, fill: number, parameters: Parameters = {}, output = "out") {
  const data = size === 0 ? null : new Uint8Array(size).fill(fill)
  const bytes = encodeMessage(clock.stamp(), encodeParameters(parameters), data)
  return { type: "SendMessage", output, message: { bytes } } as const
}

/** A request as its node writes it. */
export function framed(request: DaemonRequest): Uint8Array<ArrayBuffer> {
  return frame(encodeRequest(request, clock.stamp()))
}
