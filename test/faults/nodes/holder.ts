// Holds what it should not: arrays of an event beyond its release. They must be empty then, and not somebody else's message.
import { type InputEvent, Node } from "../../../src/index.ts"
import { tornAt } from "../message.ts"

using node = await Node.init()
const first = await nextInput()
const released = [first.array as Uint32Array, first.data]
expectLength(released, first.array!.length > 0)

const second = await nextInput()
expectLength(released, false)
second.retain()
const retained = second.array as Uint32Array
const copy = second.copy()

const third = await nextInput()
if (tornAt(retained)) throw new Error("a retained event changed")
second.release()
expectLength([retained], false)
if (copy.length === 0) throw new Error("a copy is gone")
{
  using scoped = third
  released.push(scoped.data)
}
expectLength(released, false)
console.log("held well")

async function nextInput(): Promise<InputEvent> {
  for (;;) {
    const event = await node.next()
    if (event === null) throw new Error("no more events")
    if (event.type === "INPUT") return event
  }
}

function expectLength(views: ArrayLike<number>[], some: boolean): void {
  for (const view of views) {
    if (view.length > 0 !== some) throw new Error(`a view has length ${view.length}`)
  }
}
