// What every benchmark program in C shares: the clock, ending with the parent, percentiles.
#ifndef MEASURE_H
#define MEASURE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// Whoever started this process is gone: so are we, also when it had been gone before we could say so.
static inline void end_with(pid_t parent, int signal) {
  prctl(PR_SET_PDEATHSIG, signal);
  if (getppid() != parent) _exit(1);
}

static inline int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static inline void sort_times(int64_t *times, int64_t count) { qsort(times, count, sizeof *times, by_size); }

// The time that a share of all sorted times doesn't exceed.
static inline int64_t at_share(const int64_t *sorted, int64_t count, double share) {
  return sorted[(int64_t)(share * (count - 1))];
}

// Round trips end after this long: with other programs about, two processes that spin may need a turn of the scheduler for each.
enum { MOST_SECONDS = 2 };

static inline int is_over(int64_t start, int64_t now) { return now - start > MOST_SECONDS * 1000000000LL; }

// One line of JSON, as bench/support.ts reads it. Sorts the times.
static inline void print_times(const char *mode, int64_t *times, int64_t count) {
  sort_times(times, count);
  printf("{\"mode\":\"%s\",\"p50\":%lld,\"p90\":%lld,\"p99\":%lld,\"p999\":%lld,\"min\":%lld}\n", mode,
         (long long)at_share(times, count, .5), (long long)at_share(times, count, .9),
         (long long)at_share(times, count, .99), (long long)at_share(times, count, .999),
         (long long)times[0]);
}

// The same without the warm-up, or without the first half when it was over early.
static inline void print_warm(const char *mode, int64_t *times, int64_t taken, int64_t warm_up) {
  int64_t cold = taken < 2 * warm_up ? taken / 2 : warm_up;
  print_times(mode, times + cold, taken - cold);
}

#endif
