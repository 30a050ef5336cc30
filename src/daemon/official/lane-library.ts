// The C of the fast lane, ffi/relay_lane.c, built on first use: docs/adr/0010-operator-shim.md says how.
import { type Functions, loadC, type Symbols } from "../../core/c-library.ts"

const HEADERS = ["dora_layout.h", "dora_words.h", "dora_writer.h", "dora_pool.h", "relay_rhythm.h"]

const SYMBOLS = {
  lane_open: { args: ["buffer"], returns: "ptr" },
  lane_close: { args: ["ptr"], returns: "void" },
  lane_node: { args: ["ptr", "i32", "f64"], returns: "void" },
  lane_input: { args: ["ptr", "i32", "buffer"], returns: "i32" },
  lane_input_pool: { args: ["ptr", "i32", "i32", "buffer"], returns: "void" },
  lane_output: { args: ["ptr", "buffer", "buffer", "buffer"], returns: "i32" },
  lane_output_pool: { args: ["ptr", "i32", "buffer"], returns: "void" },
  lane_close_output: { args: ["ptr", "i32"], returns: "void" },
  lane_accept: { args: ["ptr", "i32", "i32", "buffer", "i32"], returns: "void" },
  lane_leave: { args: ["ptr", "i32"], returns: "void" },
  lane_learn: {
    args: ["ptr", "i32", "i32", "buffer", "i32", "buffer", "i32", "buffer", "i32"],
    returns: "void",
  },
  lane_run: { args: ["ptr", "ptr", "buffer", "i32", "f64", "i32"], returns: "i32" },
} as const satisfies Symbols

/** The functions of ffi/relay_lane.c. */
export type LaneLibrary = Functions<typeof SYMBOLS>

/**
 * The lane's functions; null where nobody can compile C, and where `DORA_BUN_RELAY_LANE=off` says that JavaScript is to do
 * everything. With `bun` the machine's compiler is kept out of it.
 */
export function laneLibrary(): LaneLibrary | null {
  const wish = process.env.DORA_BUN_RELAY_LANE
  if (wish === "off" || process.platform !== "linux") return null
  try {
    return loadC("relay_lane.c", HEADERS, SYMBOLS, wish)
  } catch {
    return null
  }
}
