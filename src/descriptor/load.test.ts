import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadDataflow, parseDataflow } from "./load.ts"
import { DescriptorError } from "./problems.ts"
import { parse, TEST_FILE } from "./testing.ts"

const NEVER = {
  policy: "never",
  most: null,
  delay: 0,
  maxDelay: null,
  window: null,
  startupTimeout: null,
  healthCheckTimeout: null,
  finishGrace: null,
} as const

const QUIET = { minLevel: null, stdoutAs: null, recordsAs: null, maxBytes: null, maxFiles: 5 }

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dora-flow-"))
})
afterAll(() => rm(folder, { recursive: true }))

async function failure(path: string): Promise<DescriptorError> {
  const result = await loadDataflow(path).catch((error: unknown) => error)
  if (result instanceof DescriptorError) return result
  throw new Error(`expected a DescriptorError, got ${String(result)}`)
}

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await Bun.write(path, content)
  return path
}

describe("a dataflow file", () => {
  test("becomes nodes with everything that they need", () => {
    const flow = parse(`
env: { LOG: "1" }
exit_when_nodes_finish: true
health_check_interval: 2.5
nodes:
  - id: camera
    name: Camera
    description: takes pictures
    path: sh
    args: --rate 30 --name 'front left'
    env: { MODE: fast, SAY: "\${GREETING} world" }
    build: |
      make all

      cp "a b" c
    inputs:
      tick: dora/timer/hz/30
      logs: { source: dora/logs/warn, queue_size: 3 }
    outputs: [image]
    min_log_level: INFO
  - id: 7
    path: sh
    inputs:
      image: { source: camera/image, queue_size: 1, queue_policy: backpressure, input_timeout: 2 }
    restart_policy: on-failure
    max_restarts: 3
    restart_delay: 0.5
    max_restart_delay: 8
    restart_window: 60
    startup_timeout: 10
`)
    expect(flow.warnings).toEqual([])
    expect(flow.path).toBe(TEST_FILE)
    expect(flow.workingDir).toBe("/flows")
    expect(flow.env).toEqual({ LOG: "1" })
    expect(flow.exitWhenNodesFinish).toBe(true)
    expect(flow.healthCheckInterval).toBe(2.5)
    const at = (line: number, column: number) => ({ file: TEST_FILE, line, column })
    expect(flow.nodes).toEqual([
      {
        id: "camera",
        name: "Camera",
        description: "takes pictures",
        path: "sh",
        origin: null,
        operators: [],
        args: ["--rate", "30", "--name", "front left"],
        env: { MODE: "fast", SAY: "hello world" },
        build: [
          ["make", "all"],
          ["cp", "a b", "c"],
        ],
        inputs: [
          {
            id: "tick",
            source: { kind: "timer", periodNs: 33_333_333, text: "dora/timer/hz/30" },
            queueSize: 10,
            queuePolicy: "drop_oldest",
            inputTimeout: null,
            position: at(17, 7),
          },
          {
            id: "logs",
            source: { kind: "logs", level: "warn", node: null, text: "dora/logs/warn" },
            queueSize: 3,
            queuePolicy: "drop_oldest",
            inputTimeout: null,
            position: at(18, 7),
          },
        ],
        outputs: [{ id: "image", position: at(19, 15) }],
        logs: { ...QUIET, minLevel: "info" },
        restart: NEVER,
        cpuAffinity: null,
        dynamic: false,
        shell: false,
        position: at(6, 5),
      },
      {
        id: "7",
        name: null,
        description: null,
        path: "sh",
        origin: null,
        operators: [],
        args: [],
        env: {},
        build: [],
        inputs: [
          {
            id: "image",
            source: { kind: "output", node: "camera", output: "image" },
            queueSize: 1,
            queuePolicy: "backpressure",
            inputTimeout: 2,
            position: at(24, 7),
          },
        ],
        outputs: [],
        logs: QUIET,
        restart: {
          policy: "on-failure",
          most: 3,
          delay: 0.5,
          maxDelay: 8,
          window: 60,
          startupTimeout: 10,
          healthCheckTimeout: null,
          finishGrace: null,
        },
        cpuAffinity: null,
        dynamic: false,
        shell: false,
        position: at(21, 5),
      },
    ])
  })

  test("is handed to nodes as JSON: aliases resolved, variables expanded, texts as texts, new spellings", () => {
    const flow = parse(`
nodes:
  - id: 1
    custom: { source: sh, envs: { A: $GREETING, B: "007", C: 1.5, D: true } }
    name: &label 5
    inputs:
    outputs: [2]
  - { id: b, path: sh, description: *label, inputs: { i: { source: 1/2, queue_size: 3 } } }
`)
    expect(flow.json).toEqual({
      nodes: [
        {
          id: "1",
          path: "sh",
          env: { A: "hello", B: 7, C: 1.5, D: true },
          name: "5",
          inputs: {},
          outputs: ["2"],
        },
        { id: "b", path: "sh", description: "5", inputs: { i: { source: "1/2", queue_size: 3 } } },
      ],
    })
  })

  test("may use keys that mean something to JavaScript", () => {
    const flow = parse("nodes: [{ id: a, path: sh, env: { __proto__: x, constructor: y } }]")
    expect(Object.entries(flow.nodes[0]!.env)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ])
    expect(JSON.stringify(flow.json)).toContain('"__proto__":"x"')
  })

  test("reads from disk, with the directory of the file as working directory", async () => {
    await mkdir(join(folder, "sub"))
    await Bun.write(join(folder, "sub/node.ts"), "")
    const path = await write("sub/flow.yml", "nodes: [{ id: a, path: node.ts }]\n")
    const flow = await loadDataflow(path)
    expect(flow.workingDir).toBe(join(folder, "sub"))
    expect(flow.warnings).toEqual([])
  })

  test("takes variables from the environment that it is given", () => {
    const text = "nodes: [{ id: a, path: sh, env: { A: $WHO } }]"
    const flow = parseDataflow(text, "flow.yml", { env: { WHO: "me" } })
    expect(flow.nodes[0]!.env).toEqual({ A: "me" })
    expect(() => parseDataflow(text, "flow.yml", { env: {} })).toThrow("`WHO` is not defined")
  })

  test("tells every problem in the message of the error", () => {
    const text = "nodes: [{ id: a b, path: sh, foo: 1 }]"
    expect(() => parseDataflow(text, "flow.yml")).toThrow(
      /2 errors in dataflow `flow.yml`[\s\S]*BAD_ID[\s\S]*foo/,
    )
  })
})

