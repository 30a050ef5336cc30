// Where the program of a node comes from when it is not there already: a git repository, or a download.
import { type Problems, quote } from "./problems.ts"
import { givenOf, readText } from "./read.ts"
import type { Origin } from "./types.ts"
import type { YamlEntry, YamlMap, YamlNode } from "./yaml.ts"

const PINS = ["branch", "tag", "rev"] as const
/** What git may be asked to speak; others start programs. */
const GIT_PROTOCOLS = ["https:", "http:", "ssh:", "git:", "file:"]

/**
 * Reads where a node with `path` comes from; null: it is there.
 *
 * @param path  its `path`
 */
export function readOrigin(problems: Problems, map: YamlMap, path: string): Origin | null {
  const git = givenOf(map, "git")
  const pins = PINS.flatMap((name) => givenOf(map, name) ?? [])
  const isUrl = /^https?:\/\//.test(path)
  const sha256 = readSha256(problems, givenOf(map, "path_sha256"), path, isUrl)
  const pin = readPin(problems, pins, git)
  if (git) return readGit(problems, git.value, pin, isUrl ? path : null)
  return isUrl ? { kind: "download", sha256 } : null
}

function readGit(
  problems: Problems,
  value: YamlNode,
  pin: { kind: (typeof PINS)[number]; name: string } | null,
  download: string | null,
): Origin | null {
  const url = readText(problems, value, "git")
  if (url === null) return null
  if (download !== null) {
    const message = `\`git\` and a \`path\` that is downloaded (${quote(download)})`
    problems.error("EXCLUSIVE_FIELDS", value, message, "`path` starts at the root of the clone")
    return null
  }
  const isShort = /^[\w.-]+@[\w.-]+:[^:]+$/.test(url)
  if (isShort || (URL.canParse(url) && GIT_PROTOCOLS.includes(new URL(url).protocol))) {
    return { kind: "git", url, pin }
  }
  const message = `failed to parse git repository URL ${quote(url)}`
  problems.error("BAD_VALUE", value, message, "write `https://…`, `ssh://…` or `file:///…`")
  return null
}

function readPin(problems: Problems, pins: readonly YamlEntry[], git: YamlEntry | null) {
  const sorted = pins.toSorted((a, b) => a.key.start - b.key.start)
  const [pin] = sorted
  if (sorted.length > 1) {
    const message = "only one of `branch`, `tag`, and `rev` are allowed"
    problems.error("EXCLUSIVE_FIELDS", sorted.at(-1)!.key, message)
  } else if (pin && !git) {
    const message = "`git` source required when using branch, tag, or rev"
    problems.error("MISSING_FIELD", pin.key, message)
  }
  const name = pin ? readText(problems, pin.value, pin.key.text) : null
  if (!pin || name === null) return null
  if (/^[\w./+@][\w./+@-]*$/.test(name))
    return { kind: pin.key.text as (typeof PINS)[number], name }
  problems.error("BAD_VALUE", pin.value, `${quote(name)} is no name of a ${pin.key.text}`)
  return null
}

function readSha256(
  problems: Problems,
  entry: YamlEntry | null,
  path: string,
  isUrl: boolean,
): string | null {
  if (!entry) return null
  const sha256 = readText(problems, entry.value, "path_sha256")
  if (!isUrl) {
    const message = `node has \`path_sha256\` set but its path ${quote(path)} is not a URL — a download checksum only applies to URL paths`
    problems.error("FIELD_NOT_ALLOWED", entry.key, message)
  } else if (sha256 !== null && !/^[0-9a-f]{64}$/i.test(sha256)) {
    problems.error("BAD_VALUE", entry.value, "invalid `path_sha256` (must be 64 hex chars)")
  }
  return sha256?.toLowerCase() ?? null
}
