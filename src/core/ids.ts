/**
 * Why a text is no node id, or null when it is one. Rules and sentences: dora-message 1.1.0, `id.rs`.
 *
 * @example nodeIdProblem("a b") // "identifier contains invalid character ' ' -- only [a-zA-Z0-9_.-] are allowed"
 */
export function nodeIdProblem(id: string): string | null {
  if (id === "") return "identifier must not be empty"
  if (id === "dora")
    return "identifier 'dora' is reserved for built-in inputs (dora/timer/..., dora/logs) and cannot be used as a node id"
  if (id.startsWith(".")) {
    return `identifier '${id}' must not start with '.' (dot-segments such as '.' and '..' can traverse parent directories)`
  }
  return invalidCharacter(id, /[^a-zA-Z0-9_.-]/u, "[a-zA-Z0-9_.-]")
}

/**
 * Why a text is no input or output name, or null when it is one.
 *
 * @example dataIdProblem("op/out") // null
 */
export function dataIdProblem(id: string): string | null {
  if (id === "") return "identifier must not be empty"
  const bad = invalidCharacter(id, /[^a-zA-Z0-9_./-]/u, "[a-zA-Z0-9_./-]")
  if (bad) return bad
  if (id.split("/").includes("")) {
    return `identifier '${id}' has empty path segment -- leading, trailing, or consecutive '/' are not allowed`
  }
  return null
}

function invalidCharacter(id: string, pattern: RegExp, allowed: string): string | null {
  const found = pattern.exec(id)
  if (!found) return null
  return `identifier contains invalid character '${found[0]}' -- only ${allowed} are allowed`
}

/**
 * The same text, kept as the engine keeps the names and texts of a program: such texts are one when they are equal, so that a comparison
 * with one of them (`event.id === "image"`) looks at no character.
 */
export function interned(text: string): string {
  return Object.keys({ [text]: 0 })[0]!
}
