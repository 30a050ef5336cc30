// The shared memory of dora-bun for C: both ends of an edge, for messages that fit into a slot. docs/layout.md describes every
// field; ffi/layout.test.ts lets a C program and a TypeScript node talk through them. C11, Linux.
#ifndef DORA_SHM_H
#define DORA_SHM_H

#include "dora_layout.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef _Atomic int32_t dora_word;

// A node's inbox, mapped.
typedef struct {
  dora_word *words;
  int wake_fd; // of the owner's pipe, for writing; -1: not opened
} dora_inbox;

// One end of an edge. `at` is the next index: head for a producer, tail for a consumer.
typedef struct {
  dora_inbox *inbox;
  dora_word *ring;
  char *first_slot;
  uint32_t slots, queue_size, slot_bytes, inline_bytes;
  int32_t at, tail;
} dora_edge;

// Opens /proc/<pid>/fd/<fd>. False: not there, or no segment of this version.
static inline bool dora_open_inbox(dora_inbox *inbox, int pid, int fd, size_t size, int wake_fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  int opened = open(path, O_RDWR | O_CLOEXEC);
  if (opened < 0) return false;
  void *at = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  close(opened);
  if (at == MAP_FAILED) return false;
  inbox->words = at;
  snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, wake_fd);
  inbox->wake_fd = wake_fd < 0 ? -1 : open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  return atomic_load(&inbox->words[DORA_MAGIC_WORD]) == DORA_MAGIC &&
         atomic_load(&inbox->words[DORA_VERSION_WORD]) == DORA_LAYOUT_VERSION;
}

static inline void dora_open_edge(dora_edge *edge, dora_inbox *inbox, size_t ring, bool producer) {
  edge->inbox = inbox;
  edge->ring = inbox->words + ring / 4;
  edge->first_slot = (char *)edge->ring + DORA_RING_HEADER_BYTES;
  edge->slots = atomic_load(&edge->ring[DORA_SLOTS_WORD]);
  edge->queue_size = atomic_load(&edge->ring[DORA_QUEUE_SIZE_WORD]);
  edge->inline_bytes = atomic_load(&edge->ring[DORA_INLINE_BYTES_WORD]);
  uint32_t slot = DORA_SLOT_HEADER_BYTES + edge->inline_bytes;
  edge->slot_bytes = (slot + DORA_LINE_BYTES - 1) / DORA_LINE_BYTES * DORA_LINE_BYTES;
  edge->tail = atomic_load(&edge->ring[DORA_TAIL_WORD]);
  edge->at = producer ? atomic_load(&edge->ring[DORA_HEAD_WORD]) : edge->tail;
}

static inline dora_word *dora_slot(const dora_edge *edge, int32_t index) {
  uint32_t number = (uint32_t)index & (edge->slots - 1);
  return (dora_word *)(edge->first_slot + (size_t)number * edge->slot_bytes);
}

// Wakes the owner of an inbox if it sleeps; after a publish, a close, or a claim that gives credit.
static inline void dora_wake(dora_inbox *inbox) {
  int32_t parked = atomic_load(&inbox->words[DORA_WAKE_WORD]);
  if (parked == DORA_WAKE_RUNNING) return;
  if (!atomic_compare_exchange_strong(&inbox->words[DORA_WAKE_WORD], &parked, DORA_WAKE_RUNNING)) return;
  if (parked == DORA_WAKE_PARKED_FUTEX) syscall(SYS_futex, &inbox->words[DORA_WAKE_WORD], 1, INT32_MAX, 0, 0, 0);
  else if (inbox->wake_fd >= 0) (void)!write(inbox->wake_fd, "", 1);
}

// Publishes one Arrow stream of at most `inline_bytes`. False: the queue is full (backpressure), try again.
static inline bool dora_publish(dora_edge *edge, const void *stream, int32_t length) {
  bool wait = atomic_load_explicit(&edge->ring[DORA_POLICY_WORD], memory_order_relaxed) == 1;
  while ((uint32_t)(edge->at - edge->tail) >= edge->queue_size) {
    int32_t tail = atomic_load(&edge->ring[DORA_TAIL_WORD]);
    bool full = (uint32_t)(edge->at - tail) >= edge->queue_size;
    if (full && wait) {
      edge->tail = tail;
      return false;
    }
    if (full && atomic_compare_exchange_strong(&edge->ring[DORA_TAIL_WORD], &tail, tail + 1)) tail++;
    edge->tail = tail;
  }
  int32_t *slot = (int32_t *)dora_slot(edge, edge->at);
  memcpy((char *)slot + DORA_SLOT_HEADER_BYTES, stream, length);
  slot[DORA_LENGTH_WORD] = length;
  slot[DORA_CHUNK_WORD] = -1;
  slot[DORA_TEMPLATE_WORD] = 0;
  slot[DORA_PARAMETERS_WORD] = 0;
  slot[DORA_OFFSET_WORD] = 0;
  slot[DORA_HEADER_LENGTH_WORD] = 0;
  int32_t next = edge->at + 1;
  atomic_store((dora_word *)&slot[DORA_SEQ_WORD], next);
  atomic_store_explicit(&edge->ring[DORA_HEAD_WORD], next, memory_order_relaxed);
  edge->at = next;
  dora_wake(edge->inbox);
  return true;
}

// Takes one message. Returns its length, -1 when there is none, -2 when the edge has ended, -3 for a message that is not
// in the slot or does not fit into `room`.
static inline int32_t dora_take(dora_edge *edge, dora_inbox *producer, void *into, int32_t room) {
  bool looked = false;
  for (;;) {
    dora_word *slot = dora_slot(edge, edge->at);
    if (atomic_load(&slot[DORA_SEQ_WORD]) != edge->at + 1) {
      int32_t tail = atomic_load(&edge->ring[DORA_TAIL_WORD]);
      if (tail != edge->at) {
        edge->at = tail;
        continue;
      }
      if (looked) return -2;
      if (!atomic_load(&edge->ring[DORA_CLOSED_WORD])) return -1;
      looked = true;
      continue;
    }
    int32_t length = ((int32_t *)slot)[DORA_LENGTH_WORD];
    int32_t chunk = ((int32_t *)slot)[DORA_CHUNK_WORD];
    bool fits = chunk == -1 && length >= 0 && length <= room && length <= (int32_t)edge->inline_bytes;
    if (fits) memcpy(into, (char *)slot + DORA_SLOT_HEADER_BYTES, length);
    int32_t tail = edge->at;
    if (!atomic_compare_exchange_strong(&edge->ring[DORA_TAIL_WORD], &tail, edge->at + 1)) {
      edge->at = tail;
      continue;
    }
    edge->at++;
    atomic_fetch_add_explicit(&edge->ring[DORA_TAKEN_WORD], 1, memory_order_relaxed);
    if (atomic_load(&edge->ring[DORA_WANT_WORD]) && producer) dora_wake(producer);
    return fits ? length : -3;
  }
}

static inline void dora_close(dora_edge *edge) {
  atomic_store(&edge->ring[DORA_CLOSED_WORD], 1);
  dora_wake(edge->inbox);
}

#endif
