// Takes everything that comes and then stays: until SIGTERM, with an end of its own (`stay heeds`), or for ever (`stay wedged`).
import { Node } from "../../../src/index.ts"
import { what } from "./say.ts"

const node = await Node.init()
for await (const _ of node);
if (what === "heeds") process.on("SIGTERM", () => process.exit(0))
if (what === "wedged") process.on("SIGTERM", () => {})
setInterval(() => {}, 1000)
