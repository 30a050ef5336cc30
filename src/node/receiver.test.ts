import { describe, expect, spyOn, test } from "bun:test"
import { Nodes } from "../../test/support/nodes.ts"
import { BORROW_EXTRA, INLINE_BYTES } from "../core/limits.ts"
import { LENGTH_WORD, RING_HEADER_BYTES } from "../shm/layout.ts"
import { FlowClock } from "../shm/clock.ts"
import { EdgePoisonedError } from "../shm/errors.ts"
import type { Event, InputEvent } from "./event.ts"
import { TimerPort } from "./ports.ts"
import type { Receiver } from "./receiver.ts"

const LARGE = INLINE_BYTES + 1
const PAIR = [
  { id: "a", outputs: ["out"] },
  { id: "b", inputs: { in: { source: "a/out", queue_size: 300 } } },
]

/** One word for each event that is there. */
function said(receiver: Receiver): string[] {
  const words: string[] = []
  for (let event = receiver.poll(); event !== null; event = receiver.poll()) words.push(word(event))
  return words
}

function word(event: Event): string {
  if (event.type === "INPUT") return `${event.id}:${event.array[0] ?? ""}`
  if (event.type === "STOP") return `STOP ${event.cause}`
  if (event.type === "EXTERNAL") return `EXTERNAL ${event.value}`
  return "id" in event ? `${event.type} ${event.id}` : event.type
}

function input(receiver: Receiver): InputEvent {
  const event = receiver.poll()
  if (event?.type !== "INPUT") throw new Error(`no message but ${event?.type}`)
  return event
}

