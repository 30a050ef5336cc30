// The command line from above: which command is meant, what its exit code is, how its errors look.
import { type ArgsDef, type CommandDef, defineCommand, renderUsage, runCommand } from "citty"
import manifest from "../../package.json" with { type: "json" }
import { suggest } from "../core/suggest.ts"
import { wantsColor } from "./color.ts"
import { readFlags, UsageError } from "./flags.ts"

/** Each command lies in a file of its own that is loaded when it is asked for. */
const COMMANDS: Record<string, () => Promise<CommandDef>> = {
  bench: () => import("./bench.ts").then((module) => module.bench as CommandDef),
  expand: () => import("./expand.ts").then((module) => module.expand as CommandDef),
  run: () => import("./run.ts").then((module) => module.run as CommandDef),
  validate: () => import("./validate.ts").then((module) => module.validate as CommandDef),
}

const ROOT = defineCommand({
  meta: {
    name: "dora",
    version: manifest.version,
    description: "Runs dataflows of TypeScript nodes, and those of other languages",
  },
  subCommands: COMMANDS,
})

const HELP = ["--help", "-h"]
const VERSION = ["--version", "-V", "-v"]

/**
 * Runs a command line and ends the process: 0 when all went well, 1 when something failed, 2 when the command line
 * itself is wrong.
 *
 * @example await main(["run", "flow.yml", "--stop-after", "8s"])
 */
export async function main(argv: readonly string[]): Promise<void> {
  // Messages that nobody can read any more are no reason to fail.
  process.stderr.on("error", () => {})
  let code: number
  try {
    code = await dispatch(argv)
  } catch (error) {
    const { report } = await import("./report.ts")
    code = report(error, argv[0] !== undefined && argv[0] in COMMANDS ? argv[0] : null)
  }
  process.exit(code)
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv
  if (first === undefined) {
    await usage(ROOT, process.stderr)
    return 2
  }
  if (VERSION.includes(first)) {
    await print(process.stdout, `dora-bun ${manifest.version} (bun ${Bun.version})\n`)
    return 0
  }
  if (first === "help" || HELP.includes(first)) {
    await usage(rest[0] ? await find(rest[0]) : ROOT, process.stdout)
    return 0
  }
  const command = await find(first)
  const end = rest.indexOf("--")
  if (rest.slice(0, end < 0 ? rest.length : end).some((word) => HELP.includes(word))) {
    await usage(command, process.stdout)
    return 0
  }
  // Ours reads the flags first, because citty lets unknown ones pass.
  const flags = readFlags(rest, (command.args ?? {}) as ArgsDef)
  const { result } = await runCommand(command, { rawArgs: rest, data: flags })
  return typeof result === "number" ? result : 0
}

async function find(name: string): Promise<CommandDef> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (load) return load()
  if (name.startsWith("-")) throw new UsageError(`unknown flag ${name}`, "flags follow a command")
  const names = Object.keys(COMMANDS)
  const near = suggest(name, names)
  throw new UsageError(
    `unknown command ${name}`,
    near ? `did you mean ${near}?` : `the commands are: ${names.join(", ")}`,
  )
}

async function usage(command: CommandDef, stream: NodeJS.WriteStream): Promise<void> {
  const text = await renderUsage(command, command === ROOT ? undefined : ROOT)
  await print(stream, `${wantsColor(stream) ? text : Bun.stripANSI(text)}\n`)
}

/** Writes and waits until it is written: the process ends right afterwards. */
function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => {
    stream.once("error", () => resolve())
    stream.write(text, () => resolve())
  })
}
