#!/usr/bin/env bun
// Parsed by whatever runs it, however old: plain JavaScript, no import before the check.
const NEEDED = ">=1.4.0"
const runtime = globalThis.Bun

if (runtime?.semver?.satisfies(runtime.version, NEEDED)) {
  const { main } = await import("./dora.ts")
  await main(process.argv.slice(2))
} else {
  const found = runtime ? `this is Bun ${runtime.version}` : `this is Node ${process.version}`
  console.error(
    `error: dora needs Bun 1.4.0 or newer, and ${found}\n` +
      "  fix: install it with `npm install -g bun@1.4.5`, or run it once with `npx --yes bun@1.4.5 x dora`",
  )
  process.exitCode = 1
}

export {}
