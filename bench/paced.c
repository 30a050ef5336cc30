// The floor of a paced stream: a receiver that sleeps on a futex, woken by a message every so often, one way, from the intended send.
//   cc -O2 -o paced bench/paced.c && ./paced 5000000 200
// Prints one line of JSON: nanoseconds from the moment at which a message was meant to be sent until the receiver runs.
#include "measure.h"
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { WARM_UP = 10, AHEAD_NS = 20000000, POLL_NS = 700000 };

// Sleeps, and polls the clock from shortly before.
static void wait_until(long due) {
  long spare = due - now_ns() - POLL_NS;
  struct timespec t = {spare / 1000000000L, spare % 1000000000L};
  if (spare > 0) nanosleep(&t, 0);
  while (now_ns() < due) {
  }
}

int main(int argc, char **argv) {
  if (argc < 3 || atol(argv[1]) <= 0 || atoi(argv[2]) <= 0) {
    fprintf(stderr, "usage: paced PACE_NS ROUNDS\n");
    return 2;
  }
  long pace = atol(argv[1]);
  int rounds = atoi(argv[2]), all = WARM_UP + rounds;
  _Atomic int *word = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int64_t *times = malloc(rounds * sizeof *times);
  if (word == MAP_FAILED || !times) return 1;
  long first = now_ns() + AHEAD_NS;
  if (fork() == 0) {
    prctl(PR_SET_PDEATHSIG, 9);
    for (int i = 0; i < all; i++) {
      wait_until(first + i * pace);
      atomic_store(word, i + 1);
      syscall(SYS_futex, word, FUTEX_WAKE, 1, 0, 0, 0);
    }
    return 0;
  }
  for (int i = 0; i < all; i++) {
    for (int seen = atomic_load(word); seen <= i; seen = atomic_load(word))
      syscall(SYS_futex, word, FUTEX_WAIT, seen, 0, 0, 0);
    long after = now_ns();
    if (i >= WARM_UP) times[i - WARM_UP] = after - (first + i * pace);
  }
  wait(0);
  print_times("paced", times, rounds);
  return 0;
}
