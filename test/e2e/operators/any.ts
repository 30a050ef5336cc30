// One operator for many tests: what it does is in its id, `echo-2` does as `echo`.
import {
  DoraStatus,
  type OperatorEvent,
  type OperatorInfo,
  type SendOutput,
  type TypeScriptOperator,
} from "../../../src/index.ts"
import { word } from "../nodes/say.ts"

type Behaviour = (
  this: Any,
  event: OperatorEvent,
  send: SendOutput,
) => DoraStatus | undefined | Promise<DoraStatus | undefined>

const BEHAVIOURS: Record<string, Behaviour> = {
  /** Sends what it gets. */
  echo(event, send) {
    if (event.type === "INPUT") void send("out", event.value, event.metadata.parameters)
    return undefined
  },
  /** The same, and takes its time. */
  async slow(event, send) {
    await Bun.sleep(Number(process.env.SLOW_MS ?? 20))
    if (event.type === "INPUT") await send("out", event.array)
    return undefined
  },
  /** Never has done with its first message. */
  never(event) {
    return event.type === "INPUT" ? new Promise(() => {}) : undefined
  },
  /** Computes for 50 ms. */
  busy(event, send) {
    if (event.type !== "INPUT") return undefined
    for (const end = performance.now() + 50; performance.now() < end;);
    void send("out", event.array, { thread: Bun.isMainThread ? 0 : 1 })
    return undefined
  },
  /** Sends BURST messages at once for each that it gets. */
  burst(event, send) {
    if (event.type !== "INPUT") return undefined
    for (let i = 0; i < Number(process.env.BURST ?? 100); i++) void send("out", Uint32Array.of(i))
    return undefined
  },
  /** Prints each event. */
  tell(event) {
    console.log(event.type === "INPUT_PARSE_ERROR" ? `${event.type} ${event.id}` : word(event))
    return undefined
  },
  /** Ends after three messages. */
  three(event) {
    return event.type === "INPUT" && ++this.count === 3 ? DoraStatus.STOP : DoraStatus.CONTINUE
  },
  /** Ends all after three messages. */
  all(event) {
    return event.type === "INPUT" && ++this.count === 3 ? DoraStatus.STOP_ALL : DoraStatus.CONTINUE
  },
  throw(event) {
    if (event.type === "INPUT") throw new Error("no more of this")
    return undefined
  },
  async reject(event) {
    await Bun.sleep(1)
    if (event.type === "INPUT") throw new Error("not even later")
    return undefined
  },
  status(event) {
    return event.type === "INPUT" ? (7 as DoraStatus) : undefined
  },
  typo(event, send) {
    if (event.type === "INPUT") void send("uot", 1)
    return undefined
  },
  exit(event) {
    if (event.type === "INPUT") process.exit(3)
    return undefined
  },
  kill(event) {
    if (event.type === "INPUT") process.kill(process.pid, "SIGSEGV")
    return undefined
  },
  loop(event) {
    if (event.type === "INPUT") for (;;);
    return undefined
  },
  /** Fails when nobody is looking. */
  later(event) {
    if (event.type === "INPUT") setTimeout(() => void Promise.reject(new Error("too late")), 1)
    return undefined
  },
}

/** Does what its id says, and says when it is dropped. */
export default class Any implements TypeScriptOperator {
  count = 0
  readonly #info: OperatorInfo
  readonly #does: Behaviour

  constructor(info: OperatorInfo) {
    this.#info = info
    this.#does = BEHAVIOURS[info.id.split("-")[0]!]!
  }

  onEvent(event: OperatorEvent, send: SendOutput) {
    return this.#does(event, send)
  }

  async drop(): Promise<void> {
    // Not at once: whoever ends the process has to wait for it.
    await Bun.sleep(20)
    this.#info.log.info("dropped")
  }
}