describe("a receiver", () => {
  test("has every message that is there, however many", () => {
    using nodes = new Nodes(PAIR)
    const [out, { receiver }] = [nodes.attach("a").outputs.get("out")!, nodes.attach("b")]
    for (let i = 0; i < 300; i++) void out.send(Uint8Array.of(i), undefined)
    expect(said(receiver)).toEqual(Array.from({ length: 300 }, (_, i) => `in:${i & 255}`))
  })

  test("serves its inputs in turn", () => {
    using nodes = new Nodes([
      { id: "a", outputs: ["x", "y", "z"] },
      { id: "b", inputs: { x: "a/x", y: "a/y", z: "a/z" } },
    ])
    const [{ outputs }, { receiver }] = [nodes.attach("a"), nodes.attach("b")]
    for (const id of ["x", "x", "x", "y", "z", "z"]) void outputs.get(id)!.send(1, undefined)
    expect(said(receiver)).toEqual(["x:1", "y:1", "z:1", "x:1", "z:1", "x:1"])
  })

  test("tells of the end of an input after its last message, and of the end of all as the last event", () => {
    using nodes = new Nodes([
      { id: "a", outputs: ["x", "y"] },
      { id: "b", inputs: { x: "a/x", y: "a/y" } },
    ])
    const [{ outputs }, { receiver }] = [nodes.attach("a"), nodes.attach("b")]
    void outputs.get("x")!.send(1, undefined)
    void outputs.get("x")!.send(2, undefined)
    outputs.get("x")!.abort()
    expect(said(receiver)).toEqual(["x:1", "x:2", "INPUT_CLOSED x"])
    outputs.get("y")!.abort()
    expect(said(receiver)).toEqual(["INPUT_CLOSED y", "STOP ALL_INPUTS_CLOSED"])
    expect(receiver.ended).toBe(true)
  })

  test.each([
    [false, "tick", ["INPUT_CLOSED x"]],
    [false, "logs", ["INPUT_CLOSED x"]],
    [true, "tick", ["INPUT_CLOSED x", "STOP ALL_INPUTS_CLOSED"]],
    [true, "logs", ["INPUT_CLOSED x", "STOP ALL_INPUTS_CLOSED"]],
  ])(
    "with exit_when_nodes_finish %p is kept by a %s input accordingly",
    (exits, kind, expected) => {
      const other = kind === "tick" ? { tick: "dora/timer/secs/1" } : { logs: "dora/logs" }
      using nodes = new Nodes(
        [
          { id: "a", outputs: ["x"] },
          { id: "b", inputs: { x: "a/x", ...other } },
        ],
        { exitWhenNodesFinish: exits },
      )
      const [{ outputs }, { receiver }] = [nodes.attach("a"), nodes.attach("b")]
      outputs.get("x")!.abort()
      expect(said(receiver)).toEqual(expected)
    },
  )

  test("stops when the daemon asks, in the middle of a stream, and only once", () => {
    using nodes = new Nodes(PAIR)
    const [out, { receiver }] = [nodes.attach("a").outputs.get("out")!, nodes.attach("b")]
    for (let i = 0; i < 300; i++) void out.send(1, undefined)
    nodes.memory.requestStop("b")
    receiver.stop("MANUAL")
    const events = said(receiver)
    expect(events.length).toBeLessThan(70)
    expect(events.filter((event) => event !== "in:1")).toEqual(["STOP MANUAL"])
    expect(events.at(-1)).toBe("STOP MANUAL")
    expect([receiver.poll(), receiver.ended]).toEqual([null, true])
  })

  test("looks at the clock now and then for a timer that is far, and has its ticks in time", () => {
    using nodes = new Nodes([
      { id: "a", outputs: ["out"] },
      { id: "b", inputs: { in: "a/out", tick: "dora/timer/millis/20" } },
    ])
    const [out, { receiver }] = [nodes.attach("a").outputs.get("out")!, nodes.attach("b")]
    nodes.memory.start()
    const looks = spyOn(TimerPort.prototype, "take")
    try {
      let polls = 0
      let ticks = 0
      for (const end = Bun.nanoseconds() + 2e9; ticks < 3 && Bun.nanoseconds() < end; polls++) {
        void out.send(polls, undefined)
        if (input(receiver).id === "tick") ticks++
      }
      expect(ticks).toBe(3)
      expect(looks.mock.calls.length).toBeLessThan(polls / 4)
    } finally {
      looks.mockRestore()
    }
  })

  test("has the tick of a far timer in time when every event takes a second", () => {
    using nodes = new Nodes([
      { id: "a", outputs: ["out"] },
      { id: "b", inputs: { in: "a/out", tick: "dora/timer/secs/60" } },
    ])
    const [out, { receiver }] = [nodes.attach("a").outputs.get("out")!, nodes.attach("b")]
    const { nowNs } = FlowClock.prototype
    let seconds = 0
    const clock = spyOn(FlowClock.prototype, "nowNs").mockImplementation(function (
      this: FlowClock,
    ) {
      return nowNs.call(this) + seconds * 1e9
    })
    try {
      nodes.memory.start()
      const ticks: number[] = []
      for (; ticks.length < 3 && seconds < 300; seconds++) {
        void out.send(seconds, undefined)
        if (input(receiver).id === "tick") ticks.push(seconds)
      }
      expect(ticks.map((at) => Math.floor(at / 60))).toEqual([0, 1, 2])
      expect(Math.max(...ticks.map((at) => at % 60))).toBeLessThan(3)
    } finally {
      clock.mockRestore()
    }
  })

  test("lets neither merged values nor a quick timer keep messages away", () => {
    using nodes = new Nodes([
      { id: "a", outputs: ["out"] },
      {
        id: "b",
        inputs: { in: "a/out", quick: "dora/timer/nanos/1", slow: "dora/timer/nanos/1000" },
      },
    ])
    const [out, { receiver }] = [nodes.attach("a").outputs.get("out")!, nodes.attach("b")]
    nodes.memory.start()
    let left = 1000
    const merge = () => {
      if (left-- > 0) receiver.push({ type: "EXTERNAL", value: 0 }, merge)
    }
    merge()
    for (let i = 0; i < 5; i++) void out.send(i, undefined)
    const events = Array.from({ length: 40 }, () => word(receiver.poll()!))
    for (const kind of ["in:0", "in:4", "quick:", "slow:", "EXTERNAL 0"])
      expect(events).toContain(kind)
  })
})

