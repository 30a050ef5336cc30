// Where nodes knock: the listener that they are told, and for those that are started by hand the port that they know.
import { closeFd } from "../../shm/libc.ts"
import type { RelayReport } from "./messages.ts"
import { accept, listenOnLoopback } from "./sockets.ts"

/** The listeners of a relay. */
export class Doors {
  readonly fd: number
  readonly port: number
  /** Of those that are started by hand; −1: there are none. */
  readonly dynamicFd: number
  readonly #report: (report: RelayReport) => void

  /** @throws PortError */
  constructor(dynamicPort: number | null, report: (report: RelayReport) => void) {
    this.#report = report
    const { fd, port } = listenOnLoopback()
    this.fd = fd
    this.port = port
    this.dynamicFd = dynamicPort === null ? -1 : this.#listenForDynamic(dynamicPort)
  }

  /** Takes in who waits. @param isFull  who comes then is sent away @param limit  how many there may be */
  accept(listener: number, isFull: () => boolean, limit: number, take: (fd: number) => void): void {
    for (let fd = accept(listener); fd >= 0; fd = accept(listener)) {
      if (!isFull()) {
        take(fd)
        continue
      }
      const message = `more than ${limit} connections; a new one is closed`
      this.#report({ type: "warn", message })
      closeFd(fd)
    }
  }

  close(): void {
    closeFd(this.fd)
    if (this.dynamicFd >= 0) closeFd(this.dynamicFd)
  }

  #listenForDynamic(port: number): number {
    try {
      return listenOnLoopback(port).fd
    } catch (error) {
      const why = (error as Error).message.split("\n")[0]
      this.#report({ type: "warn", message: `nodes started by hand can't join: ${why}` })
      return -1
    }
  }
}
