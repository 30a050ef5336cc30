import { afterAll, describe, expect, test, setDefaultTimeout } from "bun:test"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Bench, buildC, hasCc } from "../support/operators.ts"
import { needs } from "../support/toolchain.ts"

// On a busy machine the shim's first compilation and processes of their own take seconds.
setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), "dora-bun-libraries-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const withCc = needs("cc", hasCc)

/** What `check` finds wrong with a file, as code and first line. */
async function problems(path: string): Promise<string[]> {
  const errors = await new Bench(path).check()
  return errors.map((error) => `${error.code} ${error.message.split("\n")[0]}`)
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe("before anything runs, a library that", () => {
  test("is missing is named with its place", async () => {
    const path = join(folder, "libnowhere.so")
    expect(await problems(path)).toEqual([
      `LIBRARY_MISSING flow.yml:3:5: operator \`op\`: there is no shared library ${path}`,
    ])
  })

  test("is no library is told what it is", async () => {
    mkdirSync(join(folder, "libdir.so"))
    const elf = readFileSync(process.execPath).subarray(0, 64)
    const whys: [string, string][] = [
      [file("libtext.so", "#!/bin/sh\n".repeat(20)), "it is no ELF file"],
      [file("libshort.so", ""), "it has fewer bytes than the header of one"],
      [file("libwin.so", `MZ${" ".repeat(100)}`), "it is a Windows file"],
      [file("liba.so", `!<arch>\n${" ".repeat(100)}`), "it is a static library"],
      [join(folder, "libdir.so"), "it is a folder or a device"],
      [file("lib32.so", elf.with(4, 1)), "it is no 64-bit little-endian ELF file"],
      [file("libobject.so", elf.with(16, 1)), "it is an object file"],
    ]
    for (const [path, why] of whys) {
      const [error] = await new Bench(path).check()
      expect(error?.code).toBe("NOT_A_LIBRARY")
      expect(error?.message).toContain(why)
    }
  })

  withCc("is of another architecture is told both", async () => {
    const bytes = readFileSync(await buildC("probe.c", folder))
    const found = process.arch === "arm64" ? [62, "x64"] : [183, "arm64"]
    bytes[18] = found[0] as number
    expect(await problems(file("libarch.so", bytes))).toEqual([
      `LIBRARY_ARCHITECTURE flow.yml:3:5: operator \`op\`: ${join(folder, "libarch.so")} is built for ${found[1]}, this machine is ${process.arch}`,
    ])
  })

  withCc("lacks symbols, or functions that it calls, is told each of them", async () => {
    const some = file("some.c", "int dora_init_operator(void) { return 0; }\n")
    const [first] = await problems(await buildC(some, folder))
    expect(first).toContain("LIBRARY_SYMBOL")
    expect(first).toEndWith("lacks `dora_drop_operator`, `dora_on_event`")
    const calls = file(
      "calls.c",
      `char *dora_read_input_id(void *); void dora_free_input_id(char *);
       int dora_init_operator(void) { return 0; } int dora_drop_operator(void *c) { return !c; }
       int dora_on_event(void *e) { dora_free_input_id(dora_read_input_id(e)); return 0; }\n`,
    )
    expect((await problems(await buildC(calls, folder)))[0]).toEndWith(
      "calls `dora_read_input_id`, `dora_free_input_id`, which it does not contain",
    )
    const error = await new Bench(join(folder, "libsome-c.so")).load().catch((e) => e)
    expect(error.symbols).toEqual(["dora_drop_operator", "dora_on_event"])
  })

  withCc("is in order passes", async () => {
    expect(await problems(await buildC("probe.c", folder))).toEqual([])
  })

  withCc("whose bytes are damaged anywhere is refused or passes, and nothing breaks", async () => {
    const bytes = readFileSync(await buildC("probe.c", folder))
    let seed = 20_261_122
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 8) % below
    }
    for (let i = 0; i < 2000; i++) {
      const damaged = Uint8Array.from(bytes)
      for (let n = 0; n < 8; n++) damaged[random(i % 2 === 0 ? 64 : bytes.length)] = random(256)
      const path = file(
        "libdamaged.so",
        i % 5 === 0 ? damaged.subarray(0, random(bytes.length)) : damaged,
      )
      for (const error of await new Bench(path).check()) expect(error.code).toMatch(/LIBRARY/)
    }
  })
})

describe("when it is loaded", () => {
  withCc("the loader's own words are told", async () => {
    const source = file("needs.c", "")
    // A dependency that is not there when it is loaded.
    const gone = await buildC(file("gone.c", "int gone(void) { return 1; }\n"), folder)
    const all = `int gone(void); int dora_init_operator(void) { return gone(); }
      int dora_drop_operator(void) { return 0; } int dora_on_event(void) { return 0; }\n`
    writeFileSync(source, all)
    const path = await buildC(source, folder, [gone])
    rmSync(gone)
    const error = await new Bench(path).load().catch((e) => e)
    expect(error.code).toBe("LIBRARY_LOAD")
    expect(error.message).toContain("cannot open shared object file")
  })

  withCc("structs in another order are refused", async () => {
    // A helper that looks for the id where the first field is.
    const source = file(
      "order.c",
      `#include <string.h>\n#include <stdlib.h>
       int dora_init_operator(void) { return 0; } int dora_drop_operator(void) { return 0; } int dora_on_event(void) { return 0; }
       char *dora_read_input_id(void **input) { char *id = calloc(9, 1); memcpy(id, input[14] == (void *)1 ? "" : input[14], 1); return id; }
       void dora_free_input_id(char *id) { free(id); }\n`,
    )
    const error = await new Bench(await buildC(source, folder)).load().catch((e) => e)
    expect(error.code).toBe("LIBRARY_LAYOUT")
    expect(error.message).toContain("the layout of Input")
  })
})
