// `dora bench` as a person sees it: progress while it runs, tables and files at the end.
import { accessSync, constants, mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { standardOutput } from "../src/cli/output.ts"
import { DoraError } from "../src/core/errors.ts"
import { compareLines, compareResults } from "./compare.ts"
import { exampleCsv, timerCsv } from "./csv.ts"
import { resultPage } from "./html.ts"
import { readResult, type Result } from "./result.ts"
import { resultLines } from "./show.ts"
import { runSuite, type SuiteOptions } from "./suite.ts"

/** Where a result goes beside the terminal. */
export type Outputs = { folder: string; json: boolean; html: boolean; csv: boolean }

/** The folder for results can't be written to. */
export class ResultFolderError extends DoraError {
  constructor(folder: string, cause: unknown) {
    super("RESULT_FOLDER", {
      what: `cannot write to ${folder}`,
      why: cause instanceof Error ? cause.message : String(cause),
      fix: "name another folder: dora bench --out /tmp/results",
      cause,
    })
  }
}

/**
 * Runs the suite, shows it and writes its files; the exit code. Ctrl-C ends it after the take under way, and what was measured is
 * kept; a second one ends it at once.
 *
 * @throws ResultFolderError     before anything is measured
 * @throws BenchmarkFailedError  a part failed; what the others came to is written and shown
 * @example await runBench({ extent: "quick", rounds: 2 }, { folder: "bench-results", json: false, html: true, csv: false })
 */
export async function runBench(options: SuiteOptions, outputs: Outputs): Promise<number> {
  const folder = writableFolder(outputs.folder)
  // What was made on the way is removed when the process ends, but not when it is killed.
  const progress = progressOn(process.stderr)
  const early = new AbortController()
  process.on("SIGINT", () => {
    if (early.signal.aborted) process.exit(INTERRUPTED)
    early.abort()
    progress.show("ends after this take; Ctrl-C again: at once")
  })
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => process.exit(INTERRUPTED))
  }
  const { result, failures } = await runSuite({ ...options, early: early.signal }, progress.show)
  progress.end()
  const [failure] = failures
  if (failure && result.rows.length === 0) throw failure
  const files = await writeFiles(result, folder, outputs)
  const out = standardOutput()
  if (outputs.json) out.line(JSON.stringify(result))
  else for (const line of resultLines(result, out.color)) out.line(line)
  for (const file of files) process.stderr.write(`written: ${file}\n`)
  await out.end()
  if (failure) throw failure
  return 0
}

/** Exit code of a run that was ended at once. */
const INTERRUPTED = 130
/** Exit code of a comparison that found a row slower. */
const SLOWER = 3

/**
 * Compares two results and shows what has changed; the exit code: 3 when a row is slower beyond the threshold and the noise.
 *
 * @throws ResultFileError
 * @example await runCompare("a.json", "b.json", { threshold: 1.05, json: false })
 */
export async function runCompare(
  before: string,
  after: string,
  options: { threshold: number; json: boolean },
): Promise<number> {
  const [old, fresh] = [await readResult(before), await readResult(after)]
  const changes = compareResults(old, fresh, options.threshold)
  const out = standardOutput()
  if (options.json) {
    const lean = changes.map(({ before, after, ...change }) => {
      return { ...change, before: before?.value ?? null, after: after?.value ?? null }
    })
    out.line(JSON.stringify(lean))
  } else for (const line of compareLines(old, fresh, changes, out.color)) out.line(line)
  await out.end()
  return changes.some((change) => change.verdict === "slower") ? SLOWER : 0
}

/** Makes the folder for results, before anything is measured. @throws ResultFolderError */
export function writableFolder(folder: string): string {
  const path = resolve(folder)
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.W_OK)
  } catch (error) {
    throw new ResultFolderError(folder, error)
  }
  return path
}

/** Writes the files of a result; returns their paths. */
export async function writeFiles(
  result: Result,
  folder: string,
  outputs: Outputs,
): Promise<string[]> {
  const name = String(result.machine.date).slice(0, 19).replaceAll(":", "-")
  const files: Record<string, string> = {
    [`${name}.json`]: `${JSON.stringify(result, null, 1)}\n`,
    ...(outputs.html ? { [`${name}.html`]: resultPage(result) } : {}),
    ...(outputs.csv
      ? { [`${name}.bench.csv`]: exampleCsv(result), [`${name}.timer.csv`]: timerCsv(result) }
      : {}),
  }
  const paths = Object.keys(files).map((file) => join(folder, file))
  for (const [i, text] of Object.values(files).entries()) await Bun.write(paths[i]!, text)
  return paths
}

/** Shows what is going on: one line that changes on a terminal, one line for each part elsewhere. */
export function progressOn(stream: NodeJS.WriteStream) {
  const clear = "\r\x1b[K"
  let last = ""
  return {
    show(what: string): void {
      if (stream.isTTY) stream.write(clear + what.slice(0, (stream.columns || 80) - 1))
      else {
        const line = what.replace(/: .*, round .*/, "")
        if (line !== last) stream.write(`${line}\n`)
        last = line
      }
    },
    end(): void {
      if (stream.isTTY) stream.write(clear)
    },
  }
}
