import { expect, test } from "bun:test"
import { KILL_WAIT_MS } from "../core/limits.ts"
import { StopLadder } from "./stop.ts"

/** A node that ends at one step of the ladder. */
function nodeEndingAt(step: "stop" | "term" | "kill", id: string = step) {
  const steps: string[] = []
  const node = {
    id,
    alive: true,
    steps,
    requestStop: () => take("stop"),
    terminate: () => take("term"),
    kill: (waitMs: number) => {
      expect(waitMs).toBe(KILL_WAIT_MS)
      take("kill")
    },
  }
  const take = (taken: string) => {
    steps.push(taken)
    if (taken === step) node.alive = false
  }
  return node
}

test("each node is taken as far up the ladder as it needs, and no further", async () => {
  const nodes = [nodeEndingAt("stop"), nodeEndingAt("term"), nodeEndingAt("kill")]
  using ladder = new StopLadder(nodes)
  ladder.stop("test", ["node kill (timer input t)"], 20)
  ladder.stop("again", [], 0)
  while (nodes.some((node) => node.alive)) await Bun.sleep(1)
  expect(nodes.map((node) => node.steps)).toEqual([
    ["stop"],
    ["stop", "term"],
    ["stop", "term", "kill"],
  ])
  expect(ladder.report).toEqual({
    by: "test",
    term: ["term", "kill"],
    kill: ["kill"],
    waitingFor: ["node kill (timer input t)"],
  })
  expect([ladder.forced("stop"), ladder.forced("term")]).toEqual([false, true])
})

test("kill overtakes a stop that is under way", async () => {
  const node = nodeEndingAt("kill")
  using ladder = new StopLadder([node])
  ladder.stop("first", [], 10)
  ladder.kill("second", [])
  await Bun.sleep(40)
  expect(node.steps).toEqual(["stop", "kill"])
  expect(ladder.report?.by).toBe("first")
})

test("kill without a stop asks first: who could be started again is not", () => {
  const node = nodeEndingAt("kill")
  using ladder = new StopLadder([node])
  ladder.kill("at once", ["node a"])
  expect(node.steps).toEqual(["stop", "kill"])
  expect(ladder.report).toMatchObject({ by: "at once", kill: ["kill"], waitingFor: ["node a"] })
})

test("a disposed ladder does nothing more", async () => {
  const node = nodeEndingAt("kill")
  const ladder = new StopLadder([node])
  ladder.stop("test", [], 5)
  ladder[Symbol.dispose]()
  await Bun.sleep(30)
  ladder.kill("late", [])
  expect(node.steps).toEqual(["stop"])
})
