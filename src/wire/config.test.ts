import { describe, expect, test } from "bun:test"
import { daemonAddress, decodeNodeConfig, encodeNodeConfig, type NodeConfig } from "./config.ts"

const CONFIG: NodeConfig = {
  dataflow_id: "0198c000-1111-7222-8333-444455556666",
  node_id: "plot",
  run_config: {
    inputs: {
      image: { source: "camera/image", queue_size: 1, queue_policy: "drop_oldest" },
      tick: "dora/timer/millis/100",
    },
    outputs: ["mean"],
  },
  daemon_communication: { Tcp: { socket_addr: "127.0.0.1:43219" } },
  dataflow_descriptor: {
    nodes: [{ id: "plot", env: { TRAP: '"daemon_communication": !Tcp {"socket_addr":"x"}' } }],
  },
  dynamic: false,
  write_events_to: null,
  restart_count: 0,
  output_routing: { mean: { daemon_only: true, required_ackers: [] } },
}

/** As serde_yaml writes it. */
const OFFICIAL = `dataflow_id: 0198c000-1111-7222-8333-444455556666
node_id: plot
run_config:
  inputs:
    image:
      source: camera/image
      queue_size: 1
      queue_policy: drop_oldest
    tick: dora/timer/millis/100
  outputs:
  - mean
daemon_communication: !Tcp
  socket_addr: 127.0.0.1:43219
dataflow_descriptor:
  nodes:
  - id: plot
    env:
      TRAP: '"daemon_communication": !Tcp {"socket_addr":"x"}'
dynamic: false
write_events_to: null
restart_count: 0
output_routing:
  mean:
    daemon_only: true
    required_ackers: []
`

describe("the node configuration", () => {
  test("ours comes back from its own text", async () => {
    const text = encodeNodeConfig(CONFIG)
    expect(text).toStartWith(
      '{"daemon_communication": !Tcp {"socket_addr":"127.0.0.1:43219"},"dataflow_id"',
    )
    expect(await decodeNodeConfig(text)).toEqual(CONFIG)
  })

  test("ours is YAML with the tag that serde_yaml wants", async () => {
    const text = encodeNodeConfig(CONFIG).replace("{", "{ ").replace("!Tcp {", "!Tcp  {")
    expect(await decodeNodeConfig(text)).toEqual(CONFIG)
  })

  test("the official daemon's block style is understood", async () => {
    expect(await decodeNodeConfig(OFFICIAL)).toEqual(CONFIG)
  })

  test("a node without a daemon has no address", async () => {
    const config = { ...CONFIG, daemon_communication: "Interactive" as const }
    const read = await decodeNodeConfig(encodeNodeConfig(config))
    expect(read).toEqual(config)
    expect(daemonAddress(read)).toBeNull()
  })

  test("addresses of both kinds are taken apart", () => {
    const at = (socket_addr: string) =>
      daemonAddress({ ...CONFIG, daemon_communication: { Tcp: { socket_addr } } })
    expect(at("127.0.0.1:80")).toEqual({ hostname: "127.0.0.1", port: 80 })
    expect(at("[::1]:80")).toEqual({ hostname: "::1", port: 80 })
  })

  test("what can't be used is refused with the reason", async () => {
    const bad: [string, string][] = [
      ["a: [", "why:"],
      ["just text", "it is no map"],
      [OFFICIAL.replace("dataflow_id: ", "other: "), "`dataflow_id` is missing"],
      [OFFICIAL.replace("node_id: plot", "node_id: a b"), "invalid character"],
      [OFFICIAL.replace("!Tcp", "!Shmem"), "`daemon_communication` is of an unknown kind"],
      [OFFICIAL.replace("127.0.0.1:43219", "nowhere"), "nowhere is no socket address"],
      [OFFICIAL.replace("source:", "from:"), "input `image` has no source"],
    ]
    for (const [text, why] of bad) {
      const error = await decodeNodeConfig(text).then(
        () => null,
        (cause: Error) => cause,
      )
      expect(error?.message).toContain(why)
      expect(error).toHaveProperty("code", "BAD_NODE_CONFIG")
    }
  })
})
