// The floor: what two C processes need for a round trip over shared memory, by the way of waiting.
//   cc -O2 -o floor bench/floor.c && ./floor spin 200000
// Prints one line of JSON: round trip times in nanoseconds, the cost of one clock reading included.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
  long x = *(const long *)a, y = *(const long *)b;
  return (x > y) - (x < y);
}

// One direction of the ping-pong.
struct line {
  _Atomic int *word;
  int read_fd, write_fd;
};

enum way { SPIN, FUTEX, BYTES };

static void send_one(enum way way, struct line *line, int i) {
  char byte = 1;
  if (way == BYTES) {
    if (write(line->write_fd, &byte, 1) != 1) exit(1);
    return;
  }
  atomic_store(line->word, i);
  if (way == FUTEX) syscall(SYS_futex, line->word, FUTEX_WAKE, 1, 0, 0, 0);
}

static void wait_one(enum way way, struct line *line, int i) {
  char byte;
  if (way == BYTES) {
    if (read(line->read_fd, &byte, 1) != 1) exit(1);
    return;
  }
  for (;;) {
    int seen = atomic_load(line->word);
    if (seen == i) return;
    if (way == FUTEX) syscall(SYS_futex, line->word, FUTEX_WAIT, seen, 0, 0, 0);
  }
}

static void make_line(struct line *line, char *memory, const char *mode) {
  int fds[2];
  line->word = (_Atomic int *)memory;
  if (strcmp(mode, "unix") == 0) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) exit(1);
  } else if (pipe(fds)) exit(1);
  line->read_fd = fds[0];
  line->write_fd = fds[1];
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: floor spin|futex|pipe|unix ROUNDS\n");
    return 2;
  }
  const char *mode = argv[1];
  int rounds = atoi(argv[2]), warm_up = rounds / 5;
  enum way way = !strcmp(mode, "spin") ? SPIN : !strcmp(mode, "futex") ? FUTEX : BYTES;
  char *memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct line there, back;
  make_line(&there, memory, mode);
  make_line(&back, memory + 4096, mode);
  long *times = malloc(rounds * sizeof(long));
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, 9);
    for (int i = 1; i <= warm_up + rounds; i++) {
      wait_one(way, &there, i);
      send_one(way, &back, i);
    }
    return 0;
  }
  long before = now_ns();
  for (int i = 1; i <= warm_up + rounds; i++) {
    send_one(way, &there, i);
    wait_one(way, &back, i);
    long after = now_ns();
    if (i > warm_up) times[i - warm_up - 1] = after - before;
    before = after;
  }
  wait(0);
  qsort(times, rounds, sizeof(long), by_size);
  printf("{\"mode\":\"%s\",\"p50\":%ld,\"p90\":%ld,\"p99\":%ld,\"p999\":%ld,\"min\":%ld}\n", mode,
         times[rounds / 2], times[rounds / 10 * 9], times[(long)(rounds * 0.99)],
         times[(long)(rounds * 0.999)], times[0]);
  return 0;
}
