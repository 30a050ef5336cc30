// What `bun pm pack` runs first: builds the shim for machines that can't.
import { prebuildShim } from "./library-shim.ts"

try {
  prebuildShim()
} catch (error) {
  console.warn(`the package will have no shim for machines without a C compiler: ${error}`)
}
