// What is wrong with a node that failed, going by its last words.
import { basename } from "node:path"
import { type Trouble, WHEEL } from "./failure.ts"
import { outputOf } from "./python.ts"
import type { NodeResult } from "./types.ts"

/** The versions of an interpreter and of the official package in it, on two lines; nothing that a node may have broken. */
const PROBE = `
import sys
print(sys.version.split()[0])
from importlib.metadata import version, PackageNotFoundError
try: print(version("dora-rs"))
except PackageNotFoundError: print("")
`

/** What to say of a node that failed, as its last words tell; null when they tell nothing that is known. */
export function troubleOf({ ok, command, stderrTail }: NodeResult): Trouble | null {
  return ok ? null : (importTrouble(command, stderrTail) ?? configurationTrouble(stderrTail))
}

/**
 * A node could not import something: which interpreter it was, which version of the official package that has, and the remedy.
 *
 * @param command  as the node was started
 * @param tail     last lines of its stderr
 */
function importTrouble(command: readonly string[], tail: readonly string[]): Trouble | null {
  const interpreter = command.find((word) => /^python[\d.]*$/.test(basename(word)))
  const error = tail.findLast((line) => /^(ModuleNotFoundError|ImportError): /.test(line.trim()))
  if (!interpreter || !error) return null
  const probed = outputOf([interpreter, "-c", PROBE], "/", { PATH: process.env.PATH ?? "" })
  const [python = "an unknown version", wheel = ""] = probed?.split("\n") ?? []
  const package_ = wheel === "" ? "has no package `dora-rs`" : `has dora-rs ${wheel}`
  const what = `${error.trim()}; its interpreter ${interpreter} is Python ${python} and ${package_}`
  const missing = /No module named '([\w.]+)'/.exec(error)?.[1]?.split(".")[0]
  const pip = `${interpreter} -m pip`
  if (missing === undefined && wheel !== "") {
    return { what, fix: `packages there don't fit each other: \`${pip} check\` says which` }
  }
  const wanted = missing === undefined || missing === "dora" ? WHEEL : missing
  const fix = `install it there: \`${pip} install ${wanted}\`, or activate the environment that has it`
  return { what, fix }
}

/**
 * What to say of an official node that could not read what it was told, which those of dora 0.x can't in two cases. Null when it
 * died of something else.
 *
 * @param tail  last lines of its stderr
 */
function configurationTrouble(tail: readonly string[]): Trouble | null {
  if (!tail.some((line) => line.includes("failed to deserialize node config"))) return null
  return {
    what: "its dora can't read its inputs: 0.4 and 0.5 know no `dora/logs`, and timers of whole seconds or milliseconds only",
    fix: `write \`dora/timer/millis/…\`, or run it by dora 1.1 (\`${WHEEL}\`)`,
  }
}