describe("a large message", () => {
  const start = () => {
    const nodes = new Nodes(PAIR)
    const out = nodes.attach("a").outputs.get("out")!
    const { receiver } = nodes.attach("b")
    const send = (value: number) => void out.send(new Uint8Array(LARGE).fill(value), undefined)
    return { nodes, send, receiver }
  }

  test("is empty after the next event, whatever was taken from it", () => {
    const { nodes, send, receiver } = start()
    send(1)
    const event = input(receiver)
    const taken = [event.array, event.data, new Uint8Array(event.array.buffer as ArrayBuffer)]
    const { value } = event
    expect([event.array[LARGE - 1], value!.get(LARGE - 1)]).toEqual([1, 1])
    expect(receiver.poll()).toBeNull()
    expect(taken.map((view) => view.length)).toEqual([0, 0, 0])
    expect([event.array.length, event.data.length, event.value, event.borrowed]).toEqual([
      ...[0, 0, null, false],
    ])
    nodes[Symbol.dispose]()
  })

  test("is kept when it is retained, until it is released", () => {
    const { nodes, send, receiver } = start()
    send(1)
    send(2)
    const first = input(receiver).retain()
    const { array } = first
    const second = input(receiver)
    expect([array[0], second.array[0]]).toEqual([1, 2])
    first.release()
    first.release()
    expect([array.length, second.array[0]]).toEqual([0, 2])
    nodes[Symbol.dispose]()
  })

  test("is kept to the end of a using block", () => {
    const { nodes, send, receiver } = start()
    send(1)
    let outside: Uint8Array
    {
      using event = input(receiver).retain()
      outside = event.array as Uint8Array
      expect(receiver.poll()).toBeNull()
      expect(outside[5]).toBe(1)
    }
    expect(outside.length).toBe(0)
    nodes[Symbol.dispose]()
  })

  test("of which a copy was made leaves the copy", () => {
    const { nodes, send, receiver } = start()
    send(7)
    const event = input(receiver)
    const copy = event.copy()
    event.release()
    expect([event.data.length, copy.length > LARGE, copy.at(-100)]).toEqual([0, true, 7])
    nodes[Symbol.dispose]()
  })

  test("of which more are retained than allowed comes as a copy of its own", () => {
    const { nodes, receiver, send } = start()
    const held: InputEvent[] = []
    for (let i = 0; i < 300 + BORROW_EXTRA + 5; i++) {
      send(i)
      held.push(input(receiver).retain())
    }
    expect(held.filter((event) => event.borrowed).length).toBe(300 + BORROW_EXTRA)
    held.forEach((event, i) => {
      expect([event.array.length, event.array[3]]).toEqual([LARGE, i & 255])
    })
    nodes[Symbol.dispose]()
  })

  test("is given back when the node closes, retained or not", () => {
    const { nodes, send, receiver } = start()
    send(1)
    send(2)
    const events = [input(receiver).retain(), input(receiver)]
    const views = events.map((event) => event.array)
    receiver.close()
    expect(views.map((view) => view.length)).toEqual([0, 0])
    expect(receiver.poll()).toBeNull()
    nodes[Symbol.dispose]()
  })
})

describe("an input whose memory is damaged", () => {
  test("ends with an error, and the others go on", () => {
    using nodes = new Nodes([
      { id: "a", outputs: ["x", "y"] },
      { id: "b", inputs: { x: { source: "a/x", queue_size: 4 }, y: "a/y" } },
    ])
    const [{ outputs }, { receiver }] = [nodes.attach("a"), nodes.attach("b")]
    for (let i = 0; i < 3; i++) void outputs.get("x")!.send(i, undefined)
    damageFirst(nodes)
    const first = receiver.poll()
    expect(first).toEqual({ type: "INPUT_CLOSED", id: "x" })
    const event = receiver.poll()
    if (event?.type !== "ERROR") throw new Error(`${event?.type}`)
    expect(event.error).toBeInstanceOf(EdgePoisonedError)
    expect(event.error.message).toContain("input `x` is closed")
    void outputs.get("y")!.send(5, undefined)
    expect(said(receiver)).toEqual(["y:5"])
    // While polling for what arrives, the closed one stays closed.
    for (let i = 0; i < 3; i++) expect(receiver.pollArrived()).toBeNull()
    expect(said(receiver)).toEqual([])
    outputs.get("y")!.abort()
    expect(said(receiver)).toEqual(["INPUT_CLOSED y", "STOP ALL_INPUTS_CLOSED"])
  })

  /** Gives the first message of the first input a length that can't be. */
  function damageFirst(nodes: Nodes): void {
    const plan = nodes.memory.nodePlan("b")
    const { fd } = plan.inbox
    const words = new Int32Array(Bun.mmap(`/proc/${plan.pid}/fd/${fd}`, { shared: true }).buffer)
    const slots = (plan.inputs[0]!.ring + RING_HEADER_BYTES) / 4
    words[slots + LENGTH_WORD] = 1 << 30
  }
})
