// The operator in C that the benchmark calls, in the style of a first C operator: copies of id and data, released again.
#include "dora_operator.h"

typedef struct {
  unsigned long events, bytes;
} Count;

DoraInitResult_t dora_init_operator(void) {
  DoraInitResult_t result = {{NULL}, calloc(1, sizeof(Count))};
  return result;
}

DoraResult_t dora_drop_operator(void *operator_context) {
  DoraResult_t result = {NULL};
  free(operator_context);
  return result;
}

OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *operator_context) {
  OnEventResult_t answer = dora_answer(DORA_STATUS_CONTINUE);
  Count *count = operator_context;
  if (!event->input) return answer;
  char *id = dora_read_input_id(event->input);
  Vec_uint8_t data = dora_read_data(event->input);
  count->events++;
  count->bytes += data.len;
  if (!strcmp(id, "echo")) answer.result = dora_send_operator_output(send_output, "out", data.ptr, data.len);
  dora_free_data(data);
  dora_free_input_id(id);
  return answer;
}
