// When a node is started again, and how long one that is silent, or has nothing to do any more, is waited for.
import type { Problems } from "./problems.ts"
import { checkSeconds } from "./quantity.ts"
import { readChoice, readWhole } from "./read.ts"
import type { RestartSpec } from "./types.ts"
import type { YamlNode } from "./yaml.ts"

/** Fields of a node that {@link readRestart} reads. */
export const RESTART_FIELDS = [
  "restart_policy",
  "max_restarts",
  "restart_delay",
  "max_restart_delay",
  "restart_window",
  "startup_timeout",
  "health_check_timeout",
  "finish_grace_secs",
]

/** Reads what a node says about being started again. @param field  its value, null when absent */
export function readRestart(
  problems: Problems,
  field: (key: string) => YamlNode | null,
  owner: string,
): RestartSpec {
  const seconds = (key: string) => {
    const value = field(key)
    return value && checkSeconds(problems, value, key, owner)
  }
  const policy = field("restart_policy")
  const most = field("max_restarts")
  return {
    policy:
      (policy &&
        readChoice(problems, policy, "restart_policy", ["never", "on-failure", "always"])) ??
      "never",
    most: (most && readWhole(problems, most, "max_restarts", 2n ** 32n - 1n)) || null,
    delay: seconds("restart_delay") ?? 0,
    maxDelay: seconds("max_restart_delay"),
    window: seconds("restart_window"),
    startupTimeout: seconds("startup_timeout"),
    healthCheckTimeout: seconds("health_check_timeout"),
    finishGrace: seconds("finish_grace_secs"),
  }
}
