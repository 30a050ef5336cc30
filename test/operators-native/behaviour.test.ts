import { afterAll, beforeAll, describe, expect, setDefaultTimeout } from "bun:test"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readLayout } from "../../src/arrow/decoder.ts"
import { DoraStatus } from "../../src/runtime/host.ts"
import { OperatorCallError } from "../../src/runtime/library-errors.ts"
import * as arrow from "apache-arrow"
import { plain } from "../support/arrow.ts"
import { cargo, CARGO_LIMIT_MS, testCrates } from "../support/cargo.ts"
import { Bench, buildC, hasCc, Stream, streamOf } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"

// On a busy machine the shim's first compilation and processes of their own take seconds.
setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), "dora-bun-operators-"))
const paths: Record<string, string> = {}
const EVENTS = 1000

beforeAll(async () => {
  if (hasCc) {
    paths.c = await buildC("probe.c", folder)
    paths.cpp = await buildC("probe.cpp", folder)
  }
  if (!cargo) return
  const built = await testCrates()
  for (const name of ["v1", "v0", "daemons", "teardown"]) {
    paths[name] = join(built, `libnative_${name}.so`)
  }
}, CARGO_LIMIT_MS)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withCc = needs("cc", hasCc)
const withCargo = needs("cargo", cargo !== null)
const load = (name: string) => new Bench(paths[name]!).load()

/** Everything that crossed was released, once. */
function expectBalance(bench: Bench): void {
  const { counts } = bench.operator
  expect(counts.inputsReleased).toBe(counts.inputs)
  expect(counts.outputsReleased).toBe(counts.outputs)
  expect(counts.releasedTwice).toBe(0)
}

function errorOf(action: () => unknown): Error {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error("nothing was thrown")
}

/** Runs something with variables in the environment that C code sees: those of a process of its own. */
function inProcess(library: string, environment: Record<string, string>, body: string) {
  const support = join(import.meta.dir, "..", "support", "operators.ts")
  const code = `import { Bench } from ${JSON.stringify(support)}
    const bench = await new Bench(${JSON.stringify(paths[library])}).load()
    const operator = bench.operator
    ${body}`
  const run = Bun.spawnSync([process.execPath, "-e", code], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
    stderr: "pipe",
  })
  return { ...run, out: run.stdout.toString(), err: run.stderr.toString() }
}

describe.each(["c", "v1", "v0"])("%s: events and answers", (name) => {
  const withLibrary = name === "c" ? withCc : withCargo

  withLibrary("it is told of closed inputs and of the stop, and answers", async () => {
    const bench = await load(name)
    const { operator } = bench
    expect(operator.onEvent({ type: "INPUT_CLOSED", id: "image" })).toBe(DoraStatus.CONTINUE)
    expect(bench.texts()).toEqual(["closed image"])
    expect(bench.input("stop")).toBe(DoraStatus.STOP)
    expect(operator.onEvent({ type: "STOP", cause: "MANUAL" })).toBe(DoraStatus.STOP)
    expect(bench.texts()).toEqual(["stop"])
    expect(operator.onEvent({ type: "NODE_RESTARTED", id: "x" })).toBe(DoraStatus.CONTINUE)
    operator.drop()
    expectBalance(bench)
  })

  withLibrary("its error comes with the function that returned it", async () => {
    const bench = await load(name)
    const error = errorOf(() => bench.input("fail", new Uint8Array(100)))
    expect(error).toBeInstanceOf(OperatorCallError)
    expect(error.message).toBe("`dora_on_event` returned an error: the operator says no")
    bench.operator.drop()
    expectBalance(bench)
  })

  withLibrary("it keeps inputs as long as it likes, small and large", async () => {
    const bench = await load(name)
    for (let i = 1; i <= 20; i++) bench.input("keep", new Int32Array(i * 1000).fill(i))
    const { counts } = bench.operator
    expect(counts.inputs - counts.inputsReleased).toBe(20)
    if (name !== "c") {
      bench.input("read-kept")
      expect(bench.take().map((v) => [v.length, v.get(v.length - 1)])).toEqual(
        Array.from({ length: 20 }, (_, i) => [(i + 1) * 1000, i + 1]),
      )
    }
    bench.input("let-go")
    expectBalance(bench)
    bench.input("keep", new Uint8Array(10))
    bench.operator.drop()
    expectBalance(bench)
  })
})

