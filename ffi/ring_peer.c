// One end of an edge in C, for the test of the layout:
//   ring_peer take PID FD SIZE RING FD' SIZE'     adds up the numbers in the messages, prints count and sum
//   ring_peer publish PID FD SIZE RING COUNT      publishes standard input COUNT times, numbered
// FD' and SIZE' are the producer's inbox, to be woken when it waits for room. The number lies 16 bytes before the end.
#include "dora_shm.h"
#include <stdlib.h>

static char message[1 << 16];

int main(int argc, char **argv) {
  if (argc < 6) return 2;
  bool publish = !strcmp(argv[1], "publish");
  dora_inbox inbox;
  if (!dora_open_inbox(&inbox, atoi(argv[2]), atoi(argv[3]), atol(argv[4]), -1)) return 3;
  dora_edge edge;
  dora_open_edge(&edge, &inbox, atol(argv[5]), publish);
  if (publish) {
    int length = fread(message, 1, sizeof message, stdin), count = atoi(argv[6]);
    for (int32_t i = 0; i < count; i++) {
      memcpy(message + length - 16, &i, 4);
      while (!dora_publish(&edge, message, length));
    }
    dora_close(&edge);
    return 0;
  }
  dora_inbox producer;
  if (argc < 8 || !dora_open_inbox(&producer, atoi(argv[2]), atoi(argv[6]), atol(argv[7]), -1)) return 3;
  long count = 0, sum = 0;
  for (;;) {
    int32_t length = dora_take(&edge, &producer, message, sizeof message);
    if (length == -1) continue;
    if (length == -2) break;
    if (length < 0) return 4;
    int32_t number;
    memcpy(&number, message + length - 16, 4);
    count++;
    sum += number;
  }
  printf("%ld %ld\n", count, sum);
  return 0;
}
