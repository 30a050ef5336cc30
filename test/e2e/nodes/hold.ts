// Holds what it was given for too long, or as long as it may, and says what it then sees of it.
import { type InputEvent, Node } from "../../../src/index.ts"
import { say } from "./say.ts"

using node = await Node.init()

async function nextInput(): Promise<InputEvent> {
  for (;;) {
    const event = await node.next()
    if (event === null) throw new Error("no more messages")
    if (event.type === "INPUT") return event
  }
}

const look = (event: InputEvent) => [event.array.length, event.array[0] ?? null, event.borrowed]

const first = await nextInput()
const held = [first.array, first.data, first.value!.toArray()]
say({ first: look(first) })
const second = (await nextInput()).retain()
say({ after: look(first), held: held.map((view) => view.length), value: first.value })
const copy = second.copy()
const third = await nextInput()
say({ second: look(second), third: look(third) })
second.release()
say({ released: look(second), copy: copy.length > second.data.length, third: look(third) })
{
  using fourth = (await nextInput()).retain()
  await nextInput()
  say({ fourth: look(fourth), third: look(third) })
}
const small = await nextInput()
await nextInput()
say({ small: look(small) })
