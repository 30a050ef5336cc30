import type { LogLevel } from "../core/log.ts"
import type { OperatorKind } from "../core/operator.ts"
import type { QueuePolicy } from "../core/policy.ts"

/** A place in a file, counted from 1; columns in UTF-16 units, as editors count them. */
export type Position = { file: string; line: number; column: number }

/** A value of JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A checked dataflow, ready to be planned. */
export type Dataflow = {
  /** Absolute path of the file. */
  path: string
  /** The text of the file and of its modules, for reports. */
  texts: ReadonlyMap<string, string>
  /** Absolute directory of the file: where nodes run and relative paths start. */
  workingDir: string
  nodes: NodeSpec[]
  /** Environment for every node; a node's own `env` wins. */
  env: Record<string, string>
  /** Timers no longer keep a node alive once its data inputs have closed. */
  exitWhenNodesFinish: boolean
  /** Seconds between two health sweeps. */
  healthCheckInterval: number
  /** The descriptor as plain JSON values, as nodes see it. */
  json: Json
  /** What is legal and probably not meant. */
  warnings: Problem[]
}

/** A node that runs a program of the user, or operators in a runtime of ours. Other kinds come with their own issues. */
export type NodeSpec = {
  id: string
  name: string | null
  description: string | null
  /** As written: a script, an executable, a name on PATH. Empty when the node has operators. */
  path: string
  /** Null: it is there. */
  origin: Origin | null
  /** In the order of the file. Their inputs and outputs are the node's, as `<operator>/<input>`. */
  operators: OperatorSpec[]
  args: string[]
  env: Record<string, string>
  /** One command an entry, split into words. */
  build: string[][]
  inputs: InputSpec[]
  outputs: OutputSpec[]
  logs: LogSpec
  restart: RestartSpec
  /** The cores that its process may use; null: all. */
  cpuAffinity: number[] | null
  /** Started by hand: it joins by its id whenever it likes. */
  dynamic: boolean
  /** `path: shell`: its one argument is a command line for `sh -c`. */
  shell: boolean
  position: Position
}

/** Where a program comes from that is not there already. */
export type Origin =
  | {
      /** `path` starts at the root of the clone, and the node runs there. */
      kind: "git"
      url: string
      /** Null: the default branch. */
      pin: { kind: "branch" | "tag" | "rev"; name: string } | null
    }
  | {
      /** `path` is the address. */
      kind: "download"
      /** In lower-case hexadecimal digits. */
      sha256: string | null
    }

/** What happens to the lines that a node prints. */
export type LogSpec = {
  /** What is below goes nowhere. */
  minLevel: LogLevel | null
  /** The output that gets each line as it is, and the one that gets the records; the daemon sends them. */
  stdoutAs: string | null
  recordsAs: string | null
  /** Bytes of the log file after which a new one is begun; null: never. */
  maxBytes: number | null
  /** How many full files are kept. */
  maxFiles: number
}

/** One operator of a node. */
export type OperatorSpec = {
  id: string
  kind: OperatorKind
  /** Absolute path of the file, the prefix and ending of a library included. */
  path: string
  /** On a thread of its own. */
  threads: boolean
  /** The environment of conda that a Python operator runs in; null: none. */
  condaEnv: string | null
  /** Of the source. */
  position: Position
}

/** When a node is started again. Times in seconds. */
export type RestartSpec = {
  policy: "never" | "on-failure" | "always"
  /** How often at most; null: without limit. */
  most: number | null
  /** Before the first time; it doubles with each further one. */
  delay: number
  maxDelay: number | null
  /** After this long the count begins anew; null: never. */
  window: number | null
  /** How long the process may take to subscribe; null: as long as all others. */
  startupTimeout: number | null
  /** How long it may neither ask nor send; null: for ever. */
  healthCheckTimeout: number | null
  /** How long it may go on when it has had all its messages and the others are done; null: as for all nodes. */
  finishGrace: number | null
}

/** One input of a node. */
export type InputSpec = {
  id: string
  source: Source
  /** At least 1. */
  queueSize: number
  queuePolicy: QueuePolicy
  /** Seconds of silence until the input counts as closed. */
  inputTimeout: number | null
  position: Position
}

/** One output of a node. */
export type OutputSpec = { id: string; position: Position }

/** Where an input comes from. */
export type Source =
  | { kind: "output"; node: string; output: string }
  | { kind: "timer"; periodNs: number; text: string }
  | { kind: "logs"; level: LogLevel; node: string | null; text: string }

/** One thing that is wrong or doubtful in a dataflow file. */
export type Problem = {
  severity: "error" | "warning"
  /** Stable, for programs: `UNKNOWN_FIELD`, `UNKNOWN_NODE`, … */
  code: string
  /** One sentence, the official one where dora 1.1.0 has one. */
  message: string
  position: Position
  /** How many UTF-16 units the caret underlines; 0 when the problem is with the file as a whole. */
  length: number
  /** What to do: "did you mean `outputs`?" */
  hint: string | null
}
