// What the model of waking is made of: options, the words of each edge and of each node.

/** One edge: from a producer to a consumer, room for `capacity` messages, `messages` in all. */
export type WakeEdge = { from: number; to: number; capacity: number; messages: number }

/** A graph of nodes that sleep and wake each other. */
export type WakeOptions = {
  nodes: number
  edges: WakeEdge[]
  /** How nodes sleep: by a futex on the wake word, or on a pipe. */
  sleep: "futex" | "pipe"
  deaths: number
  /** Nodes that may die; all when empty. */
  mortal: number[]
  /** The daemon may give a dead node up; start a successor. */
  mayGiveUp: boolean
  mayRestart: boolean
  /** Nobody closes: any message may be the last event for ever, so nothing later can repair a lost wake-up. */
  open: boolean
  /** How often, in all, a callback of a node that sleeps on its pipe blocks in a futex sleep of its own. */
  callbacks: number
  /** A producer that sleeps is woken when half of the queue is free, or gets tired of that and is woken at the next claim. */
  half: boolean
  /** Flaw: after such a callback the sleep on the pipe goes on, with the word saying running. */
  noInterrupt: boolean
  /** Flaw: after a death the daemon wakes only those whose word says parked. */
  noDeathWake: boolean
  /** Flaw: publishing is a plain store, which may become visible after the load of the wake word. */
  plainPublish: boolean
  /** Flaw: re-check first, then arm. */
  checkThenArm: boolean
  /** Flaw: the re-check looks at rings and not at credit. */
  noCreditCheck: boolean
  /** Flaw: after a wake-up that brought nothing, sleep again without arming. */
  noRearm: boolean
}

/** The corrected rules, nobody dies; a graph must be named. */
export const DEFAULTS: Omit<WakeOptions, "nodes" | "edges"> = {
  sleep: "futex",
  deaths: 0,
  mortal: [],
  mayGiveUp: false,
  mayRestart: false,
  open: false,
  callbacks: 0,
  half: false,
  noInterrupt: false,
  noDeathWake: false,
  plainPublish: false,
  checkThenArm: false,
  noCreditCheck: false,
  noRearm: false,
}

/** Where a node stands. From `done` on it can't die; from `dead` on the daemon is at work. */
export const AT = {
  drain: 0,
  claim: 1,
  credit: 2,
  signal: 3,
  exchange: 4,
  call: 5,
  closed: 6,
  lookAgain: 7,
  publish: 10,
  recheck: 14,
  park: 15,
  asleep: 16,
  nested: 17,
  awake: 18,
  done: 20,
  dead: 21,
  gone: 22,
  settle: 23,
  wakeNeighbours: 24,
  callNeighbour: 25,
} as const

/** Values of a wake word. Who parks says on what, and so how to wake it. */
export const WORD = { running: 0, parkedFutex: 1, parkedPipe: 2 } as const
/** What a producer wants of a consumer, beside 0: to be woken at the next claim, or when half of the queue is free. */
export const WANT = { room: 1, half: 2 } as const
/** What the daemon has decided about a dead node. */
export const FATE = { restart: 1, giveUp: 2 } as const

/** The state at first: all edges empty, all nodes about to drain. */
export function initialState(o: WakeOptions) {
  return {
    edges: o.edges.map(() => ({ head: 0, tail: 0, closed: 0, want: 0, abandoned: 0 })),
    nodes: Array.from({ length: o.nodes }, () => ({
      word: WORD.running as number,
      pipe: 0,
      at: AT.drain as number,
      /** Which of its ports it looks at; has this round brought something; mask of the edges seen closed. */
      port: 0,
      busy: 0,
      ended: 0,
      /** Edge + 1 of a store that isn't visible yet, where a flaw says so. */
      buffered: 0,
      /** The daemon's decision while the node is dead. */
      fate: 0,
      /** Whom it is about to wake, and the word that says how. */
      peer: 0,
      call: WORD.running as number,
      /** Was woken and hasn't found anything yet, where a flaw asks for it. */
      woken: 0,
    })),
    deaths: o.deaths,
    callbacks: o.callbacks,
  }
}

/** One state of the graph. */
export type WakeState = ReturnType<typeof initialState>
/** One node with its wake word and its registers. */
export type NodeState = WakeState["nodes"][number]
/** An edge as seen by one of its nodes. */
export type Port = WakeEdge & { edge: number; incoming: boolean }

/** What a node looks at in each round: incoming edges, then outgoing ones. */
export function portsOf({ edges }: WakeOptions, node: number): Port[] {
  const ports = edges.map((edge, i) => ({ ...edge, edge: i, incoming: edge.to === node }))
  const outgoing = ports.filter((port) => port.from === node)
  return [...ports.filter((port) => port.incoming), ...outgoing]
}

/** The word of a node that goes to sleep. */
export function parkedWord({ sleep }: WakeOptions): number {
  return sleep === "futex" ? WORD.parkedFutex : WORD.parkedPipe
}

/**
 * The call that ends a sleep. On a futex it does nothing unless somebody sleeps there (the nested sleep of a callback may
 * end at any time anyway); in a pipe it leaves a byte.
 */
export function poke({ sleep }: WakeOptions, next: WakeState, peer: number, word: number) {
  const sleeper = next.nodes[peer]!
  if (word === WORD.parkedPipe) sleeper.pipe = 1
  else if (sleep === "futex" && sleeper.at === AT.asleep) sleeper.at = AT.awake
}

/** A node as counterexamples call it: A, B, … */
export function nameOf(node: number): string {
  return String.fromCharCode(65 + node)
}
