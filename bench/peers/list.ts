// Every peer that the suite measures, in the order of its table. What each is and how it is installed: README.md.
import { OfficialDora } from "./dora-rs/peer.ts"
import type { Peer } from "./peer.ts"
import { file, type Program, program, tool } from "./program.ts"
import { ros2 } from "./ros2.ts"

const ICEORYX = {
  needs: [
    tool("iox-roudi", "apt install iceoryx libiceoryx-posh-dev libiceoryx-hoofs-dev"),
    file(
      "apt install libiceoryx-posh-dev libiceoryx-hoofs-dev",
      "/usr/include/iceoryx/v2.0.3/iceoryx_posh/popo/untyped_publisher.hpp",
    ),
  ],
  source: {
    file: "iceoryx/iceoryx.cpp",
    compiler: "c++",
    flags: [
      "-std=c++17",
      "-I/usr/include/iceoryx/v2.0.3",
      ...["-liceoryx_posh", "-liceoryx_hoofs", "-liceoryx_platform", "-lpthread"],
    ],
  },
} satisfies Partial<Program>

const PROGRAMS: readonly Program[] = [
  { name: "iceoryx 2.0.3, polling", ...ICEORYX, variant: "poll", everySize: true },
  { name: "iceoryx 2.0.3, polling, copied", ...ICEORYX, variant: "poll+copy", everySize: true },
  { name: "iceoryx 2.0.3, WaitSet", ...ICEORYX, variant: "waitset" },
  {
    name: "libzmq, PAIR over ipc",
    needs: [file("apt install libzmq3-dev", "/usr/include/zmq.h", "/usr/local/include/zmq.h")],
    source: { file: "zeromq/zeromq.c", compiler: "cc", flags: ["-lzmq"] },
  },
  {
    name: "NATS",
    needs: [
      tool("nats-server", "apt install nats-server libnats-dev"),
      file("apt install libnats-dev", "/usr/include/nats/nats.h", "/usr/local/include/nats/nats.h"),
    ],
    source: { file: "nats/nats.c", compiler: "cc", flags: ["-lnats"] },
  },
  {
    name: "Cyclone DDS",
    largest: 4_096_000,
    needs: [
      tool("idlc", "apt install cyclonedds-dev cyclonedds-tools"),
      file("apt install cyclonedds-dev", "/usr/include/dds/dds.h", "/usr/local/include/dds/dds.h"),
    ],
    source: {
      file: "cyclonedds/cyclonedds.c",
      compiler: "cc",
      flags: ["-lddsc"],
      generate: { tool: "idlc", file: "cyclonedds/message.idl" },
    },
  },
  {
    name: "worker_threads, postMessage",
    needs: [],
    source: { script: "worker/main.ts" },
    variant: "message",
  },
  {
    name: "worker_threads, SharedArrayBuffer",
    needs: [],
    source: { script: "worker/main.ts" },
    variant: "shared",
  },
  { name: "Bun IPC", needs: [], source: { script: "bun-ipc/main.ts" } },
]

/** The peers; those that are missing say how to install them. */
export const PEERS: readonly Peer[] = [
  new OfficialDora("rust"),
  new OfficialDora("python"),
  ...PROGRAMS.map(program),
  ros2,
]
