import { format } from "node:util"

const STREAMS = { log: "out", info: "out", debug: "out", warn: "err", error: "err" } as const

/**
 * Gives plain prints the name of the operator that is being called, where a process has several of them. What is printed
 * after an `await`, or by native code, keeps the node's name alone.
 *
 * @param speaker  `node/operator`, or null between calls
 */
export function nameConsole(node: string, speaker: () => string | null): void {
  for (const [method, stream] of Object.entries(STREAMS)) {
    const name = method as keyof typeof STREAMS
    const plain = console[name].bind(console)
    console[name] = (...values: unknown[]) => {
      const target = speaker()
      if (target === null) return plain(...values)
      const record = {
        level: "STDOUT",
        timestamp: new Date().toISOString(),
        node_id: node,
        target,
        message: format(...values),
        fields: {},
      }
      const line = `${JSON.stringify(record)}\n`
      if (stream === "out") process.stdout.write(line)
      else process.stderr.write(line)
    }
  }
}
