/* An operator that sends damaged arrays and schemas: each input holds a seed (uint32), and the output is a random column with up to
 * three things wrong. Every pointer leads to memory that exists, since a wild one can't be detected; everything else may be off.
 * Input "report": sends how many structs were released too often or too rarely. */
#define _GNU_SOURCE
#include "dora_operator.h"
#include <sys/mman.h>
#include <stdio.h>

enum { SLOTS = 4200, NODES = 24 };
/* What buffers point to: so much address space that no length that passes the checks leads out of it. */
static const size_t REGION = (size_t)96 << 30;
static uint8_t *region;

typedef struct {
  struct ArrowArray arrays[NODES];
  struct ArrowSchema schemas[NODES];
  const void *buffers[NODES][8];
  struct ArrowArray *array_children[NODES][2];
  struct ArrowSchema *schema_children[NODES][2];
  const void **many_buffers;
  void **many_children;
  char format[32];
  int nodes, array_released, schema_released, expect_array, expect_schema;
} Message;

static uint32_t state;
static long wrong, sent, refused;
static uint32_t next(uint32_t below) {
  state = state * 1664525u + 1013904223u;
  return (uint32_t)(((uint64_t)(state >> 4) * below) >> 28);
}

static void release_array(struct ArrowArray *array) {
  Message *message = array->private_data;
  if (++message->array_released > 1) wrong++;
  array->release = NULL;
}
static void release_schema(struct ArrowSchema *schema) {
  Message *message = schema->private_data;
  if (++message->schema_released > 1) wrong++;
  schema->release = NULL;
}
/* Children are released with their parent; who calls this has done so too often, but it may. */
static void release_child_array(struct ArrowArray *array) { array->release = NULL; }
static void release_child_schema(struct ArrowSchema *schema) { schema->release = NULL; }

static const char *const flats[] = {"c", "C", "s", "S", "i", "I", "l", "L", "e", "f", "g", "b", "u", "U", "z", "Z", "n", "w:5", "w:0",
                                    "vu", "vz", "d:10,2", "d:40,2,256", "tdD", "tsu:UTC", "tiM", "tin", "tDn"};

static int add(Message *message, int depth, int64_t rows) {
  int at = message->nodes++, kind = depth && message->nodes < NODES - 3 ? (int)next(9) : 0;
  struct ArrowArray *array = message->arrays + at;
  struct ArrowSchema *schema = message->schemas + at;
  array->length = rows;
  array->buffers = message->buffers[at];
  array->release = at ? release_child_array : release_array;
  array->private_data = message;
  schema->name = next(3) ? "name" : NULL;
  schema->flags = next(8);
  schema->release = at ? release_child_schema : release_schema;
  schema->private_data = message;
  schema->format = flats[next(sizeof flats / sizeof *flats)];
  for (int i = 0; i < 8; i++) message->buffers[at][i] = region + next(64) * 64;
  array->null_count = next(2) ? 0 : next(3) ? -1 : (int64_t)next((uint32_t)rows + 1);
  char first = schema->format[0];
  array->n_buffers = first == 'u' || first == 'U' || first == 'z' || first == 'Z' ? 3 : first == 'n' ? 0 : 2;
  if (first == 'v') array->n_buffers = 3 + next(3);
  static const char *const nested[] = {"", "", "", "+l", "+L", "+s", "+w:2", "+us:0,1", "+ud:0,1"};
  if (kind < 3) {
    if (kind == 2 && depth) {
      schema->format = "i";
      array->n_buffers = 2;
      int values = add(message, 0, rows);
      array->dictionary = message->arrays + values;
      schema->dictionary = message->schemas + values;
    }
    return at;
  }
  schema->format = nested[kind];
  array->n_buffers = kind < 5 ? 2 : kind == 7 ? 1 : kind == 8 ? 2 : 1;
  array->n_children = schema->n_children = kind < 5 || kind == 6 ? 1 : 2;
  array->children = message->array_children[at];
  schema->children = message->schema_children[at];
  for (int i = 0; i < array->n_children; i++) {
    int child = add(message, depth - 1, kind == 6 ? rows * 2 : rows + 20);
    array->children[i] = message->arrays + child;
    schema->children[i] = message->schemas + child;
  }
  return at;
}

static int64_t odd_number(void) {
  static const int64_t odd[] = {-1, 0, 1, 2, 7, 100, 65536, 0x80000000ll, -2147483648ll, 1ll << 40, INT64_MAX, INT64_MIN};
  /* As many rows as there may be: counting their nulls takes a while. */
  if (!next(500)) return 0x7fffffff;
  return next(4) ? odd[next(sizeof odd / sizeof *odd)] : (int64_t)next(50);
}

