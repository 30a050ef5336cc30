// Events into operators of shared libraries, beside a program in C that calls the same library with the same structs.
import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { COPY_BYTES } from "../floor.ts"
import { type Case, measure, type Part, type Take } from "../part.ts"
import { BenchmarkFailedError, scratch, sizeName } from "../support.ts"

const HERE = join(import.meta.dir, "..")
/** Optimized, which the tests don't need. `bench/official.ts` builds it; here it is not, since compiling its crates takes minutes. */
const RUST_TARGET = "dora-bun/cargo/operators-native"

type Called = { library: string; input: string; bytes: number; events: number }

/** Shared libraries: what crossing to C and back costs. */
export const librariesPart: Part = {
  name: "libraries",
  about: "events into operators of shared libraries, beside a C program that calls the same",
  run(context) {
    const compiler = context.floors.compiler
    if (!compiler) return Promise.resolve([])
    const { caller, sample } = compile(compiler)
    const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache")
    const target = join(cache, RUST_TARGET)
    const rust = join(target, "release/libnative_v1.so")
    const share = context.extent === "quick" ? 0.1 : 1
    const ours = (called: Called) =>
      call([process.execPath, join(HERE, "native.ts")], called, share)
    const theirs = (called: Called) => call([caller], called, share)
    const row = (name: string, called: Called): Case => ({
      name,
      size: called.bytes,
      unit: "ns",
      better: "lower",
      peer: { name: "C caller", take: () => theirs(called) },
      take: () => ours(called),
    })
    const small = (language: string, library: string, ignore: string, events: number): Case[] =>
      [8, 4096].flatMap((bytes) => [
        row(`${language}, ${sizeName(bytes)} in`, { library, input: ignore, bytes, events }),
        row(`${language}, ${sizeName(bytes)} in and out`, {
          library,
          input: "echo",
          bytes,
          events,
        }),
      ])
    const cases = small("C", sample, "read", 150_000)
    if (existsSync(rust)) {
      const large = { library: rust, input: "echo", bytes: COPY_BYTES, events: 100 }
      cases.push(...small("Rust", rust, "none", 60_000), {
        name: "Rust, 4 MB in and out",
        size: COPY_BYTES,
        unit: "ns",
        better: "lower",
        floor: "memcpy",
        take: () => ours(large),
      })
    } else
      context.note(
        `No operators in Rust: in a checkout \`cargo build --release --locked --manifest-path test/Cargo.toml -p native-v1 --target-dir ${target}\` builds the one they need.`,
      )
    return measure(context, "libraries", cases)
  },
}

function compile(compiler: string): { caller: string; sample: string } {
  const caller = join(scratch(), "operator-caller")
  const sample = join(scratch(), "libsample.so")
  const include = `-I${join(HERE, "../ffi")}`
  const library = ["-shared", "-fPIC", include, "-o", sample, join(HERE, "operator-sample.c")]
  for (const how of [["-o", caller, join(HERE, "operator-caller.c"), "-ldl"], library]) {
    const done = Bun.spawnSync([compiler, "-O2", ...how], { stderr: "pipe" })
    if (!done.success)
      throw new BenchmarkFailedError("the C caller can't be compiled", `${done.stderr}`)
  }
  return { caller, sample }
}

async function call(command: string[], called: Called, share: number): Promise<Take> {
  const { library, input, bytes, events } = called
  const count = String(Math.max(10, Math.round(events * share)))
  const child = Bun.spawn([...command, library, input, String(bytes), count], {
    stdout: "pipe",
    stderr: "pipe",
  })
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (!out.startsWith("{")) throw new BenchmarkFailedError(`${command[0]} failed`, errors)
  return { value: (JSON.parse(out) as { ns: number }).ns }
}
