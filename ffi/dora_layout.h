// Where everything lies in shared memory: the numbers of src/shm/layout.ts, which ffi/layout.test.ts holds them to. docs/layout.md
// describes every field. No #include.
#ifndef DORA_LAYOUT_H
#define DORA_LAYOUT_H

enum {
  DORA_MAGIC = 0x61726f64,
  DORA_LAYOUT_VERSION = 2,
  // inbox header, in words
  DORA_MAGIC_WORD = 0,
  DORA_VERSION_WORD = 1,
  DORA_WAKE_WORD = 32,
  DORA_STOP_WORD = 64,
  DORA_WAKE_RUNNING = 0,
  DORA_WAKE_PARKED_FUTEX = 1,
  DORA_WAKE_PARKED_FD = 2,
  // ring header, in words
  DORA_HEAD_WORD = 0,
  DORA_SLOTS_WORD = 2,
  DORA_QUEUE_SIZE_WORD = 3,
  DORA_INLINE_BYTES_WORD = 4,
  DORA_POLICY_WORD = 5,
  DORA_TAIL_WORD = 32,
  DORA_TAKEN_WORD = 33,
  DORA_CLOSED_WORD = 64,
  DORA_WANT_WORD = 65,
  DORA_ABANDONED_WORD = 96,
  DORA_SENT_BYTES_FLOAT = 64,
  DORA_WANT_ROOM = 1,
  DORA_WANT_HALF = 2,
  DORA_RING_HEADER_BYTES = 2944,
  // slot, in words
  DORA_SEQ_WORD = 0,
  DORA_LENGTH_WORD = 1,
  DORA_CHUNK_WORD = 2,
  DORA_TEMPLATE_WORD = 3,
  DORA_SECONDS_WORD = 4,
  DORA_FRACTION_WORD = 5,
  DORA_PARAMETERS_WORD = 6,
  DORA_OFFSET_WORD = 7,
  DORA_CLOCK_ID_WORD = 8,
  DORA_HEADER_LENGTH_WORD = 12,
  DORA_SLOT_HEADER_BYTES = 64,
  DORA_LINE_BYTES = 128,
  // the word for a chunk
  DORA_CHUNK_BITS = 13,
  DORA_CHUNK_MASK = 8191,
};

#endif