describe("errors and panics", () => {
  withCargo("a panic in on_event comes back as an error text", async () => {
    const bench = await load("v1")
    const error = errorOf(() => bench.input("panic", 1))
    expect(error.message).toContain("operator on_event panicked: it went wrong on purpose")
    expect(bench.input("echo", 1)).toBe(DoraStatus.CONTINUE)
    expect(bench.take().length).toBe(1)
    bench.operator.drop()
    expectBalance(bench)
  })

  withCargo("a panic in Drop comes back as an error text", async () => {
    const bench = await load("v1")
    bench.input("panic-in-drop")
    const error = errorOf(() => bench.operator.drop())
    expect(error.message).toContain("operator drop panicked: drop went wrong")
  })

  withCargo("a panic in Default comes back as an error text", () => {
    const run = inProcess("v1", { PROBE_PANICS_IN: "default" }, "")
    expect(run.err).toContain("returned an error: operator init panicked: no state today")
    expect(run.err).toContain("`dora_init_operator` returned")
  })

  withCc("an error of dora_init_operator is told, and nothing is dropped", () => {
    const dropped = join(folder, "never")
    const run = inProcess("c", { PROBE_INIT: "fail", PROBE_DROPPED: dropped }, "")
    expect(run.err).toContain("`dora_init_operator` returned an error: no state today")
    expect(() => readFileSync(dropped)).toThrow()
  })

  withCc("an answer that does not exist is an error", async () => {
    const bench = await load("c")
    expect(errorOf(() => bench.input("odd-status")).message).toContain("none of Continue (0)")
    bench.operator.drop()
  })

  withCargo("the drop function runs after an error", () => {
    const dropped = join(folder, "dropped")
    const body = 'try { bench.input("fail") } catch {}\noperator.drop()\noperator.drop()'
    const run = inProcess("v0", { PROBE_DROPPED: dropped }, body)
    expect(run.err).toBe("")
    expect(readFileSync(dropped, "utf8")).toBe("dropped after 1 events")
  })

  withCargo(
    "a message that can't be read reaches the operator as a parse error of its input",
    async () => {
      for (const name of ["v1", "v0"]) {
        const bench = await load(name)
        bench.operator.onEvent({
          type: "INPUT_PARSE_ERROR",
          id: "image",
          error: "it has no schema",
        })
        expect(bench.texts()[0]).toStartWith("parse error of image: ")
        bench.operator.onEvent({ type: "INPUT_PARSE_ERROR", id: "image", error: "a \0 b" })
        bench.operator.drop()
        expectBalance(bench)
      }
    },
  )

  withCargo("so does one whose offsets, views or indices lead out of it", async () => {
    const words = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())
    const list = new arrow.List(new arrow.Field("item", new arrow.Int32(), true))
    const columns: [arrow.Vector, (ints: Int32Array) => void][] = [
      [arrow.vectorFromArray(["abc", "def"], new arrow.Utf8()), (ints) => ints.fill(1 << 20, 1, 2)],
      [arrow.vectorFromArray(["abc", "def"], new arrow.Utf8()), (ints) => ints.fill(-1, 0, 1)],
      [arrow.vectorFromArray([[1], [2, 3]], list), (ints) => ints.fill(99, 2, 3)],
      [arrow.vectorFromArray(["a", "b"], words), (ints) => ints.fill(2, 0, 1)],
      [
        arrow.vectorFromArray(["a text that is long"], new arrow.Utf8View()),
        (ints) => ints.fill(7, 2, 3),
      ],
    ]
    for (const name of ["v1", "v0"]) {
      const bench = await load(name)
      for (const [vector, damage] of columns) {
        const bytes = streamOf(vector)
        bench.input("echo", new Stream(bytes))
        expect(bench.take().length).toBe(1)
        const { buffers } = readLayout(bytes)
        const damaged = bytes.slice()
        damage(new Int32Array(damaged.buffer, buffers[2], buffers[3]! >> 2))
        bench.input("echo", new Stream(damaged))
        expect(bench.texts()[0]).toContain("its offsets or indices lead out of its values")
      }
      bench.operator.drop()
      expectBalance(bench)
    }
  })

  withCargo("so does one of a type that can't be handed over", async () => {
    // Two columns that share a dictionary: fine for Arrow, unknown to the fast path.
    const words = arrow.vectorFromArray(
      ["x", "y"],
      new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32()),
    )
    const fields = ["a", "b"].map((name) => new arrow.Field(name, words.type, true))
    const type = new arrow.Struct(fields as never)
    const children = [words.data[0]!, words.data[0]!]
    const vector = new arrow.Vector([arrow.makeData({ type, length: 2, children } as never)])
    const bytes = arrow.tableToIPC(new arrow.Table({ data: vector }), "stream")
    const end = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0)
    const stream = new Stream(Buffer.concat([bytes, end]))
    const bench = await load("v1")
    bench.input("echo", stream)
    expect(bench.texts()[0]).toContain(
      "a column of Struct like this can't be handed to shared libraries",
    )
    bench.input("echo", 1)
    bench.input("echo", stream)
    expect(bench.sent.length).toBe(2)
    bench.operator.drop()
    expectBalance(bench)
  })

  withCargo("an error of the node's session reaches operators of 1.1", async () => {
    const bench = await load("v1")
    bench.operator.onEvent({ type: "ERROR", error: new Error("memory is damaged") })
    expect(bench.texts()).toEqual(["error: memory is damaged"])
    bench.operator.drop()
  })
})

