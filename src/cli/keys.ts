// Keys while a dataflow runs on a terminal. Raw mode takes Ctrl-C and Ctrl-Z away from the kernel, so both are
// done here; whatever happens, the terminal is given back as it was.
import { readFileSync } from "node:fs"

/** What the keys do. */
export type KeyActions = { interrupt(): void; quit(): void; waiting(): void }

/**
 * Listens to keys until disposed; does nothing where stdin is no terminal, or is somebody else's just now.
 *
 * @example using keys = listenToKeys({ interrupt, quit, waiting })
 */
export function listenToKeys(actions: KeyActions): Disposable {
  const input = process.stdin
  if (!input.isTTY || !inForeground()) return { [Symbol.dispose]() {} }
  const raw = (on: boolean) => {
    try {
      input.setRawMode(on)
    } catch {
      // The terminal is gone, as after SIGHUP: there is nothing left to give back.
    }
  }
  const onGone = () => {}
  const onData = (data: Buffer) => {
    for (const key of data.toString("latin1")) press(key, actions, raw)
  }
  const restore = () => raw(false)
  const resume = () => raw(true)
  process.on("exit", restore)
  process.on("SIGCONT", resume)
  raw(true)
  input.on("data", onData)
  input.on("error", onGone)
  return {
    [Symbol.dispose]() {
      input.off("data", onData)
      process.off("exit", restore)
      process.off("SIGCONT", resume)
      restore()
      input.pause()
      input.unref()
    },
  }
}

function press(key: string, actions: KeyActions, raw: (on: boolean) => void): void {
  if (key === "\x03") actions.interrupt()
  else if (key === "q" || key === "Q") actions.quit()
  else if (key === "w" || key === "W" || key === "?") actions.waiting()
  else if (key === "\x1a") {
    raw(false)
    process.kill(process.pid, "SIGTSTP")
  }
}

/** A job in the background is stopped by the kernel when it changes the terminal; it must not try. */
function inForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1")
    // After the name in parentheses: state, parent, group, session, terminal, foreground group.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[5] === "-1" || fields[2] === fields[5]
  } catch {
    return true
  }
}
