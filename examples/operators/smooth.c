/* The mean of each sample and its neighbours takes the spikes off. */
#include "dora_operator.h"

enum { REACH = 4, MOST = 1024 };

DoraInitResult_t dora_init_operator(void) {
  DoraInitResult_t result = {{NULL}, NULL};
  return result;
}

DoraResult_t dora_drop_operator(void *context) {
  DoraResult_t result = {NULL};
  (void)context;
  return result;
}

OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *context) {
  OnEventResult_t answer = {{NULL}, DORA_STATUS_CONTINUE};
  struct ArrowArray window;
  float smooth[MOST];
  (void)context;
  if (!event->input) return answer;
  if (strcmp(event->input->schema.format, "f") != 0 || !dora_take_array(event->input, &window)) {
    answer.result = dora_error("a window must be float32");
    return answer;
  }
  const float *samples = (const float *)window.buffers[1] + window.offset;
  int64_t length = window.length < MOST ? window.length : MOST;
  for (int64_t i = 0; i < length; i++) {
    int64_t from = i > REACH ? i - REACH : 0, to = i + REACH < length ? i + REACH : length - 1;
    float sum = 0;
    for (int64_t j = from; j <= to; j++) sum += samples[j];
    smooth[i] = sum / (float)(to - from + 1);
  }
  answer.result = dora_send_operator_elements(send_output, "window", "f", smooth, length, sizeof(float));
  window.release(&window);
  return answer;
}
