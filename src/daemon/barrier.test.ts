import { expect, test } from "bun:test"
import { Barrier } from "./barrier.ts"

function barrierOf(...nodes: string[]) {
  const steps: string[] = []
  const barrier = new Barrier(nodes, () => steps.push("opened"))
  const arrive = (node: string) => barrier.arrive(node, (error) => steps.push(`${node}: ${error}`))
  return { barrier, arrive, steps }
}

test("nobody goes before the last has arrived, and then all go", async () => {
  const { barrier, arrive, steps } = barrierOf("a", "b")
  arrive("a")
  expect([barrier.open, barrier.missing, steps]).toEqual([false, ["b"], []])
  arrive("b")
  expect(steps).toEqual(["opened", "a: null", "b: null"])
  await barrier.passed
  arrive("a")
  expect(steps.at(-1)).toBe("a: null")
})

test("a failure sends all home, those who come later too", async () => {
  const { barrier, arrive, steps } = barrierOf("a", "b")
  arrive("a")
  barrier.fail(new Error("first"), "go home")
  barrier.fail(new Error("second"), "other")
  arrive("b")
  expect(steps).toEqual(["a: go home", "b: go home"])
  expect(barrier.passed).rejects.toThrow("first")
})

test("who hangs up has not arrived", () => {
  const { barrier, arrive, steps } = barrierOf("a", "b")
  arrive("a")()
  arrive("b")
  expect([barrier.open, barrier.missing, steps]).toEqual([false, ["a"], []])
  arrive("a")
  expect(barrier.open).toBe(true)
})

test("a dataflow without nodes has nobody to wait for", async () => {
  const { barrier } = barrierOf()
  await barrier.passed
})