/* Counts may lead beyond an array of pointers, so the arrays are long where they do. */
static void count_anew(Message *message, struct ArrowArray *array, struct ArrowSchema *schema) {
  int64_t count = next(2) ? odd_number() : (int64_t)next(SLOTS - 8);
  if (count > SLOTS - 8 && next(2)) count = next(6);
  if (!message->many_buffers) {
    message->many_buffers = calloc(SLOTS, sizeof(void *));
    message->many_children = calloc(SLOTS, sizeof(void *));
    for (int i = 0; i < SLOTS; i++) message->many_buffers[i] = next(3) ? region + next(64) * 64 : NULL;
  }
  switch (next(3)) {
    case 0:
      array->n_buffers = count;
      array->buffers = message->many_buffers;
      break;
    case 1:
      array->n_children = count;
      array->children = (struct ArrowArray **)message->many_children;
      break;
    default:
      schema->n_children = count;
      schema->children = (struct ArrowSchema **)message->many_children;
  }
}

static void damage(Message *message) {
  int at = next(message->nodes);
  struct ArrowArray *array = message->arrays + at;
  struct ArrowSchema *schema = message->schemas + at;
  switch (next(17)) {
    case 0: array->length = odd_number(); break;
    case 1: array->offset = odd_number(); break;
    case 2: array->null_count = odd_number(); break;
    case 3: count_anew(message, array, schema); break;
    case 4: array->buffers = NULL; break;
    case 5: message->buffers[at][next(3)] = NULL; break;
    case 6: array->children = NULL; break;
    case 7: message->array_children[at][0] = NULL; break;
    case 8: schema->children = NULL; break;
    case 9: message->schema_children[at][0] = NULL; break;
    case 10: array->dictionary = array->dictionary ? NULL : message->arrays; break;
    case 11: schema->dictionary = schema->dictionary ? NULL : message->schemas; break;
    case 12:
      for (int i = 0; i < 31; i++) message->format[i] = next(5) ? "+lLswuvdt:,0129CZ"[next(17)] : (char)(1 + next(254));
      message->format[next(31)] = 0;
      schema->format = next(10) ? message->format : NULL;
      break;
    case 13: schema->metadata = (const char *)region + next(4096); break;
    case 14:
      /* A circle. */
      if (schema->n_children > 0) message->schema_children[at][0] = message->schemas;
      if (array->n_children > 0) message->array_children[at][0] = message->arrays;
      break;
    case 15:
      array->release = NULL;
      if (!at) message->expect_array = 0;
      break;
    default:
      schema->release = NULL;
      if (!at) message->expect_schema = 0;
  }
}

static void attack(const SendOutput_t *send_output, uint32_t seed) {
  static Message *messages[4];
  static int turn;
  Message *message = messages[turn] ? messages[turn] : (messages[turn] = calloc(1, sizeof *message));
  turn = (turn + 1) & 3;
  /* What it stood for last time is long over. */
  if (message->nodes && (message->array_released != message->expect_array || message->schema_released != message->expect_schema)) wrong++;
  free(message->many_buffers);
  free(message->many_children);
  memset(message, 0, sizeof *message);
  state = seed * 2654435761u;
  message->expect_array = message->expect_schema = 1;
  add(message, 3, next(40));
  for (uint32_t i = next(4); i > 0; i--) damage(message);
  Output_t output;
  char id[8];
  for (int i = 0; i < 8; i++) id[i] = (char)(1 + next(255));
  output.id = next(20) ? dora_copy_bytes("out", 3) : dora_copy_bytes(id, next(8));
  output.metadata.open_telemetry_context = next(4) ? dora_copy_bytes("", 0) : dora_copy_bytes(id, 5);
  output.data_array = message->arrays[0];
  output.schema = message->schemas[0];
  DoraResult_t result = send_output->call(send_output->env, output);
  if (result.error) refused++;
  else sent++;
  dora_free_error(result);
  /* Collected ones are released after the call, and looked at when the next event comes. */
}

DoraInitResult_t dora_init_operator(void) {
  DoraInitResult_t result = {{NULL}, &state};
  region = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) result.result = dora_error("no address space");
  /* Rising offsets, of both widths. */
  else for (int i = 0; i < 4096; i++) ((int32_t *)region)[i] = i < 2048 ? i / 2 : 0;
  return result;
}

DoraResult_t dora_drop_operator(void *operator_context) {
  DoraResult_t result = {NULL};
  (void)operator_context;
  munmap(region, REGION);
  return result;
}

OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *operator_context) {
  OnEventResult_t answer = dora_answer(DORA_STATUS_CONTINUE);
  (void)operator_context;
  if (!event->input) return answer;
  if (dora_input_is(event->input, "report")) {
    char text[100];
    int length = snprintf(text, sizeof text, "%ld wrong, %ld sent, %ld refused", wrong, sent, refused);
    answer.result = dora_send_operator_output(send_output, "log", (uint8_t *)text, (size_t)length);
    return answer;
  }
  struct ArrowArray array;
  if (!dora_take_array(event->input, &array)) return answer;
  if (array.length) attack(send_output, *(const uint32_t *)array.buffers[1]);
  array.release(&array);
  return answer;
}
