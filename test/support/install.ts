import { join } from "node:path"

/** The repository's top folder. */
export const ROOT = join(import.meta.dir, "../..")

/**
 * Installs what the lock file names and is not there yet; a complete installation needs no network.
 *
 * @throws Error  with bun's output when it fails
 */
export function install(): void {
  const command = [process.execPath, "install", "--frozen-lockfile"]
  const result = Bun.spawnSync(command, { cwd: ROOT, stdout: "pipe", stderr: "pipe" })
  if (result.success) return
  throw new Error(`bun install failed:\n${result.stdout}${result.stderr}`)
}
