// What C of ours needs that is built where it runs, without headers of the system: a few of its functions, waking, and for TinyCC
// the atomics that it hasn't.
#ifndef DORA_WORDS_H
#define DORA_WORDS_H

#include "dora_layout.h"

typedef unsigned char u8;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;

extern void *memcpy(void *, const void *, unsigned long), *memmove(void *, const void *, unsigned long);
extern void *memset(void *, int, unsigned long), *calloc(unsigned long, unsigned long);
extern int memcmp(const void *, const void *, unsigned long);
extern void free(void *);
extern long read(int, void *, unsigned long), write(int, const void *, unsigned long), syscall(long, ...);

#if defined(__TINYC__)
#if !defined(__x86_64__)
#error "elsewhere TinyCC has no locked instructions"
#endif
// It keeps the order of volatile accesses, and the processor that of loads and that of stores.
static inline int dora_tiny_load(const int *word) { return *(const volatile int *)word; }
static inline void dora_tiny_store(int *word, int value) {
  __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*word) : : "memory");
}
static inline int dora_tiny_exchange(int *word, int *seen, int value) {
  int found = *seen;
  __asm__ volatile("lock; cmpxchgl %2, %1" : "+a"(found), "+m"(*word) : "r"(value) : "memory", "cc");
  int done = found == *seen;
  *seen = found;
  return done;
}
static inline void dora_tiny_fence(void) { __asm__ volatile("mfence" : : : "memory"); }
#define __atomic_load_n(word, order) dora_tiny_load(word)
#define __atomic_store_n(word, value, order) dora_tiny_store(word, value)
#define __atomic_compare_exchange_n(word, seen, value, weak, order, other) dora_tiny_exchange(word, seen, value)
#define __atomic_thread_fence(order) dora_tiny_fence()
#define __builtin_memcpy memcpy
#define __builtin_memset memset
#define __ATOMIC_RELAXED 0
#define __ATOMIC_RELEASE 0
#define __ATOMIC_SEQ_CST 0
#endif

static inline int dora_load(const int *word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }
/// Nothing overtakes it.
static inline void dora_store(int *word, int value) { __atomic_store_n(word, value, __ATOMIC_SEQ_CST); }
/// Stores `value` where `*seen` stands; else says what stands there. Nothing overtakes it.
static inline int dora_exchange(int *word, int *seen, int value) {
  return __atomic_compare_exchange_n(word, seen, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/// Index + n, and how far an index is ahead of another; both wrap.
static inline int dora_add(int index, int n) { return (int)((unsigned)index + (unsigned)n); }
static inline int dora_ahead(int index, int of) { return (int)((unsigned)index - (unsigned)of); }

#if defined(__aarch64__)
enum { DORA_SYS_FUTEX = 98 };
#else
enum { DORA_SYS_FUTEX = 202 };
#endif
enum { DORA_FUTEX_WAKE = 1 };

/// Wakes who sleeps on a wake word; `fd` is the write end of its pipe.
static inline void dora_wake_word(int *word, int fd) {
  int parked = dora_load(word);
  if (parked == DORA_WAKE_RUNNING) return;
  // Who wins the exchange makes the call; the others need not.
  if (!dora_exchange(word, &parked, DORA_WAKE_RUNNING)) return;
  if (parked == DORA_WAKE_PARKED_FUTEX) syscall(DORA_SYS_FUTEX, word, DORA_FUTEX_WAKE, 0x7fffffff, 0l, 0l, 0l);
  else if (parked == DORA_WAKE_PARKED_FD) (void)!write(fd, "", 1);
}

#endif
