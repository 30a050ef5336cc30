/* Operators in WebAssembly for dora-bun: the C side of wasm-abi.md. One source file of the module includes it.
 *
 *   clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -I <package>/ffi -o op.wasm op.c
 */
#ifndef DORA_WASM_H
#define DORA_WASM_H
#include <stddef.h>
#include <stdint.h>

#define DORA_EXPORT(name) __attribute__((export_name(#name), used))
#define DORA_IMPORT(name) __attribute__((import_module("dora"), import_name(#name)))

enum { DORA_CONTINUE = 0, DORA_STOP = 1, DORA_STOP_ALL = 2, DORA_ERROR = -1 };
enum { DORA_INPUT = 0, DORA_INPUT_CLOSED = 1, DORA_STOP_EVENT = 2, DORA_ERROR_EVENT = 3, DORA_INPUT_PARSE_ERROR = 4 };
enum {
  DORA_OTHER = 0,
  DORA_INT8, DORA_UINT8, DORA_INT16, DORA_UINT16, DORA_INT32, DORA_UINT32,
  DORA_INT64, DORA_UINT64, DORA_FLOAT16, DORA_FLOAT32, DORA_FLOAT64
};
enum { DORA_SENT = 0, DORA_NO_SUCH_OUTPUT = 1, DORA_BAD_DATA = 2, DORA_BAD_PARAMETERS = 3, DORA_REFUSED = 4 };
enum { DORA_LOG_ERROR = 1, DORA_LOG_WARN, DORA_LOG_INFO, DORA_LOG_DEBUG, DORA_LOG_TRACE };

/* Everything in it is the runtime's, and is overwritten by the next event. */
typedef struct {
  int32_t kind;
  const char *id; /* not terminated */
  uint32_t id_length;
  const uint8_t *data; /* the Arrow IPC stream, or the text of an error */
  uint32_t data_length;
  const char *parameters; /* JSON, or nothing */
  uint32_t parameters_length;
  int32_t type; /* of the elements, or DORA_OTHER */
  const void *elements;
  uint32_t length;
} dora_event;

DORA_IMPORT(send_output) int32_t dora_send_stream(const char *id, uint32_t id_length, const void *data, uint32_t length, const char *parameters, uint32_t parameters_length);
DORA_IMPORT(send_elements) int32_t dora_send_elements(const char *id, uint32_t id_length, int32_t type, const void *elements, uint32_t length, const char *parameters, uint32_t parameters_length);
DORA_IMPORT(log) void dora_log_text(int32_t level, const char *text, uint32_t length);
DORA_IMPORT(fail) void dora_fail_text(const char *text, uint32_t length);

static inline uint32_t dora_length(const char *text) {
  uint32_t n = 0;
  while (text[n]) n++;
  return n;
}

/* Sends elements of a primitive type. */
static inline int32_t dora_send(const char *id, int32_t type, const void *elements, uint32_t length) {
  return dora_send_elements(id, dora_length(id), type, elements, length, 0, 0);
}

/* Sends on what an event holds, parameters included. */
static inline int32_t dora_forward(const char *id, const dora_event *event) {
  return dora_send_stream(id, dora_length(id), event->data, event->data_length, event->parameters, event->parameters_length);
}

static inline void dora_log(int32_t level, const char *text) { dora_log_text(level, text, dora_length(text)); }

/* Says why; return what it returns. */
static inline int32_t dora_fail(const char *text) {
  dora_fail_text(text, dora_length(text));
  return DORA_ERROR;
}

static inline int dora_id_is(const dora_event *event, const char *id) {
  uint32_t n = dora_length(id);
  if (n != event->id_length) return 0;
  for (uint32_t i = 0; i < n; i++)
    if (id[i] != event->id[i]) return 0;
  return 1;
}

/* Memory at the end of the module's own, never given back. Define DORA_OWN_ALLOC to bring an allocator. */
#ifndef DORA_OWN_ALLOC
extern unsigned char __heap_base;

DORA_EXPORT(dora_alloc) void *dora_alloc(uint32_t size) {
  static uint32_t next;
  if (next == 0) next = ((uint32_t)(uintptr_t)&__heap_base + 15) & ~15u;
  uint32_t at = next, end = (at + size + 15) & ~15u;
  uint32_t have = (uint32_t)__builtin_wasm_memory_size(0) * 65536;
  if (end < at) return 0;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) / 65536) == (size_t)-1) return 0;
  next = end;
  return (void *)(uintptr_t)at;
}
#endif
#endif
