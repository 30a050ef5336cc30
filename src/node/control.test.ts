import { afterEach, describe, expect, test } from "bun:test"
import { until } from "../../test/support/nodes.ts"
import { DATAFLOW, fakeDaemon } from "../testing/daemon.ts"
import { encodeEvent, type NodeEvent, type ReceivedEvent } from "../wire/events.ts"
import { frame } from "../wire/frame.ts"
import { eventOf, Session } from "./control.ts"
import { DaemonConnectionError } from "./errors.ts"

const disposables: Disposable[] = []
afterEach(() => {
  for (const one of disposables.splice(0)) one[Symbol.dispose]()
})

/** A daemon that is disposed of after the test. */
function startDaemon() {
  const daemon = fakeDaemon()
  disposables.push(daemon.listener)
  const push = (event: NodeEvent) => daemon.mailbox.push(encodeEvent(event, daemon.clock.stamp()))
  return { ...daemon, port: Number(daemon.listener.address.split(":")[1]), push }
}

/** A session, and what it brought. */
function makeSession(port: number, node = "camera") {
  const events: ReceivedEvent[] = []
  const broken: Error[] = []
  const session = new Session()
  const started = session.start(
    { hostname: "127.0.0.1", port, dataflow: DATAFLOW, node },
    { event: (event) => void events.push(event), broken: (error) => void broken.push(error) },
  )
  started.catch(() => {})
  return { session, started, events, broken }
}

async function startedSession(daemon: ReturnType<typeof startDaemon>) {
  const made = makeSession(daemon.port)
  await until(() => daemon.parked.length > 0, "the session subscribes")
  daemon.parked.shift()!(null)
  await made.started
  return made
}

describe("a session", () => {
  test("starts when the barrier opens, and not before", async () => {
    const daemon = startDaemon()
    const { started, session } = makeSession(daemon.port)
    await until(() => daemon.parked.length > 0, "the session subscribes")
    expect(await Promise.race([started.then(() => "started"), Bun.sleep(20)])).toBeUndefined()
    daemon.parked[0]!(null)
    await started
    session.close()
  })

  test("brings the daemon's events in order until the daemon says that there are no more", async () => {
    const daemon = startDaemon()
    const { events, broken, session } = await startedSession(daemon)
    for (const id of ["a", "b", "c"]) daemon.push({ type: "InputRecovered", id })
    await until(() => events.length === 3, "three events")
    daemon.push({ type: "Stop" })
    daemon.mailbox.end()
    await until(() => events.length === 4, "the stop")
    expect(events.map((event) => ("id" in event ? event.id : event.type))).toEqual([
      ...["a", "b", "c", "Stop"],
    ])
    session.close()
    expect(broken).toEqual([])
  })

  test("closes outputs, and says why one can't be closed", async () => {
    const daemon = startDaemon()
    const { session } = await startedSession(daemon)
    await session.closeOutputs(["depth"])
    expect(daemon.closed).toEqual(["depth"])
    await expect(session.closeOutputs(["sound"])).rejects.toThrow("node camera has no output sound")
    session.close()
    session.close()
    await until(() => daemon.closed.length === 3, "the rest is closed with the session")
  })

  test("that is refused says by whom and why", async () => {
    const daemon = startDaemon()
    await expect(makeSession(daemon.port, "plot").started).rejects.toThrow("no node with ID `plot`")
    const late = makeSession(daemon.port)
    await until(() => daemon.parked.length > 0, "the session subscribes")
    daemon.parked[0]!("Node lidar exited before the start")
    await expect(late.started).rejects.toThrow("Node lidar exited before the start")
    daemon.listener[Symbol.dispose]()
    const nobody = makeSession(daemon.port)
    await expect(nobody.started).rejects.toThrow(`no daemon at 127.0.0.1:${daemon.port}`)
  })

  test("that breaks says so once, and requests fail from then on", async () => {
    const daemon = startDaemon()
    const { session, broken } = await startedSession(daemon)
    daemon.listener[Symbol.dispose]()
    await until(() => broken.length > 0, "the break is noticed")
    expect(broken.map((error) => error.constructor)).toEqual([DaemonConnectionError])
    expect(broken[0]!.message).toContain("the connection to the daemon was closed")
    await expect(session.closeOutputs(["image"])).rejects.toThrow(DaemonConnectionError)
    session.close()
  })

  test("that was closed is not broken", async () => {
    const daemon = startDaemon()
    const { session, broken } = await startedSession(daemon)
    session.close()
    daemon.listener[Symbol.dispose]()
    await Bun.sleep(20)
    expect(broken).toEqual([])
  })

  test("with something that is no daemon says so", async () => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.write(frame(Uint8Array.of(250, 250, 250))) },
    })
    const { started } = makeSession(server.port)
    await expect(started).rejects.toThrow("the daemon sent something unreadable")
    server.stop(true)
  })
})

test("events of the session are those that a node can't learn from memory", () => {
  const json = new TextEncoder().encode('{"gain":[1,2]}')
  const cases: [ReceivedEvent, unknown][] = [
    [
      { type: "Reload", operator: "op" },
      { type: "RELOAD", operator: "op" },
    ],
    [
      { type: "InputRecovered", id: "x" },
      { type: "INPUT_RECOVERED", id: "x" },
    ],
    [
      { type: "NodeRestarted", node: "a" },
      { type: "NODE_RESTARTED", id: "a" },
    ],
    [
      { type: "NodeFailed", source: "a", inputs: ["x"], error: "gone" },
      { type: "NODE_FAILED", id: "a", inputs: ["x"], error: "gone" },
    ],
    [
      { type: "ParamUpdate", key: "k", json },
      { type: "PARAM_UPDATE", key: "k", value: { gain: [1, 2] } },
    ],
    [
      { type: "ParamDeleted", key: "k" },
      { type: "PARAM_DELETED", key: "k" },
    ],
    // In band as a rule; by the session only when silence has closed an input.
    [
      { type: "InputClosed", id: "x" },
      { type: "INPUT_CLOSED", id: "x" },
    ],
    [{ type: "AllInputsClosed" }, null],
  ] as never
  for (const [received, event] of cases) expect(eventOf(received)).toEqual(event as never)
})
