// New versions of operators in the place of old ones, when their files are saved.
import type { OperatorKind } from "../core/operator.ts"
import { reasonOf } from "./errors.ts"
import type { Host, Operator, OperatorContext } from "./host.ts"
import type { Instance } from "./instance.ts"

/**
 * Loads anew what consists of some files. What can't be loaded, or not take over the state, is told, and the version before
 * goes on.
 */
export async function reload(
  instances: readonly Instance[],
  hosts: ReadonlyMap<OperatorKind, Host>,
  files: readonly string[],
): Promise<void> {
  for (const [kind, host] of hosts) {
    if (!host.forget) continue
    const shared = host.parts?.().some((part) => files.includes(part)) ?? false
    const concerned = instances.filter(({ over, context: { plan } }) => {
      return !over && plan.kind === kind && !plan.threads && (shared || files.includes(plan.path))
    })
    if (concerned.length === 0) continue
    host.forget()
    for (const instance of concerned) await reloadOne(instance, host)
  }
}

async function reloadOne(instance: Instance, host: Host): Promise<void> {
  const { context } = instance
  try {
    await instance.replace((old) => successor(old, host, context))
    context.log.info(`${context.plan.id}: loaded anew`)
  } catch (error) {
    const why = reasonOf(error)
    context.log.error(`${context.plan.id}: not loaded anew, the version before goes on\n${why}`)
  }
}

async function successor(old: Operator, host: Host, context: OperatorContext): Promise<Operator> {
  const made = await host.load(context)
  try {
    const state = await old.saveState?.()
    if (state !== undefined) await made.restoreState?.(state)
  } catch (error) {
    await made.drop()
    throw error
  }
  return made
}
