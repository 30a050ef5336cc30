// How much processor time the control groups of this process leave it, as `docker run --cpus` or a limit of Kubernetes sets it.
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"

/** Where control groups are mounted, and what says which ones a process is in. */
const MOUNT = "/sys/fs/cgroup"
const MEMBERSHIP = "/proc/self/cgroup"

/**
 * The processor time that this process may use, in cores; Infinity when nothing limits it. Both versions of control groups
 * (cgroups(7)) are read, each group with those that contain it.
 *
 * @example coreQuota() // 1.5 after `docker run --cpus 1.5`
 */
export function coreQuota(mount = MOUNT, membership = MEMBERSHIP): number {
  let least = Number.POSITIVE_INFINITY
  for (const line of read(membership).split("\n")) {
    const [, controllers, ...rest] = line.split(":")
    const path = rest.join(":")
    if (controllers === undefined || !path.startsWith("/")) continue
    const isSecond = controllers === ""
    if (!isSecond && !controllers.split(",").includes("cpu")) continue
    const folders = isSecond ? ["", "unified"] : [controllers, "cpu"]
    for (const folder of folders) {
      for (const group of upwards(path)) {
        least = Math.min(least, quotaOf(join(mount, folder, group), isSecond))
      }
    }
  }
  return least
}

/** A group and those that contain it. Inside of a container what is mounted may begin further down: then only the last one is there. */
function upwards(path: string): string[] {
  const groups = [path]
  for (let at = path; at !== "/"; groups.push(at)) at = dirname(at)
  return groups
}

function quotaOf(folder: string, isSecond: boolean): number {
  const [quota, period] = isSecond
    ? read(join(folder, "cpu.max")).split(" ")
    : [read(join(folder, "cpu.cfs_quota_us")), read(join(folder, "cpu.cfs_period_us"))]
  const cores = Number(quota) / Number(period)
  // No limit is written as `max` or −1, and no such file reads as nothing.
  return cores > 0 ? cores : Number.POSITIVE_INFINITY
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}
