import { describe, expect, test } from "bun:test"
import { errorsOf, parse } from "./testing.ts"

const node = (fields: string) => `nodes: [{ id: a, ${fields} }]`
const originOf = (fields: string) => parse(node(fields)).nodes[0]!.origin
const SHA = "0123456789abcdef".repeat(4)

describe("a program comes", () => {
  test("from a repository, at a branch, a tag, a commit or what is the default there", () => {
    const url = "https://example.org/o/r.git"
    const git = (pin: object | null) => ({ kind: "git", url, pin })
    expect(originOf(`path: n.ts, git: '${url}'`)).toMatchObject(git(null))
    expect(originOf(`path: n.ts, git: '${url}', branch: feature/x`)).toMatchObject(
      git({ kind: "branch", name: "feature/x" }),
    )
    expect(originOf(`path: n.ts, git: '${url}', tag: v1.0`)).toMatchObject(
      git({ kind: "tag", name: "v1.0" }),
    )
    expect(originOf(`path: n.ts, git: '${url}', rev: 0123abc`)).toMatchObject(
      git({ kind: "rev", name: "0123abc" }),
    )
    for (const other of ["file:///srv/r", "ssh://git@h/r", "git@example.org:o/r.git"]) {
      expect(originOf(`path: n.ts, git: '${other}'`)).toMatchObject({ url: other })
    }
  })

  test("from an address, held to a checksum", () => {
    expect(originOf("path: https://h/n")).toEqual({ kind: "download", sha256: null })
    expect(originOf(`path: http://h/n, path_sha256: ${SHA.toUpperCase()}`)).toEqual({
      kind: "download",
      sha256: SHA,
    })
    expect(originOf("path: sh")).toBeNull()
  })

  test("from nowhere else, and from one place", () => {
    const cases: [string, string][] = [
      ["path: n, git: ../r", "BAD_VALUE"],
      ["path: n, git: 'ext::sh -c id'", "BAD_VALUE"],
      ["path: n, git: '--upload-pack=id'", "BAD_VALUE"],
      ["path: n, git: [a]", "WRONG_TYPE"],
      ["path: n, git: 'https://h/r', branch: --output=x", "BAD_VALUE"],
      ["path: n, git: 'https://h/r', branch: a, tag: b", "EXCLUSIVE_FIELDS"],
      ["path: 'https://h/n', git: 'https://h/r'", "EXCLUSIVE_FIELDS"],
      ["path: n, rev: a", "MISSING_FIELD"],
      [`path: n, path_sha256: ${SHA}`, "FIELD_NOT_ALLOWED"],
      ["path: https://h/n, path_sha256: ../x", "BAD_VALUE"],
    ]
    for (const [fields, code] of cases)
      expect([fields, errorsOf(node(fields))]).toEqual([fields, [code]])
  })
})
