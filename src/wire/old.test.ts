import { expect, test } from "bun:test"
import { readOldRegister } from "./old.ts"
import { encodeRequest } from "./messages.ts"

const OLD = Uint8Array.fromHex(
  "00000000" +
    "1000000000000000" +
    "0198c00011117222833344445555666 6".replace(" ", "") +
    "060000000000000063616d657261" +
    "0500000000000000302e382e30" +
    "0000803b1da76801" +
    "02030405060708090a0b0c0d0e0f1000",
)

test("the introduction of a dora 0.5 node is told from that of a 1.x node", () => {
  expect(readOldRegister(OLD)).toEqual({ node: "camera", version: "0.8.0" })
  const stamp = { seconds: 1, fraction: 0, id: new Uint8Array(16).fill(1) }
  const dataflow = "0198c000-1111-7222-8333-444455556666"
  const now = { type: "Register", dataflow, node: "camera", version: "1.1.0" } as const
  expect(readOldRegister(encodeRequest({ ...now, metadataVersion: 2 }, stamp))).toBeNull()
})

test("what is cut off or too long is no introduction", () => {
  for (let end = 0; end < 51; end++) expect(readOldRegister(OLD.subarray(0, end))).toBeNull()
  const long = OLD.slice()
  long.fill(0xff, 28, 36)
  expect(readOldRegister(long)).toBeNull()
})
