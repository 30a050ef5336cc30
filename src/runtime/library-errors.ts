import { DoraError } from "../core/errors.ts"

/** Where an operator's library stands in the dataflow file, and which file it is. */
export type LibraryPlace = { operator: string; path: string; place: string }

/** The library is not there. */
export class LibraryMissingError extends DoraError {
  constructor({ operator, path, place }: LibraryPlace) {
    super("LIBRARY_MISSING", {
      what: `operator \`${operator}\`: there is no shared library ${path}`,
      where: place,
      why: "prefix `lib` and extension are added to the name in the dataflow file, and it is relative to that file",
      fix: "build it, or name the command that does as `build` of the operator",
    })
  }
}

/** The file is no shared library. */
export class NotALibraryError extends DoraError {
  constructor({ operator, path, place }: LibraryPlace, why: string) {
    super("NOT_A_LIBRARY", {
      what: `operator \`${operator}\`: ${path} is not a shared library`,
      where: place,
      why,
      fix: 'build with `crate-type = ["cdylib"]` (Rust) or `cc -shared -fPIC` (C, C++)',
    })
  }
}

/** The library is for another kind of machine. */
export class LibraryArchitectureError extends DoraError {
  constructor({ operator, path, place }: LibraryPlace, found: string, wanted: string) {
    super("LIBRARY_ARCHITECTURE", {
      what: `operator \`${operator}\`: ${path} is built for ${found}, this machine is ${wanted}`,
      where: place,
      fix: `build it for ${wanted}`,
    })
  }
}

/** The library lacks what every operator must have. */
export class LibrarySymbolError extends DoraError {
  readonly symbols: readonly string[]

  constructor({ operator, path, place }: LibraryPlace, symbols: readonly string[]) {
    super("LIBRARY_SYMBOL", {
      what: `operator \`${operator}\`: ${path} lacks ${symbols.map((s) => `\`${s}\``).join(", ")}`,
      where: place,
      why: "an operator exports `dora_init_operator`, `dora_drop_operator` and `dora_on_event`",
      fix: 'Rust: `register_operator!(Type)` in a cdylib; C++: declare them `extern "C"`; is it a library of dora before 0.3.3?',
    })
    this.symbols = symbols
  }
}

/** The library calls helper functions that nobody brings along. */
export class LibraryHelperError extends DoraError {
  constructor({ operator, path, place }: LibraryPlace, symbols: readonly string[]) {
    super("LIBRARY_HELPER", {
      what: `operator \`${operator}\`: ${path} calls ${symbols.map((s) => `\`${s}\``).join(", ")}, which it does not contain`,
      where: place,
      why: "these functions are part of each library, the runtime has none",
      fix: "compile it with `ffi/dora_operator.h` of this package, or link `libdora_operator_api_c.a`",
    })
  }
}

/** The loader refused the library. */
export class LibraryLoadError extends DoraError {
  constructor({ operator, path, place }: LibraryPlace, text: string) {
    super("LIBRARY_LOAD", {
      what: `operator \`${operator}\`: ${path} can't be loaded: ${text}`,
      where: place,
      fix: "`ldd` on the file shows which libraries it needs and which of them are missing",
    })
  }
}

/** The compiler of the library has ordered the fields of its structs in another way. */
export class LibraryLayoutError extends DoraError {
  constructor({ operator, path, place }: LibraryPlace, structs: string) {
    super("LIBRARY_LAYOUT", {
      what: `operator \`${operator}\`: the layout of ${structs} in ${path} is not the known one`,
      where: place,
      why: "the operator ABI leaves it to the Rust compiler, and this one decided differently",
      fix: "build it with a stable Rust compiler, 1.85 or newer",
    })
  }
}

/** A function of the library returned an error, or an answer that does not exist. */
export class OperatorCallError extends DoraError {
  constructor(symbol: string, text: string) {
    super("OPERATOR_CALL", { what: `\`${symbol}\` returned an error: ${text}` })
  }
}

/** An output that another thread of the operator had sent could not be sent, when its sender had its answer already. */
export class LateOutputError extends DoraError {
  constructor(text: string) {
    super("LATE_OUTPUT", {
      what: `an output that another thread had sent could not be sent: ${text}`,
      fix: "send from the thread that `dora_on_event` is called on: there the operator itself gets the error",
    })
  }
}
