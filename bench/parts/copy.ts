import { COPY_BYTES } from "../floor.ts"
import { measure, type Part } from "../part.ts"
import { takeOf } from "./latency.ts"

/** Sends of one take; the first ones touch the pages of their chunks and don't count. */
const COUNT = 200
const WARM_UP = 50

/** What a copying send of 4 MB costs its sender, beside a bare copy of the same bytes. */
export const copyPart: Part = {
  name: "copy",
  about: "a copying send of 4 MB beside memcpy of the same bytes",
  run: (context) => {
    const count = context.extent === "quick" ? COUNT / 4 : COUNT
    const env = { SIZE: String(COPY_BYTES), COUNT: String(count), WARM_UP: String(WARM_UP) }
    const source = { id: "source", path: "copier.ts", env, outputs: ["data"] }
    const sink = { id: "sink", path: "answer.ts", outputs: ["answer"] }
    return measure(context, "copy", [
      {
        name: "sendOutputSync of 4 MB",
        size: COPY_BYTES,
        unit: "ns",
        better: "lower",
        floor: "memcpy",
        take: async () => {
          // A sink that sleeps would have to be woken, which is no part of a copy.
          const { printed } = await context.run(
            [
              { ...source, inputs: { answer: "sink/answer" } },
              { ...sink, inputs: { data: "source/data" } },
            ],
            "busy",
          )
          return takeOf(printed[0]!)
        },
      },
    ])
  },
}