describe("outputs", () => {
  withCargo("many of one call arrive in order", async () => {
    for (const name of ["v1", "v0"]) {
      const bench = await load(name)
      bench.input("burst")
      expect(bench.take().map((v) => Number(v.get(0)))).toEqual(
        Array.from({ length: 200 }, (_, i) => i),
      )
      bench.operator.drop()
      expectBalance(bench)
    }
  })

  withCargo("of threads that are lent the sender arrive all", async () => {
    const bench = await load("v1")
    bench.input("threads")
    const values = bench.take().map((v) => Number(v.get(0)))
    for (let thread = 0; thread < 4; thread++) {
      const own = values.filter((value) => Math.floor(value / 1000) === thread)
      expect(own).toEqual(Array.from({ length: 25 }, (_, i) => thread * 1000 + i))
    }
    bench.operator.drop()
    expectBalance(bench)
  })

  withCc("of a thread that goes on after the call arrive too, in order", async () => {
    const bench = await load("c")
    bench.input("send-later")
    const until = Date.now() + 5000
    while (bench.sent.length < EVENTS && Date.now() < until) await Bun.sleep(1)
    expect(bench.take().map((v) => v.get(0))).toEqual(Array.from({ length: EVENTS }, (_, i) => i))
    bench.operator.drop()
    expectBalance(bench)
    expect(bench.failures).toEqual([])
  })

  withCargo(
    "a malformed name is refused, one that isn't declared is ignored with one warning",
    async () => {
      const bench = await load("v1")
      bench.input("ids")
      bench.input("ids")
      const texts = bench.texts()
      expect(texts[0]).toStartWith("a b: invalid output id `a b`")
      expect(texts[1]).toStartWith(": invalid output id ``")
      expect(texts[2]).toBe("nobody-declared-me: sent")
      expect(bench.warnings.length).toBe(1)
      bench.operator.drop()
      expectBalance(bench)
    },
  )

  withCargo(
    "the error of a send is the operator's when it is still calling, else the node's",
    async () => {
      const bench = await load("v1")
      bench.refuse = new Error("the output is closed")
      // Large ones are sent at once: the operator gets the error and returns it.
      const large = errorOf(() => bench.input("large"))
      expect(large).toBeInstanceOf(OperatorCallError)
      expect(large.message).toContain("the output is closed")
      // A small one too, or it is collected, and the error is the node's.
      expect(errorOf(() => bench.input("echo", 1)).message).toEndWith("the output is closed")
      bench.refuse = null
      bench.input("echo", 1)
      expect(bench.take().length).toBe(1)
      bench.operator.drop()
      expectBalance(bench)
    },
  )

  withCargo(
    "the OpenTelemetry context of a message is passed on, and outputs carry one",
    async () => {
      const bench = await load("v1")
      const context = { open_telemetry_context: "traceparent:00-1234;", other: 5 }
      bench.input("context", 1, context)
      bench.input("context", 1, context)
      bench.input("context", 1, { other: 6 })
      bench.input("context", 1)
      expect(bench.sent[0]!.parameters).toEqual({ open_telemetry_context: "" })
      expect(bench.texts()).toEqual(["traceparent:00-1234;", "traceparent:00-1234;", "", ""])
      bench.operator.drop()
    },
  )

  withCc("bytes are sent as UInt8, and messages of one length share a template", async () => {
    const bench = await load("c")
    for (const size of [5, 5, 100, 5, 0]) bench.input("bytes", new Uint8Array(size).fill(size))
    const [a, b, c, d] = bench.sent.map((sent) => sent.template)
    expect([b, d]).toEqual([a, a])
    expect(c).not.toBe(a)
    expect(bench.take().map(plain)).toEqual(
      [5, 5, 100, 5, 0].map((size) => Array.from({ length: size }, () => size)),
    )
    bench.operator.drop()
    expectBalance(bench)
  })
})

