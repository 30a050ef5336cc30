import { describe, test } from "bun:test"
import { pool } from "./pool.ts"
import { fails, holds, judge, type Verdict } from "./verdict.ts"

const TIMEOUT_MS = 120_000
const OVERWRITTEN_IN_QUEUE = "a chunk is written while a queued slot refers to it"
const OVERWRITTEN_IN_USE = "a chunk is written while a consumer still reads it"

const firstDesign: Verdict[] = [
  holds("nobody dies", pool({ first: true, messages: 5 })),
  fails(
    "consumer dies, release clears held, then borrowed",
    OVERWRITTEN_IN_QUEUE,
    pool({ first: true, consumerDeaths: 1 }),
  ),
  fails(
    "consumer dies, release clears borrowed, then held; no sweep while the producer lives",
    OVERWRITTEN_IN_QUEUE,
    pool({ first: true, heldLast: true, consumerDeaths: 1 }),
  ),
  fails(
    "the same with the sweep of bits neither queued nor borrowed",
    OVERWRITTEN_IN_QUEUE,
    pool({ first: true, heldLast: true, sweep: true, consumerDeaths: 1 }),
  ),
  fails(
    "the same, two edges (fan-out)",
    OVERWRITTEN_IN_QUEUE,
    pool({ edges: 2, first: true, heldLast: true, sweep: true, consumerDeaths: 1, messages: 3 }),
  ),
  fails(
    "producer restarts, borrowed mask without a generation, consumer dies",
    OVERWRITTEN_IN_QUEUE,
    pool({
      first: true,
      heldLast: true,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 1,
      budget: 2,
      chunks: 4,
    }),
  ),
]

const nearMisses: Verdict[] = [
  fails("borrow line read before the tail", OVERWRITTEN_IN_USE, pool({ borrowBeforeTail: true })),
  fails("marked after the claim", OVERWRITTEN_IN_USE, pool({ markAfterClaim: true })),
  fails(
    "one borrow line for all generations",
    OVERWRITTEN_IN_USE,
    pool({ oneLine: true, generations: 2, producerDeaths: 1, budget: 2 }),
  ),
  fails(
    "chunk and generation in two words: a mixture names a chunk that the consumer holds",
    "a consumer finds its own bit set before it marks",
    pool({ twoWords: true, generations: 2, producerDeaths: 1 }),
  ),
  fails(
    "a chunk in use is remembered as free",
    OVERWRITTEN_IN_QUEUE,
    pool({ remembers: 1, remembersUsed: true }),
  ),
  fails(
    "one chunk less than the bound, consumer stops for ever",
    "no way back",
    pool({ stops: 1, chunks: 3 }),
  ),
]

const corrected: Verdict[] = [
  holds(
    "1 edge, queue_size 1, 4 chunks (= bound), consumer may stop for ever",
    pool({ chunks: 4, stops: 1, messages: 5 }),
  ),
  holds(
    "1 edge, queue_size 1, 4 chunks, 2 deaths of the consumer",
    pool({ chunks: 4, consumerDeaths: 2, stops: 1, mayAbandon: true, messages: 5 }),
  ),
  holds(
    "1 edge, queue_size 2, 3 chunks (tight), deaths of both, 2 generations",
    pool({ queueSize: 2, chunks: 3, generations: 2, producerDeaths: 1, consumerDeaths: 1 }),
  ),
  holds(
    "1 edge, queue_size 2, 2 borrows, 6 chunks (= bound), deaths of both, stop, 2 generations",
    pool({
      queueSize: 2,
      budget: 2,
      chunks: 6,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 1,
      stops: 1,
      mayAbandon: true,
    }),
  ),
  holds(
    "2 edges, queue_size 1, 3 chunks (tight), death of one consumer",
    pool({ edges: 2, chunks: 3, consumerDeaths: 1, messages: 3, mayAbandon: true }),
  ),
  holds(
    "2 edges, queue_size 1, 3 chunks (tight), death of the producer, 2 generations",
    pool({ edges: 2, chunks: 3, generations: 2, producerDeaths: 1, messages: 3 }),
  ),
  holds(
    "2 edges, queue_size 1, 7 chunks (= bound), a consumer may stop for ever",
    pool({ edges: 2, chunks: 7, stops: 2, messages: 3 }),
  ),
  holds(
    "1 edge, queue_size 2, 4 chunks, 2 generations, 2 deaths of the consumer and 1 of the producer",
    pool({
      queueSize: 2,
      chunks: 4,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 2,
      mayAbandon: true,
      messages: 5,
    }),
  ),
  holds(
    "2 edges, queue_size 1, 4 chunks, 2 generations, a death of the producer and of a consumer",
    pool({
      edges: 2,
      chunks: 4,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 1,
      messages: 3,
      mayAbandon: true,
    }),
  ),
]

const remembering: Verdict[] = [
  holds(
    "1 edge, queue_size 1, 4 chunks (= bound), consumer may stop for ever",
    pool({ chunks: 4, stops: 1, messages: 5, remembers: 1 }),
  ),
  holds(
    "1 edge, queue_size 2, 6 chunks (= bound), deaths of both, stop, 2 generations",
    pool({
      queueSize: 2,
      budget: 2,
      chunks: 6,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 1,
      stops: 1,
      mayAbandon: true,
      remembers: 2,
    }),
  ),
  holds(
    "2 edges, queue_size 1, 4 chunks, a death of the producer and of a consumer, noticed late",
    pool({
      edges: 2,
      chunks: 4,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 1,
      messages: 3,
      mayAbandon: true,
      noticeLate: true,
      remembers: 2,
    }),
  ),
]

const abandoned: Verdict[] = [
  holds(
    "1 edge, queue_size 1, 4 chunks, 2 deaths of the consumer",
    pool({
      chunks: 4,
      consumerDeaths: 2,
      stops: 1,
      mayAbandon: true,
      noticeLate: true,
      messages: 5,
    }),
  ),
  holds(
    "2 edges, queue_size 1, 3 chunks (tight), death of one consumer",
    pool({
      edges: 2,
      chunks: 3,
      consumerDeaths: 1,
      messages: 3,
      mayAbandon: true,
      noticeLate: true,
    }),
  ),
  holds(
    "1 edge, queue_size 2, 4 chunks, 2 generations, 2 deaths of the consumer and 1 of the producer",
    pool({
      queueSize: 2,
      chunks: 4,
      generations: 2,
      producerDeaths: 1,
      consumerDeaths: 2,
      mayAbandon: true,
      noticeLate: true,
      messages: 5,
    }),
  ),
]

describe("the first design of the pool (held and borrowed):", () => {
  for (const verdict of firstDesign) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("a near miss of the pool fails:", () => {
  for (const verdict of nearMisses) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("the pool holds:", () => {
  for (const verdict of corrected) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("the pool holds when free chunks are remembered:", () => {
  for (const verdict of remembering) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})

describe("the pool holds when an abandoned edge is noticed late:", () => {
  for (const verdict of abandoned) test(verdict.name, () => judge(verdict), TIMEOUT_MS)
})
