import type { Socket, TCPSocketListener } from "bun"
import { Session, type SessionHost } from "./session.ts"

/** The loopback address at which the nodes of one dataflow find their daemon. */
export class Listener implements Disposable {
  readonly #server: TCPSocketListener<Session | null>
  readonly #sockets = new Set<Socket<Session | null>>()

  /** @param maxSockets  connections beyond it are closed at once */
  constructor(host: SessionHost, maxSockets: number) {
    this.#server = Bun.listen<Session | null>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = null
          if (this.#sockets.size >= maxSockets) {
            host.warn(`more than ${maxSockets} connections; a new one is closed`)
            socket.end()
            return
          }
          this.#sockets.add(socket)
          socket.setNoDelay(true)
          socket.data = new Session(host, socket)
        },
        data: (socket, bytes) => socket.data?.receive(bytes),
        drain: (socket) => socket.data?.drain(),
        // Half-closed: the node is done, and waits for no reply.
        end: (socket) => void socket.end(),
        close: (socket) => this.#closed(socket),
        // A reset is a way to close; `close` follows.
        error: () => {},
      },
    })
  }

  /** As `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.#server.port}`
  }

  /** Stops listening and closes every connection. */
  [Symbol.dispose](): void {
    this.#server.stop(true)
    for (const socket of this.#sockets) this.#closed(socket)
  }

  #closed(socket: Socket<Session | null>): void {
    this.#sockets.delete(socket)
    socket.data?.closed()
    socket.data = null
  }
}
