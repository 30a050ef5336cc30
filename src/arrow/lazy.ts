// apache-arrow costs tens of milliseconds to load, so nothing of it is loaded before it is needed. `import` and `require`
// give different files of it, with different classes: these are the ones that a user's `import` gets.
import { fileURLToPath } from "node:url"

type Core = Pick<typeof import("apache-arrow/vector"), "Vector"> &
  Pick<typeof import("apache-arrow/data"), "makeData"> &
  Pick<typeof import("apache-arrow/schema"), "Field"> & {
    types: typeof import("apache-arrow/type")
  }

let loadedCore: Core | null = null

/** The classes that vectors are made of: half the price of the whole package. */
export function arrowCore(): Core {
  if (loadedCore) return loadedCore
  const { Vector } = load("apache-arrow/vector") as typeof import("apache-arrow/vector")
  const { makeData } = load("apache-arrow/data") as typeof import("apache-arrow/data")
  const { Field } = load("apache-arrow/schema") as typeof import("apache-arrow/schema")
  const types = load("apache-arrow/type") as typeof import("apache-arrow/type")
  loadedCore = { Vector, makeData, Field, types }
  return loadedCore
}

/** The whole package, for the types that are left to it. */
export function apacheArrow(): typeof import("apache-arrow") {
  return load("apache-arrow") as typeof import("apache-arrow")
}

function load(name: string): unknown {
  return import.meta.require(fileURLToPath(import.meta.resolve(name)))
}
