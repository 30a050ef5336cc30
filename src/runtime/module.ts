// Operators written in TypeScript: `export default class { onEvent(event, sendOutput) }`.
import { existsSync } from "node:fs"
import type { Sendable } from "../arrow/encoder.ts"
import type { DoraError } from "../core/errors.ts"
import type { Parameters } from "../core/parameters.ts"
import type { Log } from "../node/log.ts"
import { CALL_INIT } from "../shm/layout.ts"
import type { OperatorPlan } from "../shm/plan.ts"
import { OperatorFileError, OperatorStatusError, reasonOf } from "./errors.ts"
import {
  DoraStatus,
  type Host,
  type Operator,
  type OperatorContext,
  type OperatorEvent,
} from "./host.ts"

/**
 * Sends a message on an output of the operator; see `Node.sendOutput` for what can be sent. Awaiting it is never needed: the
 * operator's next event comes when there was room for everything it sent.
 */
export type SendOutput = (output: string, data: Sendable, parameters?: Parameters) => Promise<void>

/** What an operator may answer: a status, or nothing for `CONTINUE`. */
export type OperatorAnswer =
  // biome-ignore lint/suspicious/noConfusingVoidType: what a method without `return` gives is of the type void
  DoraStatus | undefined | void

/**
 * What the class of an operator has. Only `onEvent` must be there.
 *
 * @example
 * export default class Double implements TypeScriptOperator {
 *   onEvent(event: OperatorEvent, sendOutput: SendOutput) {
 *     if (event.type === "INPUT") sendOutput("doubled", event.array.map((x) => 2 * x))
 *   }
 * }
 */
export interface TypeScriptOperator {
  /**
   * Handles one event. A large message, and every view of it, is empty once the call has ended, or its promise is settled;
   * `event.retain()` keeps it.
   */
  onEvent(event: OperatorEvent, sendOutput: SendOutput): OperatorAnswer | Promise<OperatorAnswer>
  /** Called once, at the end. */
  drop?(): void | Promise<void>
  /** What the next version of this class gets when the file is saved under `dora run --hot-reload`. */
  saveState?(): unknown
  /** Takes over what the version before has saved. */
  restoreState?(state: unknown): void | Promise<void>
}

/** What the constructor of an operator is given. */
export type OperatorInfo = {
  /** The operator's id in its node. */
  id: string
  node: string
  dataflowId: string
  /** The dataflow file as plain values. */
  dataflowDescriptor: unknown
  /** Writes log lines that carry the operator's name. */
  log: Log
}

type OperatorClass = new (info: OperatorInfo) => TypeScriptOperator

/** Hosts TypeScript and JavaScript modules. */
export class ModuleHost implements Host {
  check(plan: OperatorPlan): DoraError[] {
    if (existsSync(plan.path)) return []
    return [new OperatorFileError(plan, "there is no such file", "check the spelling of the path")]
  }

  async load(context: OperatorContext): Promise<Operator> {
    const made = await importClass(context.plan)
    context.entering(CALL_INIT)
    return start(made, context)
  }

  parts(): string[] {
    return localModules()
  }

  forget(): void {
    for (const path of localModules()) delete require.cache[path]
  }
}

/** Files that operators consist of: what was imported and belongs neither to this package nor to another one. */
function localModules(): string[] {
  const own = new URL("../", import.meta.url).pathname
  return Object.keys(require.cache).filter(
    (path) => path.startsWith("/") && !path.startsWith(own) && !path.includes("/node_modules/"),
  )
}

async function importClass(plan: OperatorPlan): Promise<OperatorClass> {
  let module: Record<string, unknown>
  try {
    module = await import(plan.path)
  } catch (error) {
    throw new OperatorFileError(plan, reasonOf(error), undefined, error)
  }
  const made = module.default ?? module.Operator
  const found = typeof made === "function" ? (made as OperatorClass) : null
  if (typeof found?.prototype?.onEvent === "function") return found
  const why = found
    ? "its default export is no class with a method `onEvent`"
    : "it has no default export that is a class"
  const fix = "write `export default class { onEvent(event, sendOutput) { … } }`"
  throw new OperatorFileError(plan, why, fix)
}

function start(made: OperatorClass, context: OperatorContext): Operator {
  const { plan, node, dataflowId, dataflowDescriptor, log, outputs } = context
  const instance = new made({ id: plan.id, node, dataflowId, dataflowDescriptor, log })
  const sendOutput: SendOutput = (output, data, parameters) =>
    outputs.send(output, data, parameters)
  const operator: Operator = {
    onEvent(event) {
      const answer = instance.onEvent(event, sendOutput)
      return answer instanceof Promise ? answer.then(statusOf) : statusOf(answer)
    },
    drop: () => instance.drop?.(),
  }
  if (instance.saveState) operator.saveState = () => instance.saveState!()
  if (instance.restoreState) operator.restoreState = (state) => instance.restoreState!(state)
  return operator
}

function statusOf(answer: OperatorAnswer): DoraStatus {
  if (answer === undefined) return DoraStatus.CONTINUE
  if (answer === 0 || answer === 1 || answer === 2) return answer
  throw new OperatorStatusError(answer)
}
