// The floor of every tail: a program that does nothing but read the clock, and how long the machine keeps it from doing so.
//   cc -O2 -o jitter bench/jitter.c && ./jitter 300
// Prints one line of JSON: nanoseconds of the interruptions of this many milliseconds, and how many there are in a second.
#include "measure.h"

enum { SHORTEST_NS = 2000, MOST = 1 << 20 };

int main(int argc, char **argv) {
  if (argc < 2 || atol(argv[1]) <= 0) {
    fprintf(stderr, "usage: jitter MILLISECONDS\n");
    return 2;
  }
  int64_t *times = malloc(MOST * sizeof *times), count = 0;
  if (!times) return 1;
  int64_t start = now_ns(), end = start + atol(argv[1]) * 1000000L, last = start;
  while (last < end) {
    int64_t now = now_ns();
    if (now - last >= SHORTEST_NS && count < MOST) times[count++] = now - last;
    last = now;
  }
  double per_second = count * 1e9 / (last - start);
  // A machine that never interrupts has none.
  if (count == 0) times[count++] = 0;
  sort_times(times, count);
  printf("{\"mode\":\"jitter\",\"p50\":%lld,\"p90\":%lld,\"p99\":%lld,\"p999\":%lld,\"min\":%lld,\"perSecond\":%.0f}\n",
         (long long)at_share(times, count, .5), (long long)at_share(times, count, .9), (long long)at_share(times, count, .99),
         (long long)at_share(times, count, .999), (long long)times[0], per_second);
  return 0;
}
