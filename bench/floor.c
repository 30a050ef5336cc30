// The floor: what two C processes need for a round trip over shared memory, by the way of waiting.
//   cc -O2 -o floor bench/floor.c && ./floor spin 200000
// Prints one line of JSON: round trip times in nanoseconds, the cost of one clock reading included.
#include "measure.h"
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// One direction of the ping-pong.
struct line {
  _Atomic int *word;
  int read_fd, write_fd;
};

enum way { SPIN, FUTEX, BYTES };

// Two that sleep begin on one core; where they stay shows after some tens of milliseconds.
enum { SETTLE_MS = 200 };

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
  end_with(getppid(), SIGKILL);
  enum way way = !strcmp(mode, "spin") ? SPIN : !strcmp(mode, "futex") ? FUTEX : BYTES;
  char *memory = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct line there, back;
  make_line(&there, memory, mode);
  make_line(&back, memory + 4096, mode);
  int64_t *times = malloc((warm_up + rounds) * sizeof *times);
  pid_t parent = getpid(), child = fork();
  if (child == 0) {
    end_with(parent, SIGKILL);
    for (int i = 1;; i++) {
      wait_one(way, &there, i);
      send_one(way, &back, i);
    }
  }
  int64_t start = now_ns(), before = start;
  int sent = 0;
  while (way != SPIN && before - start < SETTLE_MS * 1000000LL) {
    send_one(way, &there, ++sent);
    wait_one(way, &back, sent);
    before = now_ns();
  }
  start = before;
  int taken = 0;
  while (taken < warm_up + rounds && !is_over(start, before)) {
    send_one(way, &there, ++sent);
    wait_one(way, &back, sent);
    int64_t after = now_ns();
    times[taken++] = after - before;
    before = after;
  }
  kill(child, SIGKILL);
  wait(0);
  print_warm(mode, times, taken, warm_up);
  return 0;
}
