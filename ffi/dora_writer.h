// Publishing from C on the edges of an output whose owner is JavaScript in the same thread: what src/shm/writer.ts does, on the same
// rings, in turns with it. One producer in two languages, so nothing here is synchronised between them but by what follows:
//
// - HEAD_WORD is exact for the thread that stores it. Each side keeps the tail that it has seen, and looks again when the other one
//   has published since: JavaScript in OutputWriter.ready, C in dora_edge_follow.
// - `templates` says what lies in each slot. C writes the negative of a template's number beside a header of its own: to JavaScript that is
//   a slot whose content it doesn't know. A positive number is JavaScript's, and its parameters may be any.
// - The clock's state is memory of both.
// - The pool's record of what is queued is JavaScript's, and that of dora_pool.h. A slot that C fills keeps an entry of one turn before; that message has
//   left the queue, and JavaScript takes its entry out when it next looks at the tail, before it records a chunk there.
//
// No #include but the layout; gcc or clang. TinyCC has no atomics: it gets functions from here only behind dora_words.h, which has some.
#ifndef DORA_WRITER_H
#define DORA_WRITER_H

#include "dora_layout.h"

#if !defined(__TINYC__) || defined(DORA_WORDS_H)
#define DORA_HAS_WRITER 1

/// As in src/shm/clock.ts: stamps that follow each other closely share a reading, at most so many.
enum { DORA_CLOCK_BATCH = 16, DORA_CLOCK_BUSY_GAP_NS = 2000 };

/// The state of a FlowClock. Words are the bits of unsigned ones.
typedef struct {
  int seconds, fraction, left, batch;
  double read_ns, epoch_seconds, epoch_nanoseconds;
} dora_clock;

typedef struct {
  int *ring, *wake, *templates;  // the ring's header, the wake word of its inbox; by slot
  unsigned slots, queue_size, slot_bytes;
  int backpressure;
  int head, tail;  // as last seen
} dora_writer_edge;

/// An output. `edges` is memory of the caller.
typedef struct {
  dora_clock *clock;
  int clock_id[4];
  int template_bits;  // of the producer's generation
  int inline_bytes;
  int count;
  dora_writer_edge *edges;
} dora_writer;

/// A stream of `length` bytes: a head, a body and, where that is not all, zeros and an end mark. All messages with the same template > 0
/// have the same length, head and parameters.
typedef struct {
  const void *head, *body, *parameters;
  int length, head_bytes, body_bytes, parameter_bytes;
  int header_length;  // as the slot says it; 0: not said
  int template;       // 0: none
  int chunk;          // -1: goes into the slots; else the slots' word for the chunk in which it lies already
} dora_message;

/// Templates beyond go as 0: they would look like those of another generation.
enum { DORA_MAX_TEMPLATE = (1 << 20) - 1 };

/// Before the edges in the facts of an output, and for each of them.
enum { DORA_WRITER_FACTS = 8, DORA_EDGE_FACTS = 7 };

/// Opens an output by the facts that OutputWriter.share() returns: addresses and numbers, checked there. `edges` has room for facts[0].
static inline void dora_writer_open(dora_writer *writer, dora_writer_edge *edges, const double *facts) {
  writer->count = (int)facts[0];
  writer->clock = (dora_clock *)(unsigned long)facts[1];
  for (int i = 0; i < 4; i++) writer->clock_id[i] = (int)facts[2 + i];
  writer->template_bits = (int)facts[6];
  writer->inline_bytes = (int)facts[7];
  writer->edges = edges;
  facts += DORA_WRITER_FACTS;
  for (int i = 0; i < writer->count; i++, facts += DORA_EDGE_FACTS) {
    edges[i].ring = (int *)(unsigned long)facts[0];
    edges[i].wake = (int *)(unsigned long)facts[1];
    edges[i].templates = (int *)(unsigned long)facts[2];
    edges[i].slots = (unsigned)facts[3];
    edges[i].queue_size = (unsigned)facts[4];
    edges[i].slot_bytes = (unsigned)facts[5];
    edges[i].backpressure = (int)facts[6];
    edges[i].head = edges[i].ring[DORA_HEAD_WORD];
    edges[i].tail = __atomic_load_n(edges[i].ring + DORA_TAIL_WORD, __ATOMIC_SEQ_CST);
  }
}

