/* Twice as loud, and no louder than one. */
#include "dora_wasm.h"

enum { MOST = 1024 };

DORA_EXPORT(dora_init_operator) int32_t dora_init_operator(void) { return 0; }

DORA_EXPORT(dora_on_event) int32_t dora_on_event(const dora_event *event) {
  static float louder[MOST];
  const float *samples = event->elements;
  if (event->kind != DORA_INPUT) return DORA_CONTINUE;
  if (event->type != DORA_FLOAT32 || event->length > MOST) return dora_fail("a window must be float32, of at most 1024");
  for (uint32_t i = 0; i < event->length; i++) {
    float value = 2 * samples[i];
    louder[i] = value > 1 ? 1 : value < -1 ? -1 : value;
  }
  return dora_send("window", DORA_FLOAT32, louder, event->length) == DORA_SENT ? DORA_CONTINUE : DORA_ERROR;
}
