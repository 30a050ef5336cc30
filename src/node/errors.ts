import { DoraError } from "../core/errors.ts"
import { suggest } from "../core/suggest.ts"

/** The environment does not say which dataflow this process belongs to. */
export class NotInDataflowError extends DoraError {
  constructor() {
    super("NOT_IN_DATAFLOW", {
      what: "this process is not part of a dataflow",
      why: "neither DORA_NODE_CONFIG nor a plan is in its environment",
      fix: "name this file as `path` of a node in a dataflow file and run it with `dora run flow.yml`",
    })
  }
}

/** A process is one node: `Node.init()` was called a second time. */
export class NodeAlreadyInitializedError extends DoraError {
  constructor(id: string) {
    super("NODE_ALREADY_INITIALIZED", {
      what: `Node.init() was called again; this process is node \`${id}\` already`,
      fix: "call it once and pass the node on",
    })
  }
}

/** The node was used after `close()`, or after its `using` block. */
export class NodeClosedError extends DoraError {
  constructor(id: string) {
    super("NODE_CLOSED", {
      what: `node \`${id}\` was used after it was closed`,
      fix: "keep the node open for as long as you use it: a `using` block ends it",
    })
  }
}

/** The node sends to, or closes, an output that its dataflow file does not declare. */
export class UnknownOutputError extends DoraError {
  constructor(node: string, output: string, declared: string[]) {
    const near = suggest(output, declared)
    const list = declared.length > 0 ? declared.map((id) => `\`${id}\``).join(", ") : "none"
    super("UNKNOWN_OUTPUT", {
      what: `node \`${node}\` has no output \`${output}\``,
      why: `its declared outputs are: ${list}`,
      fix: near ? `did you mean \`${near}\`?` : `add \`${output}\` to the node's \`outputs\``,
    })
  }
}

/** The node sends to an output that carries what it prints. */
export class PrintedOutputError extends DoraError {
  constructor(node: string, output: string) {
    super("PRINTED_OUTPUT", {
      what: `output \`${output}\` of node \`${node}\` carries what the node prints`,
      why: "`send_stdout_as` or `send_logs_as` names it, and only the daemon sends there",
      fix: "send on another output",
    })
  }
}

/** The node sends to an output that it has closed. */
export class OutputClosedError extends DoraError {
  constructor(node: string, output: string) {
    super("OUTPUT_CLOSED", {
      what: `output \`${output}\` of node \`${node}\` is closed`,
      fix: "send before closeOutputs()",
    })
  }
}

/** `sendOutputSync` would wait for the node itself. */
export class SelfDeadlockError extends DoraError {
  constructor(output: string) {
    super("SELF_DEADLOCK", {
      what: `sendOutputSync("${output}") would wait for ever: the full input is this node's own`,
      fix: "use `await node.sendOutput(…)`, or `queue_policy: drop_oldest` on that input",
    })
  }
}

/** Too many sends wait for room because nobody awaits them. */
export class TooManyPendingSendsError extends DoraError {
  constructor(output: string, limit: number) {
    super("TOO_MANY_PENDING_SENDS", {
      what: `${limit} sends to output \`${output}\` wait for a slow consumer already`,
      why: "an input with `queue_policy: backpressure` is full and the promises are not awaited",
      fix: "await sendOutput(), so that the node runs at its consumer's pace",
    })
  }
}

/** A send was waiting for room when the node was told to stop, or was closed. */
export class SendInterruptedError extends DoraError {
  constructor(output: string) {
    super("SEND_INTERRUPTED", {
      what: `a message for output \`${output}\` was not sent`,
      why: "the node was stopped while the message waited for room",
      fix: "nothing, when the dataflow was stopped on purpose",
    })
  }
}

/** A loan was used after it was sent or given back. */
export class LoanClosedError extends DoraError {
  constructor(output: string) {
    super("LOAN_CLOSED", {
      what: `a loan of output \`${output}\` was used after it was sent or disposed`,
      fix: "make a new loan for each message",
    })
  }
}

/** A message that was accepted could not be given to an official daemon. */
export class MessageNotSentError extends DoraError {
  constructor(output: string, why: string) {
    super("MESSAGE_NOT_SENT", {
      what: `a message for output \`${output}\` did not reach the daemon`,
      why,
      fix: "run the dataflow with dora-bun's `dora run`, whose messages may be larger, or send less at a time",
    })
  }
}

/** The daemon refused a request, or the connection to it broke. */
export class DaemonConnectionError extends DoraError {
  constructor(what: string, cause?: unknown) {
    super("DAEMON_CONNECTION", {
      what,
      fix: "look at the output of `dora run` for the reason",
      cause,
    })
  }
}
