// What the machine itself takes to run an operator library: calls it with the same structs as the runtime, and copies what it
// sends into a ring whose consumer never takes, so that the oldest message always gives way; large outputs into two chunks in turns.
//   operator-caller LIBRARY INPUT BYTES EVENTS     prints nanoseconds for each event, and what was exported and released
#include "../ffi/dora_operator.h"
#include "../ffi/dora_shm.h"
#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

// Small bodies lie in several places, a quarter of a page apart: how long a copy of 4 KB takes depends on it, by half.
enum { HEADER = 320, SLOTS = 16, QUEUE = 10, INLINE = 5120, CHUNKS = 2, ROUNDS = 7, PLACES = 4, PAGE = 4096 };
static char header[HEADER];
static dora_inbox inbox;
static dora_edge edge;
static char *chunks[CHUNKS];
static size_t chunk_bytes;
static unsigned long exports, releases, outputs;
static volatile int released;
// What every output of an operator carries, as in the ring: one parameter, an empty context.
static const char parameters[] = "\1\026open_telemetry_context\2\0";
static uint32_t stamp;

static void release_input(struct ArrowArray *array) {
  array->release = NULL;
  released = 1;
}

static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static void free_text(Vec_uint8_t text) {
  if (text.cap) free(text.ptr);
}

static void write_stream(char *at, const void *body, size_t length) {
  size_t padded = (length + 7) & ~(size_t)7;
  memcpy(at, header, HEADER);
  memcpy(at + HEADER, body, length);
  memset(at + HEADER + length, 0, padded - length);
  memcpy(at + HEADER + padded, "\xff\xff\xff\xff\0\0\0\0", 8);
}

static void publish(const void *body, size_t length) {
  size_t total = HEADER + ((length + 7) & ~(size_t)7) + 8;
  while ((uint32_t)(edge.at - edge.tail) >= edge.queue_size) {
    int32_t tail = atomic_load(&edge.ring[DORA_TAIL_WORD]);
    if ((uint32_t)(edge.at - tail) >= edge.queue_size && atomic_compare_exchange_strong(&edge.ring[DORA_TAIL_WORD], &tail, tail + 1)) tail++;
    edge.tail = tail;
  }
  int32_t *slot = (int32_t *)dora_slot(&edge, edge.at);
  int32_t chunk = -1;
  if (total > INLINE) {
    chunk = (int32_t)((uint32_t)edge.at % CHUNKS);
    write_stream(chunks[chunk], body, length);
  } else write_stream((char *)slot + DORA_SLOT_HEADER_BYTES, body, length);
  slot[DORA_LENGTH_WORD] = (int32_t)total;
  slot[DORA_CHUNK_WORD] = chunk;
  slot[DORA_TEMPLATE_WORD] = 1;
  if (chunk < 0) memcpy((char *)slot + DORA_SLOT_HEADER_BYTES + total, parameters, sizeof parameters);
  else memcpy(chunks[chunk] + total, parameters, sizeof parameters);
  slot[DORA_PARAMETERS_WORD] = sizeof parameters;
  slot[DORA_SECONDS_WORD] = 1;
  slot[DORA_FRACTION_WORD] = (int32_t)++stamp;
  slot[DORA_OFFSET_WORD] = 0;
  slot[DORA_HEADER_LENGTH_WORD] = HEADER;
  atomic_store((dora_word *)&slot[DORA_SEQ_WORD], ++edge.at);
  atomic_store_explicit(&edge.ring[DORA_HEAD_WORD], edge.at, memory_order_relaxed);
  dora_wake(&inbox);
}

static DoraResult_t take_output(void *env, Output_t output) {
  DoraResult_t result = {NULL};
  (void)env;
  if (output.id.len == 3 && !memcmp(output.id.ptr, "out", 3) && !strcmp(output.schema.format, "C") && output.data_array.n_buffers == 2) {
    publish((const char *)output.data_array.buffers[1] + output.data_array.offset, (size_t)output.data_array.length);
    outputs++;
  } else result = dora_error("not an output of this benchmark");
  if (output.data_array.release) output.data_array.release(&output.data_array);
  if (output.schema.release) output.schema.release(&output.schema);
  free_text(output.id);
  free_text(output.metadata.open_telemetry_context);
  return result;
}