describe("operators as others write them", () => {
  withCargo("the reporter of the multiple-daemons style", async () => {
    const bench = await load("daemons")
    for (let i = 0; i < 3; i++) bench.input("tick")
    bench.input("random", new BigUint64Array([255n]))
    expect(plain(bench.take("status")[0]!)).toEqual(["got 0xff after 3 ticks"])
    expect(errorOf(() => bench.input("random", "text")).message).toContain("unexpected data")
    expect(bench.operator.onEvent({ type: "INPUT_CLOSED", id: "random" })).toBe(DoraStatus.STOP)
    bench.operator.drop()
    expectBalance(bench)
  })

  withCargo("the burst of the rust-operator-teardown style", async () => {
    const bench = await load("teardown")
    bench.input("tick")
    const sent = bench.take("data")
    expect(sent.map((v) => v.length)).toEqual(Array.from({ length: 20 }, () => 512 * 1024))
    expect(sent.map((v) => v.get(7))).toEqual(Array.from({ length: 20 }, (_, i) => i))
    bench.operator.drop()
    expectBalance(bench)
  })

  withCc("one in C++", async () => {
    const bench = await load("cpp")
    bench.input("x", new Float64Array([1, 2]))
    bench.input("x", new Float64Array([3.5]))
    expect(bench.take().map(plain)).toEqual([[3], [6.5]])
    expect(errorOf(() => bench.input("x", "text")).message).toContain("doubles only, not u")
    bench.operator.drop()
    expectBalance(bench)
  })
})

describe("a library", () => {
  withCc("works through the shim of Bun's own compiler as well", () => {
    const body = `bench.input("bytes", new Uint8Array(5000).fill(9))
      console.log(bench.take()[0].length, JSON.stringify(operator.counts))`
    const run = inProcess("c", { DORA_BUN_OPERATOR_SHIM: "bun" }, body)
    expect(run.out).toStartWith('5000 {"inputs":1,"inputsReleased":1,"outputs":1')
  })

  withCargo("in Rust works through the shim of Bun's own compiler as well", () => {
    const body = `bench.input("echo", [{ a: ["x", null] }, null])
      console.log(JSON.stringify(bench.take()[0].toArray()))`
    const run = inProcess("v1", { DORA_BUN_OPERATOR_SHIM: "bun" }, body)
    expect(run.out).toBe('[{"a":["x",null]},null]\n')
  })
})
