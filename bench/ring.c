// What the ring costs without JavaScript: two C processes that spin, with both ends of an edge from ffi/dora_shm.h.
//   cc -O2 -o ring bench/ring.c && ./ring pingpong 200000 64 && ./ring stream 3000000 64
// Messages are copied in and out of the slot at every size (ours go through a chunk above 1 KiB). `pingpong` prints round
// trip times as bench/floor.c does, `stream` messages per second with nothing lost; both check the numbers they receive.
#include "../ffi/dora_shm.h"
#include "measure.h"
#include <signal.h>
#include <sys/wait.h>

enum { WARM_UP_SHARE = 5, PINGPONG_QUEUE = 10, STREAM_QUEUE = 256 };

typedef struct {
  dora_inbox inbox;
  dora_edge edge;
  char *message;
  int32_t size;
} side;

static uint32_t slots_for(uint32_t queue) {
  uint32_t slots = 1;
  while (slots < queue) slots *= 2;
  return slots;
}

// An inbox with one ring, in memory that the fork shares.
static int32_t *make_inbox(uint32_t queue, uint32_t inline_bytes) {
  uint32_t slots = slots_for(queue);
  uint32_t slot = (DORA_SLOT_HEADER_BYTES + inline_bytes + DORA_LINE_BYTES - 1) / DORA_LINE_BYTES * DORA_LINE_BYTES;
  size_t bytes = 4096 + DORA_RING_HEADER_BYTES + (size_t)slots * slot;
  int32_t *words = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (words == MAP_FAILED) exit(1);
  int32_t *ring = words + 1024;
  ring[DORA_SLOTS_WORD] = slots;
  ring[DORA_QUEUE_SIZE_WORD] = queue;
  ring[DORA_INLINE_BYTES_WORD] = inline_bytes;
  ring[DORA_POLICY_WORD] = 1;
  for (uint32_t i = 0; i < slots; i++)
    *(int32_t *)((char *)ring + DORA_RING_HEADER_BYTES + (size_t)i * slot) = (int32_t)(i + 1 - slots);
  return words;
}

static void open_side(side *side, int32_t *words, bool producer, int32_t size) {
  side->inbox = (dora_inbox){(dora_word *)words, -1};
  dora_open_edge(&side->edge, &side->inbox, 4096, producer);
  side->size = size;
  side->message = calloc(1, size);
}

static void publish(side *side, int32_t number) {
  memcpy(side->message, &number, sizeof number);
  while (!dora_publish(&side->edge, side->message, side->size)) {}
}

static int32_t take(side *side) {
  int32_t length, number;
  do length = dora_take(&side->edge, 0, side->message, side->size);
  while (length == -1);
  if (length != side->size) exit(3);
  memcpy(&number, side->message, sizeof number);
  return number;
}

static void pingpong(int rounds, side *out, side *in, bool answers) {
  int warm_up = rounds / WARM_UP_SHARE;
  if (answers) {
    for (int i = 0; i < warm_up + rounds; i++) publish(out, take(in));
    return;
  }
  int64_t *times = malloc((warm_up + rounds) * sizeof *times);
  int64_t start = now_ns(), before = start;
  int taken = 0;
  while (taken < warm_up + rounds && !is_over(start, before)) {
    publish(out, taken);
    if (take(in) != taken) exit(4);
    int64_t after = now_ns();
    times[taken++] = after - before;
    before = after;
  }
  print_warm("pingpong", times, taken, warm_up);
}

static void stream(int count, side *out, side *in, bool sends) {
  int64_t start = 0;
  for (int i = 0; i < count; i++) {
    if (sends) {
      publish(out, i);
      continue;
    }
    if (take(in) != i) exit(4);
    if (i == 0) start = now_ns();
  }
  if (!sends) printf("{\"mode\":\"stream\",\"messagesPerSecond\":%.1f,\"received\":%d}\n", (count - 1) * 1e9 / (now_ns() - start), count);
}

int main(int argc, char **argv) {
  bool streams = argc > 1 && !strcmp(argv[1], "stream");
  if (argc < 3 || (!streams && strcmp(argv[1], "pingpong"))) {
    fprintf(stderr, "usage: ring pingpong|stream ROUNDS [SIZE]\n");
    return 2;
  }
  int rounds = atoi(argv[2]), size = argc > 3 ? atoi(argv[3]) : 64;
  if (size < (int)sizeof(int32_t)) size = sizeof(int32_t);
  end_with(getppid(), SIGKILL);
  uint32_t queue = streams ? STREAM_QUEUE : PINGPONG_QUEUE;
  int32_t *there = make_inbox(queue, size), *back = make_inbox(queue, size);
  pid_t parent = getpid(), child = fork();
  if (child == 0) end_with(parent, SIGKILL);
  side out, in;
  open_side(&out, child ? there : back, true, size);
  open_side(&in, child ? back : there, false, size);
  if (streams) stream(rounds, &out, &in, child == 0);
  else pingpong(rounds, &out, &in, child == 0);
  int status = 0;
  if (child && !streams) kill(child, SIGKILL);
  if (child) wait(&status);
  return WIFEXITED(status) && WEXITSTATUS(status) ? 1 : 0;
}