static void keep(void *env) { (void)env; }

static void make_ring(void) {
  size_t slot = (DORA_SLOT_HEADER_BYTES + INLINE + DORA_LINE_BYTES - 1) / DORA_LINE_BYTES * DORA_LINE_BYTES;
  inbox.words = aligned_alloc(4096, 4096 + 4096 + SLOTS * slot + 4096);
  inbox.wake_fd = -1;
  memset((void *)inbox.words, 0, 4096 + 4096 + SLOTS * slot);
  dora_word *ring = inbox.words + 1024;
  atomic_store(&ring[DORA_SLOTS_WORD], SLOTS);
  atomic_store(&ring[DORA_QUEUE_SIZE_WORD], QUEUE);
  atomic_store(&ring[DORA_INLINE_BYTES_WORD], INLINE);
  dora_open_edge(&edge, &inbox, 4096, true);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  void *library = dlopen(argv[1], RTLD_LAZY);
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 3;
  DoraInitResult_t (*init)(void) = (DoraInitResult_t(*)(void))dlsym(library, "dora_init_operator");
  DoraResult_t (*drop)(void *) = (DoraResult_t(*)(void *))dlsym(library, "dora_drop_operator");
  OnEventResult_t (*on_event)(RawEvent_t *, const SendOutput_t *, void *) =
      (OnEventResult_t(*)(RawEvent_t *, const SendOutput_t *, void *))dlsym(library, "dora_on_event");
  if (!init || !drop || !on_event) return 4;
  size_t bytes = strtoull(argv[3], NULL, 10);
  long events = atol(argv[4]);
  make_ring();
  chunk_bytes = HEADER + bytes + 128;
  for (int i = 0; i < CHUNKS; i++) chunks[i] = calloc(1, chunk_bytes);
  char *bodies[PLACES];
  size_t step = (bytes + PAGE - 1) / PAGE * PAGE + PAGE / PLACES;
  bodies[0] = aligned_alloc(PAGE, (PLACES * step / PAGE + 1) * PAGE);
  memset(bodies[0], 7, PLACES * step);
  for (int i = 1; i < PLACES; i++) bodies[i] = bytes > PAGE ? bodies[0] : bodies[0] + i * step;
  DoraInitResult_t made = init();
  if (made.result.error) return 5;
  SendOutput_t send_output = {&edge, take_output, keep, keep};
  Input_t input;
  RawEvent_t event;
  const void *buffers[2];
  memset(&input, 0, sizeof input);
  memset(&event, 0, sizeof event);
  input.id = dora_copy_bytes(argv[2], strlen(argv[2]));
  input.metadata.open_telemetry_context = dora_copy_bytes("", 0);
  input.schema.format = "C";
  input.schema.name = "data";
  input.schema.flags = ARROW_FLAG_NULLABLE;
  input.schema.release = release_schema;
  double best = 1e300;
  for (int round = 0; round < ROUNDS; round++) {
    double began = now();
    for (long i = 0; i < events; i++) {
      buffers[0] = NULL;
      buffers[1] = bytes ? bodies[i % PLACES] : NULL;
      input.data_array = (struct ArrowArray){(int64_t)bytes, 0, 0, 2, 0, buffers, NULL, NULL, release_input, NULL};
      input.has_data = 1;
      released = 0;
      exports++;
      event.input = &input;
      OnEventResult_t result = on_event(&event, &send_output, made.operator_context);
      if (result.result.error) return fprintf(stderr, "%.*s\n", (int)result.result.error->len, (char *)result.result.error->ptr), 6;
      if (input.has_data) input.data_array.release(&input.data_array);
      releases += released;
      if (result.status != DORA_STATUS_CONTINUE) return 7;
    }
    double took = (now() - began) / events;
    if (took < best) best = took;
  }
  drop(made.operator_context);
  printf("{\"ns\":%.2f,\"exports\":%lu,\"releases\":%lu,\"outputs\":%lu}\n", best, exports, releases, outputs);
  return 0;
}