extern int dora_clock_gettime(int, long *) __asm__("clock_gettime");

static inline void dora_clock_tick(dora_clock *clock) {
  clock->fraction = (int)((unsigned)clock->fraction + 1);
  if (!clock->fraction) clock->seconds = (int)((unsigned)clock->seconds + 1);
}

static __attribute__((noinline, unused)) void dora_clock_read(dora_clock *clock) {
  long time[2];
  dora_clock_gettime(1, time);
  double now = time[0] * 1e9 + time[1];
  clock->batch = now - clock->read_ns < (double)DORA_CLOCK_BUSY_GAP_NS * clock->batch ? DORA_CLOCK_BATCH : 1;
  clock->left = clock->batch - 1;
  clock->read_ns = now;
  double ns = now + clock->epoch_nanoseconds;
  double whole = (double)(long)(ns / 1e9);
  if (whole * 1e9 > ns) whole -= 1;
  unsigned seconds = (unsigned)(long)(whole + clock->epoch_seconds);
  unsigned fraction = (unsigned)(long)((ns - whole * 1e9) * (4294967296.0 / 1e9)) & ~15u;
  unsigned last = (unsigned)clock->seconds;
  if (seconds > last || (seconds == last && fraction > (unsigned)clock->fraction)) {
    clock->seconds = (int)seconds;
    clock->fraction = (int)fraction;
  } else dora_clock_tick(clock);
}

/// FlowClock.stamp: advances to a new stamp.
static inline void dora_clock_stamp(dora_clock *clock) {
  if (clock->left > 0) {
    clock->left--;
    dora_clock_tick(clock);
  } else dora_clock_read(clock);
}

/// The next index. Where JavaScript has published since, the tail that was seen here may be older than half a turn of the indices.
static inline unsigned dora_edge_follow(dora_writer_edge *edge) {
  int head = edge->ring[DORA_HEAD_WORD];
  if (head != edge->head) {
    edge->head = head;
    edge->tail = __atomic_load_n(edge->ring + DORA_TAIL_WORD, __ATOMIC_SEQ_CST);
  }
  return (unsigned)head;
}

static inline int dora_edge_has_room(dora_writer_edge *edge, unsigned head) {
  if ((int)(head - (unsigned)edge->tail) < (int)edge->queue_size) return 1;
  edge->tail = __atomic_load_n(edge->ring + DORA_TAIL_WORD, __ATOMIC_SEQ_CST);
  return (int)(head - (unsigned)edge->tail) < (int)edge->queue_size;
}

static inline int dora_edge_is_gone(const dora_writer_edge *edge) {
  return __atomic_load_n(edge->ring + DORA_ABANDONED_WORD, __ATOMIC_SEQ_CST) == 1;
}

/// Has every edge that holds its producer back room for one more message?
static inline int dora_writer_ready(dora_writer *writer) {
  for (int i = 0; i < writer->count; i++) {
    dora_writer_edge *edge = writer->edges + i;
    if (edge->backpressure && !dora_edge_has_room(edge, dora_edge_follow(edge)) && !dora_edge_is_gone(edge)) return 0;
  }
  return 1;
}