describe("a file that can't be read", () => {
  const codes = (error: DescriptorError) => error.problems.map(({ code }) => code)

  test("is missing", async () => {
    const error = await failure(join(folder, "none.yml"))
    expect(error.code).toBe("DESCRIPTOR_INVALID")
    expect(codes(error)).toEqual(["FILE_UNREADABLE"])
    expect(error.message).toContain("failed to open given file: ENOENT")
  })

  test("is a directory", async () => {
    expect(codes(await failure(folder))).toEqual(["FILE_UNREADABLE"])
  })

  test("is larger than any dataflow, and is refused before it is read", async () => {
    const path = await write("big.yml", `nodes: [] # ${"x".repeat(10 * 1024 * 1024)}\n`)
    const error = await failure(path)
    expect(codes(error)).toEqual(["FILE_TOO_LARGE"])
    expect(error.message).toContain("the file is too large: 10.0 MiB, and at most 8.0 MiB are read")
    expect([...error.texts]).toEqual([[path, ""]])
  })

  test("has no end", async () => {
    expect(codes(await failure("/dev/zero"))).toEqual(["FILE_TOO_LARGE"])
  })

  test("is not UTF-8", async () => {
    const path = await write("latin.yml", Buffer.from("nodes: []\n# caf\xe9\n", "latin1"))
    const error = await failure(path)
    expect(codes(error)).toEqual(["NOT_UTF8"])
    expect(error.problems[0]!.position).toEqual({ file: path, line: 2, column: 6 })
  })
})
