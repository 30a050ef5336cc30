// New versions of operators in the place of old ones, when their files are saved.
import { type FSWatcher, watch } from "node:fs"
import { dirname, join } from "node:path"
import type { OperatorKind } from "../core/operator.ts"
import { reasonOf } from "./errors.ts"
import type { Host, Operator, OperatorContext } from "./host.ts"
import type { Instance } from "./instance.ts"

/** Editors write a file in several steps: what follows within this time belongs together. */
const QUIET_MS = 50

/** Tells which of some files were saved. Folders are watched, because many editors put a new file in the place of the old one. */
export class FileWatch implements Disposable {
  readonly #changed: (files: string[]) => void
  readonly #files = new Set<string>()
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #saved = new Set<string>()
  #timer: Timer | null = null

  /** @param changed  called with the files that were saved */
  constructor(changed: (files: string[]) => void) {
    this.#changed = changed
  }

  /** Watches more files. */
  add(files: readonly string[]): void {
    for (const file of files) {
      this.#files.add(file)
      const folder = dirname(file)
      if (this.#watchers.has(folder)) continue
      const saved = (_: string, name: string | null) => {
        if (name !== null) this.#note(join(folder, name))
      }
      this.#watchers.set(folder, watch(folder, { persistent: false }, saved))
    }
  }

  #note(file: string): void {
    if (!this.#files.has(file)) return
    this.#saved.add(file)
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      const files = [...this.#saved]
      this.#saved.clear()
      this.#changed(files)
    }, QUIET_MS)
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }
}

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