/// As OutputWriter's #makeRoom: the oldest gives way. 0: the message is not for this edge.
static inline int dora_edge_make_room(dora_writer_edge *edge, unsigned head) {
  for (unsigned tries = 0; !dora_edge_has_room(edge, head); tries++) {
    int oldest = edge->tail, next = (int)((unsigned)oldest + 1);
    if (tries > edge->slots || dora_edge_is_gone(edge)) return 0;
    int won = __atomic_compare_exchange_n(edge->ring + DORA_TAIL_WORD, &oldest, next, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    edge->tail = won ? next : oldest;
  }
  return 1;
}

/// What is the same in all messages: the start of the stream, and who stamped it.
static inline void dora_write_origin(const dora_writer *writer, int *slot) {
  slot[DORA_OFFSET_WORD] = 0;
  __builtin_memcpy(slot + DORA_CLOCK_ID_WORD, writer->clock_id, sizeof writer->clock_id);
}

static inline void dora_copy_body(unsigned char *at, const dora_message *message) {
  if (message->body_bytes == 8) __builtin_memcpy(at, message->body, 8);
  else __builtin_memcpy(at, message->body, (unsigned)message->body_bytes);
}

static inline void dora_write_inline(const dora_writer *writer, const dora_message *message, int *slot, int *template) {
  unsigned char *stream = (unsigned char *)slot + DORA_SLOT_HEADER_BYTES, *at = stream + message->head_bytes;
  int rest = message->length - message->head_bytes - message->body_bytes;
  if (message->template > 0 && *template == -message->template) {
    dora_copy_body(at, message);
    return;
  }
  if (message->head_bytes) __builtin_memcpy(stream, message->head, (unsigned)message->head_bytes);
  dora_copy_body(at, message);
  if (rest) {
    __builtin_memset(at + message->body_bytes, 0, (unsigned)rest);
    __builtin_memset(stream + message->length - 8, 0xff, 4);
  }
  if (message->parameter_bytes)
    __builtin_memcpy(stream + ((message->length + 7) & ~7), message->parameters, (unsigned)message->parameter_bytes);
  dora_write_origin(writer, slot);
  *template = -message->template;
}

/// Publishes on every edge, with the stamp that the clock has now. Call dora_writer_ready before, and see that an inline message with its
/// parameters is no longer than `inline_bytes`. 1: somebody sleeps who is to be woken.
static inline int dora_writer_publish(dora_writer *writer, const dora_message *message) {
  int body = message->header_length ? message->length - message->header_length - 8 : message->length, parked = 0;
  for (int i = 0; i < writer->count; i++) {
    dora_writer_edge *edge = writer->edges + i;
    unsigned head = dora_edge_follow(edge), n = head & (edge->slots - 1);
    if (!dora_edge_make_room(edge, head)) continue;
    int *slot = (int *)((char *)edge->ring + DORA_RING_HEADER_BYTES + (unsigned long)n * edge->slot_bytes);
    if (message->chunk < 0) dora_write_inline(writer, message, slot, edge->templates + n);
    else {
      dora_write_origin(writer, slot);
      if (edge->templates[n] > 0) edge->templates[n] = 0;
    }
    slot[DORA_LENGTH_WORD] = message->length;
    slot[DORA_CHUNK_WORD] = message->chunk;
    slot[DORA_TEMPLATE_WORD] = message->template > 0 && message->template <= DORA_MAX_TEMPLATE ? writer->template_bits | message->template : 0;
    slot[DORA_SECONDS_WORD] = writer->clock->seconds;
    slot[DORA_FRACTION_WORD] = writer->clock->fraction;
    slot[DORA_PARAMETERS_WORD] = message->parameter_bytes;
    slot[DORA_HEADER_LENGTH_WORD] = message->header_length;
    edge->head = (int)(head + 1);
    // A death before this store sends nothing; one after it, before the next, is noticed by the successor.
    __atomic_store_n(slot + DORA_SEQ_WORD, edge->head, __ATOMIC_RELEASE);
    edge->ring[DORA_HEAD_WORD] = edge->head;
    ((double *)edge->ring)[DORA_SENT_BYTES_FLOAT] += body > 0 ? body : 0;
  }
  // No store of above may pass a load of below: docs/adr/0004-waiting.md. The slots' lines are not locked for it: ring.ts says why.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  for (int i = 0; i < writer->count; i++) parked |= __atomic_load_n(writer->edges[i].wake, __ATOMIC_RELAXED) != DORA_WAKE_RUNNING;
  return parked;
}

#endif
#endif
