import { type FSWatcher, watch } from "node:fs"
import { dirname, join } from "node:path"

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
