// What the peers written in C and C++ share: the command line, the clock, the ping-pong, the stream, the figures.
//   PROGRAM latency SIZE COUNT PACE_NS [VARIANT]    prints a LatencyTake (peer.ts) as one line of JSON
//   PROGRAM throughput SIZE COUNT [VARIANT]         prints a ThroughputTake
// A peer gives two functions, send and receive, for each side. Messages carry a number in their first bytes.
#ifndef PEER_H
#define PEER_H

#include "../measure.h"
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

typedef struct {
  bool throughput;
  size_t size;
  int64_t count, warm_up, pace_ns;
  const char *variant;
} peer_work;

// Sends message `number`; receives one and returns its number.
typedef void (*peer_send)(void *link, int64_t number);
typedef int64_t (*peer_receive)(void *link);

static inline void peer_fail(const char *why) {
  fprintf(stderr, "%s\n", why);
  exit(1);
}

static inline peer_work peer_parse(int argc, char **argv) {
  peer_work work = {0};
  work.throughput = argc > 1 && strcmp(argv[1], "throughput") == 0;
  int numbers = work.throughput ? 2 : 3;
  if (argc < 2 + numbers) {
    fprintf(stderr, "usage: latency SIZE COUNT PACE_NS [VARIANT] | throughput SIZE COUNT [VARIANT]\n");
    exit(2);
  }
  work.size = strtoull(argv[2], 0, 10);
  work.count = strtoll(argv[3], 0, 10);
  work.pace_ns = work.throughput ? 0 : strtoll(argv[4], 0, 10);
  work.warm_up = work.count / 4 < 20 ? 20 : work.count / 4;
  work.variant = argc > 2 + numbers ? argv[2 + numbers] : "";
  return work;
}

// Writes a number into a message as far as it has room for one, and reads it back.
static inline void peer_stamp(void *bytes, size_t size, int64_t number) {
  if (size >= sizeof number) memcpy(bytes, &number, sizeof number);
  else if (size > 0) *(char *)bytes = (char)number;
}

static inline int64_t peer_number(const void *bytes, size_t size) {
  int64_t number = -1;
  if (size >= sizeof number) memcpy(&number, bytes, sizeof number);
  return number;
}

// Sleeps until shortly before a time and spins the rest, so that the sender's own timer is not part of the figure.
static inline void peer_wait_until(int64_t ns) {
  const int64_t lead = 200000;
  int64_t early = ns - lead;
  if (early > now_ns()) {
    struct timespec t = {.tv_sec = early / 1000000000LL, .tv_nsec = early % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
  }
  while (now_ns() < ns) {}
}

// Round trips become half round trips. Sorts the times.
static inline void peer_print_latency(int64_t *round_trips, int64_t count) {
  static const double shares[] = {0,   .01, .02, .05, .1,  .2,  .3,   .4,   .5,    .6,   .7,
                                  .75, .8,  .85, .9,  .95, .98, .99, .995, .998, .999, .9999, 1};
  sort_times(round_trips, count);
#define HALF(share) (at_share(round_trips, count, share) / 2.)
  printf("{\"kind\":\"half round trip\",\"p50Ns\":%.1f,\"p90Ns\":%.1f,\"p99Ns\":%.1f,\"p999Ns\":%.1f,"
         "\"maxNs\":%.1f,\"count\":%lld,\"cdf\":[",
         HALF(.5), HALF(.9), HALF(.99), HALF(.999), HALF(1), (long long)count);
  for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
    printf("%s[%g,%.1f]", i ? "," : "", shares[i], HALF(shares[i]));
#undef HALF
  printf("]}\n");
  fflush(stdout);
}

static inline void peer_ping(peer_work work, peer_send send, peer_receive receive, void *link) {
  int64_t *times = (int64_t *)malloc(work.count * sizeof(int64_t));
  int64_t before = now_ns(), start = before;
  for (int64_t i = 0; i < work.warm_up + work.count; i++) {
    if (i == work.warm_up) start = now_ns(); // the pace begins after the warm-up
    if (work.pace_ns && i >= work.warm_up) peer_wait_until(before = start + (i - work.warm_up) * work.pace_ns);
    send(link, i);
    int64_t number = receive(link);
    int64_t after = now_ns();
    if (number != i && work.size >= sizeof i) peer_fail("a pong that belongs to another ping");
    if (i >= work.warm_up) times[i - work.warm_up] = after - before;
    before = after;
  }
  peer_print_latency(times, work.count);
  free(times);
}

static inline void peer_pong(peer_work work, peer_send send, peer_receive receive, void *link) {
  for (int64_t i = 0; i < work.warm_up + work.count; i++) send(link, receive(link));
}

static inline void peer_source(peer_work work, peer_send send, void *link) {
  for (int64_t i = 0; i < work.count; i++) send(link, i);
}

static inline void peer_sink(peer_work work, peer_receive receive, void *link) {
  int64_t start = 0;
  for (int64_t i = 0; i < work.count; i++) {
    int64_t number = receive(link);
    if (number != i && work.size >= sizeof i) peer_fail("a message is lost or out of order");
    if (i == 0) start = now_ns();
  }
  double seconds = (now_ns() - start) / 1e9, rate = (work.count - 1) / seconds;
  printf("{\"messagesPerSecond\":%.1f,\"bytesPerSecond\":%.1f,\"sent\":%lld,\"received\":%lld}\n", rate,
         rate * work.size, (long long)work.count, (long long)work.count);
  fflush(stdout);
}

// As deep as the queues of our own throughput benchmark.
static inline int peer_queue(size_t size) { return size <= 1024 ? 256 : size <= 65536 ? 64 : 10; }

// The first side pings or receives the stream and prints; the other one answers or sends. Returns 0.
static inline int peer_run(peer_work work, bool first, peer_send send, peer_receive receive, void *link) {
  if (work.throughput && first) peer_sink(work, receive, link);
  else if (work.throughput) peer_source(work, send, link);
  else if (first) peer_ping(work, send, receive, link);
  else peer_pong(work, send, receive, link);
  return 0;
}

// The other side leaves only when the first one has all it wants: what was sent may still lie with its sender. `done` is a
// pipe made before the fork; the first side closes its ends.
static inline void peer_wait_for_first(const int done[2]) {
  char byte;
  close(done[1]);
  if (read(done[0], &byte, 1) != 0) exit(1);
}

#endif
