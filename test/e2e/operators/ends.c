/* An operator that ends its process at the first input, in the way that the variable HOW says. */
#include "dora_operator.h"

DoraInitResult_t dora_init_operator(void) {
  DoraInitResult_t result = {{NULL}, malloc(1)};
  const char *how = getenv("HOW");
  if (how && !strcmp(how, "init")) abort();
  return result;
}

DoraResult_t dora_drop_operator(void *context) {
  DoraResult_t result = {NULL};
  const char *how = getenv("HOW");
  if (how && !strcmp(how, "drop")) abort();
  free(context);
  return result;
}

OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *context) {
  OnEventResult_t result = {{NULL}, 0};
  const char *how = getenv("HOW");
  (void)send_output, (void)context;
  if (!how || !event->input) return result;
  if (!strcmp(how, "segfault")) *(volatile int *)8 = 1;
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "exit")) exit(7);
  if (!strcmp(how, "loop")) for (;;) __asm__ volatile("");
  return result;
}
