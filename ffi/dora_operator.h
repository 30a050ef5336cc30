/* Operators in C and C++: one header, nothing to link.
 *
 *   cc  -shared -fPIC -o libcount.so count.c        shared-library: count
 *   c++ -shared -fPIC -o libcount.so count.cpp
 *
 * The three functions that an operator defines are declared below; everything else here helps to write them. It is dora's operator
 * ABI, from 0.3.3 to 1.1, so the result also loads into official dora. 64-bit, POSIX.
 *
 * Rules
 * - All three are called on one thread, one at a time. Nothing is called after dora_drop_operator.
 * - Ids, contexts and texts of an event are lent for the call. Arrays are yours once you take them: release them, when you like and
 *   on any thread.
 * - What you give to the runtime (error texts, outputs) is the runtime's: it frees with free() and calls the release callbacks.
 * - Exceptions must not leave these functions.
 */
#ifndef DORA_OPERATOR_H
#define DORA_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Arrow's C data interface ------------------------------------------------------------------------------------------ */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char *format, *name, *metadata;
  int64_t flags, n_children;
  struct ArrowSchema **children, *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  struct ArrowArray **children, *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};
#endif

/* --- the ABI ------------------------------------------------------------------------------------------------------------- */
/** Bytes or UTF-8. Where it may be absent, absent is a null pointer; empty is any other pointer with length 0. */
typedef struct Vec_uint8 {
  uint8_t *ptr;
  size_t len, cap;
} Vec_uint8_t;

/** Null: success. Otherwise box and bytes are from malloc, and whoever gets them frees them. */
typedef struct DoraResult {
  Vec_uint8_t *error;
} DoraResult_t;

typedef struct DoraInitResult {
  DoraResult_t result;
  void *operator_context;
} DoraInitResult_t;

typedef uint8_t DoraStatus_t;
enum { DORA_STATUS_CONTINUE = 0, DORA_STATUS_STOP = 1, DORA_STATUS_STOP_ALL = 2 };

typedef struct OnEventResult {
  DoraResult_t result;
  DoraStatus_t status;
} OnEventResult_t;

typedef struct Metadata {
  Vec_uint8_t open_telemetry_context;
} Metadata_t;

/** A message. `has_data` is 1 until the array was taken. */
typedef struct Input {
  uint64_t has_data;
  struct ArrowArray data_array;
  Vec_uint8_t id;
  Metadata_t metadata;
  struct ArrowSchema schema;
} Input_t;

/** Exactly one of the four is set. */
typedef struct RawEvent {
  Input_t *input;
  Vec_uint8_t input_closed;
  bool stop;
  Vec_uint8_t error;
} RawEvent_t;

typedef struct Output {
  Vec_uint8_t id;
  Metadata_t metadata;
  struct ArrowArray data_array;
  struct ArrowSchema schema;
} Output_t;

/** How an operator sends; good from dora_init_operator to dora_drop_operator, on any thread. */
typedef struct SendOutput {
  void *env;
  DoraResult_t (*call)(void *env, Output_t output);
  void (*release)(void *env);
  void (*retain)(void *env);
} SendOutput_t;

#if defined(__GNUC__)
#define DORA_EXPORT __attribute__((visibility("default")))
#else
#define DORA_EXPORT
#endif

/* --- what an operator defines ------------------------------------------------------------------------------------------ */
/** Makes the operator's state. On an error dora_drop_operator is not called. */
DORA_EXPORT DoraInitResult_t dora_init_operator(void);
/** Frees it. */
DORA_EXPORT DoraResult_t dora_drop_operator(void *operator_context);
/** Handles one event. An error ends the node, whatever the status says. */
DORA_EXPORT OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *operator_context);

/* --- helpers: texts ----------------------------------------------------------------------------------------------------- */
#if defined(__GNUC__)
#define DORA_HELPER static inline __attribute__((unused))
#else
#define DORA_HELPER static inline
#endif

/** A copy of some bytes, from malloc. */
DORA_HELPER Vec_uint8_t dora_copy_bytes(const void *bytes, size_t length) {
  Vec_uint8_t made;
  made.ptr = length ? (uint8_t *)malloc(length) : (uint8_t *)1;
  if (length) memcpy(made.ptr, bytes, length);
  made.len = made.cap = length;
  return made;
}

/** An error with this text. */
DORA_HELPER DoraResult_t dora_error(const char *text) {
  DoraResult_t result;
  result.error = (Vec_uint8_t *)malloc(sizeof *result.error);
  *result.error = dora_copy_bytes(text, strlen(text));
  return result;
}

