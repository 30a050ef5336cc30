/* An operator for tests: the name of an input says what to do with it. */
#include "dora_wasm.h"

static uint32_t events;

DORA_EXPORT(dora_init_operator) int32_t dora_init_operator(void) {
#ifdef FAIL_INIT
  return dora_fail("no state today");
#endif
  return 0;
}

DORA_EXPORT(dora_drop_operator) void dora_drop_operator(void) { dora_log(DORA_LOG_INFO, "dropped"); }

static int32_t transform(const dora_event *event) {
  const float *in = event->elements;
  float out[256];
  if (event->type != DORA_FLOAT32) return dora_fail("not float32");
  for (uint32_t i = 0; i < event->length && i < 256; i++) out[i] = 2 * in[i] + 1;
  return dora_send("out", DORA_FLOAT32, out, event->length);
}

/* Says what a send was answered. */
static int32_t tell(int32_t answer) { return dora_send("log", DORA_INT32, &answer, 1); }

static int32_t input(const dora_event *event) {
  events++;
  if (dora_id_is(event, "echo")) dora_forward("out", event);
  if (dora_id_is(event, "transform")) return transform(event) < 0 ? DORA_ERROR : DORA_CONTINUE;
  if (dora_id_is(event, "count")) dora_send("out", DORA_UINT32, &events, 1);
  if (dora_id_is(event, "stop")) return DORA_STOP;
  if (dora_id_is(event, "stop-all")) return DORA_STOP_ALL;
  if (dora_id_is(event, "odd-status")) return 77;
  if (dora_id_is(event, "fail")) return dora_fail("the operator says no");
  if (dora_id_is(event, "trap")) __builtin_trap();
  if (dora_id_is(event, "outside")) return tell(dora_send("out", DORA_FLOAT64, (void *)0xfffffff0u, 64));
  if (dora_id_is(event, "misaligned")) return tell(dora_send("out", DORA_FLOAT64, (void *)4, 2));
  if (dora_id_is(event, "nonsense")) return tell(dora_send_stream("out", 3, "nonsense", 8, 0, 0));
  if (dora_id_is(event, "undeclared")) return tell(dora_send("uot", DORA_UINT32, &events, 1));
  if (dora_id_is(event, "parameters"))
    return tell(dora_send_stream("out", 3, event->data, event->data_length, "{", 1));
  if (dora_id_is(event, "loop")) for (volatile int i = 0;; i++);
  if (dora_id_is(event, "greedy")) while (dora_alloc(1 << 24));
  return DORA_CONTINUE;
}

DORA_EXPORT(dora_on_event) int32_t dora_on_event(const dora_event *event) {
  if (event->kind == DORA_INPUT) return input(event);
  if (event->kind == DORA_INPUT_CLOSED) dora_log_text(DORA_LOG_INFO, event->id, event->id_length);
  if (event->kind == DORA_STOP_EVENT) dora_log(DORA_LOG_WARN, "stop");
  if (event->kind == DORA_INPUT_PARSE_ERROR || event->kind == DORA_ERROR_EVENT)
    dora_log_text(DORA_LOG_ERROR, (const char *)event->data, event->data_length);
  return DORA_CONTINUE;
}
