// The floor of a copying send: memcpy from private memory into shared memory, two destinations in turns as with the chunks of a
// pool whose consumer still holds the last one.
//   cc -O2 -o memcpy bench/memcpy.c && ./memcpy 4096000 100
// Prints one line of JSON: nanoseconds of one copy.
#include "measure.h"
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv) {
  if (argc < 3 || atol(argv[1]) <= 0 || atoi(argv[2]) <= 0) {
    fprintf(stderr, "usage: memcpy BYTES ROUNDS\n");
    return 2;
  }
  size_t bytes = atol(argv[1]);
  int rounds = atoi(argv[2]), warm_up = rounds / 5 + 2;
  char *shared = mmap(0, 2 * bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *own = malloc(bytes);
  int64_t *times = malloc(rounds * sizeof *times);
  if (shared == MAP_FAILED || !own || !times) return 1;
  memset(own, 7, bytes);
  for (int i = 0; i < warm_up + rounds; i++) {
    own[0] = i;
    long before = now_ns();
    memcpy(shared + (i % 2) * bytes, own, bytes);
    long after = now_ns();
    if (i >= warm_up) times[i - warm_up] = after - before;
  }
  print_times("memcpy", times, rounds);
  return 0;
}
