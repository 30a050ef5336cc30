// What all nodes share: numbers from the environment, and saying what they see in the words of the Python API.
import type { Event } from "dora-bun"

/** The parameters of every message of a source, in all languages; "name" comes on top. */
export const PARAMETERS = {
  bool: true,
  integer: -(2n ** 53n),
  float: 0.5,
  integers: [1n, -2n, 2n ** 63n - 1n],
  floats: [1.5, -2.5],
  strings: ["a", "ü"],
}

/** A number from the environment. */
export function number(name: string, otherwise: number): number {
  const value = process.env[name]
  return value === undefined ? otherwise : Number(value)
}

/** Says something as one line of JSON. */
export function say(value: unknown): void {
  console.log(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? Number(item) : item)))
}

/** Says which process this is: a node does so at its first message, so that who kills it knows that it is at work. */
export function sayPid(): void {
  say({ pid: process.pid })
}

/** Says an event that is no input. */
export function sayEvent(event: Event): void {
  switch (event.type) {
    case "STOP":
      return say({ event: "STOP", id: event.cause })
    case "NODE_FAILED":
      return say({ event: "NODE_FAILED", source_node_id: event.id })
    case "ERROR":
      return say({ event: "ERROR", error: event.error.message })
    default: {
      const { type, ...rest } = event as { type: string }
      return say({ event: type, ...rest })
    }
  }
}
