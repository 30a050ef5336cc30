// Gets the program of a node from where it comes: a clone of a git repository, or a download.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { open } from "node:fs/promises"
import { basename, join } from "node:path"
import { DoraError } from "../core/errors.ts"
import { MAX_DOWNLOAD_BYTES, MAX_DOWNLOAD_MS } from "../core/limits.ts"
import type { NodeSpec, Origin } from "../descriptor/types.ts"
import { placeOf, StartAbortedError } from "./failure.ts"
import type { Guard } from "./guard.ts"
import type { NodeLog } from "./logs.ts"
import { runStep } from "./step.ts"

/** Where a node runs, and its `path` as seen from there. */
export type Place = { dir: string; path: string }

/** What getting a program needs. */
export type Fetching = {
  /** The directory of the dataflow. */
  dir: string
  env: Record<string, string>
  log: NodeLog
  guard: Guard
  signal?: AbortSignal
}

/** The program of a node could not be got. */
export class OriginError extends DoraError {
  constructor(node: NodeSpec, from: string, why: string, fix: string) {
    super("ORIGIN_FAILED", {
      what: `node ${node.id}: can't get its program from ${from}`,
      where: placeOf(node),
      why,
      fix,
    })
  }
}

/**
 * Gets what is not there yet.
 *
 * @throws OriginError, SpawnError, StartAbortedError
 */
export function fetchOrigin(node: NodeSpec, around: Fetching): Promise<Place> {
  const { origin } = node
  if (origin === null) return Promise.resolve({ dir: around.dir, path: node.path })
  return origin.kind === "git" ? clone(node, origin, around) : download(node, origin, around)
}

const COMMIT = /^[0-9a-f]{40}$/

