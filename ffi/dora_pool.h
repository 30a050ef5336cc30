// Large messages from C: the pool of an output whose owner is JavaScript in the same thread. What src/shm/pool.ts does, on the same
// state, in turns with it; protocol: docs/adr/0003-chunk-ownership.md. JavaScript opens everything, and makes room where there is none.
#ifndef DORA_POOL_H
#define DORA_POOL_H

#include "dora_words.h"
#include "dora_writer.h"

/// Of an edge: messages before this index are no longer counted; its consumer has left. As EdgeRecord has them.
enum { DORA_RECORD_COUNTED, DORA_RECORD_GONE };
/// Chunks that the last look found free: how many, the next one, and then they. As ProducerPool has them.
enum { DORA_AHEAD_COUNT, DORA_AHEAD_NEXT, DORA_AHEAD_FIRST };
enum { DORA_LEAST_AHEAD = 2, DORA_MOST_AHEAD = 4, DORA_AHEAD_BYTES = 1 << 20, DORA_COPIED = 2 };

typedef struct {
  int *state;     // DORA_RECORD_*
  int *chunk_at;  // by slot: chunk + 1, 0 for an inline message
  int *line;      // of the consumer
} dora_pool_edge;

typedef struct {
  u8 *chunks;
  i64 stride;
  int count, generation;
  int *queued, *templates, *ahead;  // by chunk, by chunk, DORA_AHEAD_*
  u8 *lent;                         // by chunk
  dora_pool_edge *edges;            // as those of the writer
} dora_pool;

/// Takes what has left the queue out of the count.
static inline void dora_pool_uncount(dora_pool *pool, const dora_writer_edge *edge, dora_pool_edge *record) {
  int mask = (int)edge->slots - 1, left = (int)edge->slots;
  for (int i = record->state[DORA_RECORD_COUNTED]; i != edge->tail && left > 0; i = dora_add(i, 1), left--) {
    int chunk = record->chunk_at[i & mask];
    if (chunk <= 0) continue;
    pool->queued[chunk - 1]--;
    record->chunk_at[i & mask] = 0;
  }
  record->state[DORA_RECORD_COUNTED] = edge->tail;
}

/// Before a publish: the next slot of an edge will refer to `chunk`.
static inline void dora_pool_record(dora_pool *pool, dora_writer_edge *edge, dora_pool_edge *record, int chunk) {
  edge->tail = dora_load(edge->ring + DORA_TAIL_WORD);
  dora_pool_uncount(pool, edge, record);
  record->chunk_at[edge->ring[DORA_HEAD_WORD] & ((int)edge->slots - 1)] = chunk + 1;
  pool->queued[chunk]++;
}

/// Looks for free chunks. Per edge the tail is read before the line: a consumer marks before it claims, so what has just left the queue
/// shows up as borrowed.
static inline int dora_pool_look(dora_pool *pool, dora_writer *writer, int bytes) {
  int most = DORA_AHEAD_BYTES / bytes, found = 0;
  most = most < DORA_LEAST_AHEAD ? DORA_LEAST_AHEAD : most > DORA_MOST_AHEAD ? DORA_MOST_AHEAD : most;
  for (int i = 0; i < writer->count; i++) {
    dora_writer_edge *edge = writer->edges + i;
    if (pool->edges[i].state[DORA_RECORD_GONE]) continue;
    edge->tail = dora_load(edge->ring + DORA_TAIL_WORD);
    dora_pool_uncount(pool, edge, pool->edges + i);
  }
  for (int first = 0; first < pool->count && found < most; first += 32) {
    unsigned busy = 0;
    for (int i = 0; i < writer->count; i++) busy |= (unsigned)dora_load(pool->edges[i].line + first / 32);
    for (int chunk = first; chunk < pool->count && chunk < first + 32 && found < most; chunk++) {
      if (busy >> (chunk & 31) & 1 || pool->lent[chunk] || pool->queued[chunk]) continue;
      pool->ahead[DORA_AHEAD_FIRST + found++] = chunk;
    }
  }
  pool->ahead[DORA_AHEAD_NEXT] = 0;
  pool->ahead[DORA_AHEAD_COUNT] = found;
  return found;
}

/// The lowest free chunk, as ProducerPool.allocate finds it; -1: none, JavaScript must make room.
static inline int dora_pool_allocate(dora_pool *pool, dora_writer *writer, int bytes) {
  int *ahead = pool->ahead;
  if (ahead[DORA_AHEAD_NEXT] == ahead[DORA_AHEAD_COUNT] && !dora_pool_look(pool, writer, bytes)) return -1;
  return ahead[DORA_AHEAD_FIRST + ahead[DORA_AHEAD_NEXT]++];
}

/// A chunk for a message of so many bytes and its parameters, lent until it is published; -1: there is none.
static inline int dora_pool_begin(dora_pool *pool, dora_writer *writer, i64 bytes, int parameter_bytes) {
  i64 total = ((bytes + 7) & ~7ll) + parameter_bytes;
  int chunk = total > pool->stride ? -1 : dora_pool_allocate(pool, writer, (int)total);
  if (chunk < 0) return -1;
  pool->templates[chunk] = 0;
  pool->lent[chunk] = DORA_COPIED;
  return chunk;
}

static inline u8 *dora_pool_at(const dora_pool *pool, int chunk) { return pool->chunks + chunk * pool->stride; }

/// Publishes a message that lies in a chunk, on every edge. 1: somebody sleeps who is to be woken.
static inline int dora_pool_publish_chunk(dora_pool *pool, dora_writer *writer, dora_message *message, int chunk) {
  u8 *parameters = dora_pool_at(pool, chunk) + ((message->length + 7) & ~7);
  if (message->parameter_bytes) memcpy(parameters, message->parameters, (unsigned)message->parameter_bytes);
  for (int i = 0; i < writer->count; i++) {
    dora_writer_edge *edge = writer->edges + i;
    // Where nobody reads any more a slot may name any chunk.
    if (pool->edges[i].state[DORA_RECORD_GONE]) continue;
    if (dora_edge_make_room(edge, dora_edge_follow(edge))) dora_pool_record(pool, edge, pool->edges + i, chunk);
  }
  message->chunk = chunk | pool->generation << DORA_CHUNK_BITS;
  int parked = dora_writer_publish(writer, message);
  pool->lent[chunk] = 0;
  return parked;
}

/// Publishes a whole message in a chunk, on every edge. 0: nothing has happened.
static inline int dora_pool_publish(dora_pool *pool, dora_writer *writer, dora_message *message) {
  int chunk = dora_pool_begin(pool, writer, message->length, message->parameter_bytes);
  if (chunk < 0) return 0;
  memcpy(dora_pool_at(pool, chunk), message->body, (unsigned)message->length);
  return 1 + dora_pool_publish_chunk(pool, writer, message, chunk);
}

#endif
