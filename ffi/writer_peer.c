// Publishes on the edges of an output that JavaScript publishes on as well, for the test of dora_writer.h.
#include "dora_writer.h"

static dora_writer writer;
static dora_writer_edge edges[8];

int wp_open(const double *facts) {
  if (facts[0] > 8) return 0;
  dora_writer_open(&writer, edges, facts);
  return 1;
}

// A message of a head, a body, padding and an end mark; `chunk` as in a slot. -1: an edge is full; 1: somebody is to be woken.
int wp_send(const void *head, int head_bytes, const void *body, int body_bytes, int template, const void *parameters,
            int parameter_bytes, int chunk) {
  dora_message message = {head, body, parameters, 0, head_bytes, body_bytes, parameter_bytes, head_bytes, template, chunk};
  message.length = head_bytes + ((body_bytes + 7) & ~7) + 8;
  if (!dora_writer_ready(&writer)) return -1;
  dora_clock_stamp(writer.clock);
  return dora_writer_publish(&writer, &message);
}

// A stream as it is, of which nothing is known.
int wp_pass(const void *stream, int length) {
  dora_message message = {0, stream, 0, length, 0, length, 0, 0, 0, -1};
  if (!dora_writer_ready(&writer)) return -1;
  dora_clock_stamp(writer.clock);
  return dora_writer_publish(&writer, &message);
}
