import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { coreQuota } from "./quota.ts"

/** What a process sees of its control groups. */
function quotaWith(membership: string, files: Record<string, string>): number {
  const root = mkdtempSync(join(tmpdir(), "dora-cgroup-"))
  try {
    for (const [name, text] of Object.entries({ ...files, membership })) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), `${text}\n`)
    }
    return coreQuota(root, join(root, "membership"))
  } finally {
    rmSync(root, { recursive: true })
  }
}

test("the least of a group and those that contain it", () => {
  const second = "0::/a/b\n"
  expect(quotaWith(second, { "a/b/cpu.max": "150000 100000" })).toBe(1.5)
  expect(quotaWith(second, { "a/b/cpu.max": "max 100000", "a/cpu.max": "25000 50000" })).toBe(0.5)
  expect(quotaWith(second, { "cpu.max": "200000 100000", "other/cpu.max": "1000 100000" })).toBe(2)
  expect(quotaWith(second, { "unified/a/cpu.max": "300000 100000" })).toBe(3)
  const first = "11:memory:/m\n4:cpu,cpuacct:/docker/1\n0::/\n"
  const files = (folder: string, quota: number) => ({
    [`${folder}/cpu.cfs_quota_us`]: String(quota),
    [`${folder}/cpu.cfs_period_us`]: "100000",
  })
  expect(quotaWith(first, files("cpu,cpuacct/docker/1", 50_000))).toBe(0.5)
  // What a container sees of the first version: its own group, mounted as if it were the root.
  expect(quotaWith(first, files("cpu", 250_000))).toBe(2.5)
  expect(quotaWith(first, files("cpu/docker/1", -1))).toBe(Number.POSITIVE_INFINITY)
})

test("none where nothing says so, or nothing that makes sense", () => {
  for (const [membership, text] of [
    ["", "1 1"],
    ["0::/", "max"],
    ["0::/", ""],
    ["0::/", "0 100000"],
    ["0::/", "many 100000"],
    ["0::/", "100000 0"],
    ["0::relative", "1 1"],
    ["nonsense", "1 1"],
  ] as const) {
    expect(quotaWith(membership, { "cpu.max": text })).toBe(Number.POSITIVE_INFINITY)
  }
  expect(coreQuota("/no/such/mount", "/no/such/file")).toBe(Number.POSITIVE_INFINITY)
})