/** Frees an error that is not passed on. */
DORA_HELPER void dora_free_error(DoraResult_t result) {
  if (!result.error) return;
  if (result.error->cap) free(result.error->ptr);
  free(result.error);
}

/** What dora_on_event returns when all is well. */
DORA_HELPER OnEventResult_t dora_answer(DoraStatus_t status) {
  OnEventResult_t result;
  memset(&result, 0, sizeof result);
  result.status = status;
  return result;
}

/** Is this the input of that name? Quicker than dora_read_input_id. */
DORA_HELPER bool dora_input_is(const Input_t *input, const char *id) {
  return input->id.len == strlen(id) && !memcmp(input->id.ptr, id, input->id.len);
}

/** The id of an input, closed by a zero byte, for dora_free_input_id. */
DORA_HELPER char *dora_read_input_id(const Input_t *input) {
  char *id = (char *)malloc(input->id.len + 1);
  memcpy(id, input->id.ptr, input->id.len);
  id[input->id.len] = 0;
  return id;
}

DORA_HELPER void dora_free_input_id(char *id) { free(id); }

/* --- helpers: data ------------------------------------------------------------------------------------------------------ */
/** Takes the array of an input, without a copy; false when it was taken already. Call array->release(array) when done with it. */
DORA_HELPER bool dora_take_array(Input_t *input, struct ArrowArray *array) {
  if (!input->has_data) return false;
  *array = input->data_array;
  input->has_data = 0;
  return true;
}

/** A copy of the bytes of an input of type UInt8, for dora_free_data; `ptr` is null for any other, or with nulls. Takes the array. */
DORA_HELPER Vec_uint8_t dora_read_data(Input_t *input) {
  Vec_uint8_t none = {0, 0, 0}, data;
  struct ArrowArray array;
  if (!dora_take_array(input, &array)) return none;
  if (strcmp(input->schema.format, "C") || input->schema.dictionary || array.null_count > 0) data = none;
  else data = dora_copy_bytes(array.length ? (const uint8_t *)array.buffers[1] + array.offset : NULL, array.length);
  if (array.release) array.release(&array);
  return data;
}

DORA_HELPER void dora_free_data(Vec_uint8_t data) {
  if (data.ptr && data.cap) free(data.ptr);
}

/* --- helpers: outputs --------------------------------------------------------------------------------------------------- */
/** Sends any array. Both structs belong to the runtime afterwards, also when it returns an error. */
DORA_HELPER DoraResult_t dora_send_operator_array(const SendOutput_t *send_output, const char *id, const struct ArrowArray *array,
                                                  const struct ArrowSchema *schema) {
  Output_t output;
  output.id = dora_copy_bytes(id, strlen(id));
  output.metadata.open_telemetry_context = dora_copy_bytes("", 0);
  output.data_array = *array;
  output.schema = *schema;
  return send_output->call(send_output->env, output);
}

DORA_HELPER void dora_release_plain_array(struct ArrowArray *array) {
  free(array->private_data);
  array->release = NULL;
}

DORA_HELPER void dora_release_plain_schema(struct ArrowSchema *schema) { schema->release = NULL; }

/** Sends elements of a type of fixed width; `format` is that of the C data interface: "C" uint8, "i" int32, "f" float, "g" double …
 *  They are copied. */
DORA_HELPER DoraResult_t dora_send_operator_elements(const SendOutput_t *send_output, const char *id, const char *format,
                                                     const void *elements, size_t count, size_t width) {
  struct ArrowArray array;
  struct ArrowSchema schema;
  const void **buffers = (const void **)malloc(2 * sizeof *buffers + count * width);
  memset(&array, 0, sizeof array);
  memset(&schema, 0, sizeof schema);
  buffers[0] = NULL;
  buffers[1] = buffers + 2;
  if (count) memcpy(buffers + 2, elements, count * width);
  array.length = (int64_t)count;
  array.n_buffers = 2;
  array.buffers = buffers;
  array.private_data = buffers;
  array.release = dora_release_plain_array;
  schema.format = format;
  schema.name = "";
  schema.flags = ARROW_FLAG_NULLABLE;
  schema.release = dora_release_plain_schema;
  return dora_send_operator_array(send_output, id, &array, &schema);
}

/** Sends bytes, as UInt8. They are copied. */
DORA_HELPER DoraResult_t dora_send_operator_output(const SendOutput_t *send_output, const char *id, const uint8_t *data, size_t length) {
  return dora_send_operator_elements(send_output, id, "C", data, length, 1);
}

#ifdef __cplusplus
}
#endif
#endif