/** A clone for each commit, which later runs find again: `git/<host>/<path>/<commit>`. */
async function clone(
  node: NodeSpec,
  origin: Extract<Origin, { kind: "git" }>,
  around: Fetching,
): Promise<Place> {
  const { url, pin } = origin
  const git = (...args: string[]) => runGit(node, url, args, around)
  const root = join(around.dir, "git", ...foldersOf(url))
  const wanted = pin?.kind === "rev" ? pin.name : await newest(node, origin, root, around, git)
  const place = (commit: string): Place => ({ dir: join(root, commit), path: node.path })
  if (COMMIT.test(wanted) && existsSync(join(root, wanted))) {
    const [head] = await git("-C", join(root, wanted), "rev-parse", "HEAD")
    if (head === wanted) return place(wanted)
    const why = `the clone ${join(root, wanted)} is at ${head}`
    throw new OriginError(node, url, why, "remove that folder: it is made anew")
  }
  const partial = join(root, `.partial-${crypto.randomUUID()}`)
  mkdirSync(root, { recursive: true })
  try {
    await git("clone", "--quiet", "--no-checkout", "--", url, partial)
    await git("-C", partial, "checkout", "--quiet", "--detach", wanted)
    const [commit = ""] = await git("-C", partial, "rev-parse", "HEAD")
    keep(partial, join(root, commit))
    return place(commit)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** Puts a clone in its place, unless it is there: a short name had told nothing, or another run was quicker. */
function keep(partial: string, target: string): void {
  try {
    renameSync(partial, target)
  } catch (error) {
    if (!existsSync(target)) throw error
  }
}

/**
 * The commit that a branch, a tag or the default branch is at now; when nobody can be asked the one that it was at last, if that is
 * here.
 */
async function newest(
  node: NodeSpec,
  { url, pin }: Extract<Origin, { kind: "git" }>,
  root: string,
  { log, signal }: Fetching,
  git: (...args: string[]) => Promise<string[]>,
): Promise<string> {
  const ref = !pin ? "HEAD" : `refs/${pin.kind === "branch" ? "heads" : "tags"}/${pin.name}`
  const memory = join(root, `.at-${encodeURIComponent(ref)}`)
  let lines: string[]
  try {
    lines = await git("ls-remote", "--", url, ref, `${ref}^{}`)
  } catch (error) {
    const last = existsSync(memory) ? readFileSync(memory, "utf8") : ""
    if (signal?.aborted || !COMMIT.test(last) || !existsSync(join(root, last))) throw error
    log.line("stderr", `${url} can't be asked: goes on with the clone of ${last}`)
    return last
  }
  const found = new Map(lines.map((line) => line.split("\t", 2).toReversed() as [string, string]))
  // What an annotated tag stands for.
  const commit = found.get(`${ref}^{}`) ?? found.get(ref)
  if (commit === undefined || !COMMIT.test(commit)) {
    const why = pin ? `it has no ${pin.kind} \`${pin.name}\`` : "it has no commits"
    const fix = "check the spelling; `git ls-remote <url>` lists what is there"
    throw new OriginError(node, url, why, fix)
  }
  mkdirSync(root, { recursive: true })
  writeFileSync(memory, commit)
  return commit
}

/** The host and the path of a repository, as folders. */
function foldersOf(url: string): string[] {
  const short = /^[\w.-]+@([\w.-]+):(.+)$/.exec(url)
  const { hostname, pathname } = short ? { hostname: short[1]!, pathname: short[2]! } : new URL(url)
  const folders = [hostname || "localhost", ...pathname.split("/")]
  return folders.filter((name) => !["", ".", ".."].includes(name))
}

/** @returns the lines of its output */
async function runGit(
  node: NodeSpec,
  url: string,
  args: string[],
  { dir, env, log, guard, signal }: Fetching,
): Promise<string[]> {
  const program = Bun.which("git", { PATH: env.PATH ?? "" })
  if (program === null) throw new OriginError(node, url, "there is no git on PATH", "install git")
  const lines: string[] = []
  const step = {
    argv: [program, ...args],
    cwd: dir,
    // Nobody is there to answer.
    env: { ...env, GIT_TERMINAL_PROMPT: "0" },
    guard,
    onLine: (stream: "stdout" | "stderr", line: string) =>
      void (stream === "stdout" ? lines.push(line) : log.line(stream, line)),
  }
  const { code } = await runStep(step, log, signal)
  if (code === 0) return lines
  const why = log.stderrTail.join("\n") || `exit code ${code}`
  throw new OriginError(node, url, why, `run it by hand: \`git ${args.join(" ")}\``)
}

/** A file below `build`, in a folder of its checksum when there is one: then it is got once. */
async function download(
  node: NodeSpec,
  { sha256 }: Extract<Origin, { kind: "download" }>,
  { dir, log, signal }: Fetching,
): Promise<Place> {
  const url = node.path
  const folder = join(dir, "build", sha256 ?? "")
  const known = sha256 === null ? null : fileIn(folder)
  if (known !== null && (await sha256Of(known)) === sha256) return { dir, path: known }
  log.line("stdout", `downloading ${url}`)
  const partial = join(folder, `.partial-${crypto.randomUUID()}`)
  mkdirSync(folder, { recursive: true })
  try {
    const limit = AbortSignal.timeout(MAX_DOWNLOAD_MS)
    const response = await fetch(url, { signal: signal ? AbortSignal.any([signal, limit]) : limit })
    if (!response.ok)
      throw new Error(`the server answered ${response.status} ${response.statusText}`)
    const got = await save(response, partial)
    if (sha256 !== null && got !== sha256)
      throw new Error(`SHA-256 mismatch: expected ${sha256}, got ${got}`)
    if (sha256 === null) log.line("stdout", `its SHA-256 is ${got}: \`path_sha256\` pins it`)
    const file = join(
      folder,
      nameOf(response.url || url, response.headers.get("content-disposition")),
    )
    chmodSync(partial, 0o755)
    renameSync(partial, file)
    return { dir, path: file }
  } catch (error) {
    if (signal?.aborted) throw new StartAbortedError(signal.reason)
    throw new OriginError(
      node,
      url,
      (error as Error).message,
      "download it by hand, and name the file",
    )
  } finally {
    rmSync(partial, { force: true })
  }
}

/** @returns the checksum */
async function save(response: Response, path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256")
  const file = await open(path, "wx")
  try {
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > MAX_DOWNLOAD_BYTES)
        throw new Error(`it has more than ${MAX_DOWNLOAD_BYTES} bytes`)
      hasher.update(chunk)
      await file.write(chunk)
    }
  } finally {
    await file.close()
  }
  return hasher.digest("hex")
}

/** What was got before; null: nothing. */
function fileIn(folder: string): string | null {
  if (!existsSync(folder)) return null
  const name = readdirSync(folder).find((one) => !one.startsWith("."))
  return name === undefined ? null : join(folder, name)
}

async function sha256Of(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256")
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk)
  return hasher.digest("hex")
}

/** What a file is called by its server or its address. */
function nameOf(url: string, disposition: string | null): string {
  const given = /filename="?([^";]+)"?/i.exec(disposition ?? "")?.[1] ?? new URL(url).pathname
  const name = basename(given)
  return name === "" || name.startsWith(".") || name.length > 200 ? "node" : name
}
