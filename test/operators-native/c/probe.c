/* An operator for tests: the name of an input says what to do with it. */
#include "dora_operator.h"
#include <pthread.h>
#include <stdio.h>
#include <signal.h>

typedef struct {
  long events, bytes;
  struct ArrowArray kept[64];
  int kept_count;
  pthread_t sender;
  int sending;
  const SendOutput_t *send_output;
} Probe;

DoraInitResult_t dora_init_operator(void) {
  DoraInitResult_t result;
  result.operator_context = calloc(1, sizeof(Probe));
  result.result.error = NULL;
  const char *wish = getenv("PROBE_INIT");
  if (wish && !strcmp(wish, "fail")) {
    free(result.operator_context);
    result.operator_context = NULL;
    result.result = dora_error("no state today");
  }
  return result;
}

DoraResult_t dora_drop_operator(void *operator_context) {
  Probe *probe = operator_context;
  DoraResult_t result = {NULL};
  const char *path = getenv("PROBE_DROPPED");
  if (probe->sending) pthread_join(probe->sender, NULL);
  if (path) {
    FILE *file = fopen(path, "w");
    fprintf(file, "dropped after %ld events", probe->events);
    fclose(file);
  }
  for (int i = 0; i < probe->kept_count; i++) probe->kept[i].release(&probe->kept[i]);
  free(probe);
  return result;
}

static DoraResult_t log_text(const SendOutput_t *send_output, const char *start, const uint8_t *rest, size_t length) {
  char text[1024];
  int n = snprintf(text, sizeof text, "%s%.*s", start, (int)length, (const char *)rest);
  return dora_send_operator_output(send_output, "log", (const uint8_t *)text, n);
}

/* The schema of an input is lent, so an echo needs one of its own: a copy that shares what the runtime keeps. */
static void release_copy(struct ArrowSchema *schema) { schema->release = NULL; }

static DoraResult_t echo(Probe *probe, Input_t *input, const SendOutput_t *send_output) {
  struct ArrowArray array;
  struct ArrowSchema schema = input->schema;
  (void)probe;
  schema.release = release_copy;
  dora_take_array(input, &array);
  return dora_send_operator_array(send_output, "out", &array, &schema);
}

/* An echo under the context of its input. */
static DoraResult_t traced(Input_t *input, const SendOutput_t *send_output) {
  Output_t output;
  output.id = dora_copy_bytes("out", 3);
  output.metadata.open_telemetry_context = dora_copy_bytes(input->metadata.open_telemetry_context.ptr, input->metadata.open_telemetry_context.len);
  output.schema = input->schema;
  output.schema.release = release_copy;
  dora_take_array(input, &output.data_array);
  return send_output->call(send_output->env, output);
}

static void *send_later(void *context) {
  Probe *probe = context;
  for (int i = 0; i < 1000; i++) {
    DoraResult_t result = dora_send_operator_elements(probe->send_output, "out", "i", &i, 1, sizeof i);
    dora_free_error(result);
  }
  return NULL;
}

static OnEventResult_t on_input(Probe *probe, Input_t *input, const SendOutput_t *send_output) {
  OnEventResult_t answer = dora_answer(DORA_STATUS_CONTINUE);
  if (dora_input_is(input, "ignore")) return answer;
  if (dora_input_is(input, "read")) {
    Vec_uint8_t data = dora_read_data(input);
    for (size_t i = 0; i < data.len; i++) probe->bytes += data.ptr[i];
    dora_free_data(data);
  } else if (dora_input_is(input, "bytes")) {
    Vec_uint8_t data = dora_read_data(input);
    answer.result = dora_send_operator_output(send_output, "out", data.ptr, data.len);
    dora_free_data(data);
  } else if (dora_input_is(input, "echo")) answer.result = echo(probe, input, send_output);
  else if (dora_input_is(input, "traced")) answer.result = traced(input, send_output);
  else if (dora_input_is(input, "context"))
    answer.result = log_text(send_output, "", input->metadata.open_telemetry_context.ptr, input->metadata.open_telemetry_context.len);
  else if (dora_input_is(input, "keep")) dora_take_array(input, &probe->kept[probe->kept_count++]);
  else if (dora_input_is(input, "let-go")) {
    for (int i = 0; i < probe->kept_count; i++) probe->kept[i].release(&probe->kept[i]);
    probe->kept_count = 0;
  } else if (dora_input_is(input, "send-later")) {
    probe->send_output = send_output;
    probe->sending = !pthread_create(&probe->sender, NULL, send_later, probe);
  } else if (dora_input_is(input, "odd-status")) answer.status = 77;
  else if (dora_input_is(input, "fail")) answer.result = dora_error("the operator says no");
  else if (dora_input_is(input, "stop")) answer.status = DORA_STATUS_STOP;
  else if (dora_input_is(input, "stop-all")) answer.status = DORA_STATUS_STOP_ALL;
  else if (dora_input_is(input, "exit")) exit(7);
  else if (dora_input_is(input, "abort")) abort();
  else if (dora_input_is(input, "segfault")) raise(SIGSEGV);
  return answer;
}

OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *operator_context) {
  Probe *probe = operator_context;
  OnEventResult_t answer = dora_answer(DORA_STATUS_CONTINUE);
  probe->events++;
  if (event->input) return on_input(probe, event->input, send_output);
  if (event->input_closed.ptr) answer.result = log_text(send_output, "closed ", event->input_closed.ptr, event->input_closed.len);
  else if (event->stop) {
    answer.result = log_text(send_output, "stop", NULL, 0);
    answer.status = DORA_STATUS_STOP;
  } else if (event->error.ptr) answer.result = log_text(send_output, "error: ", event->error.ptr, event->error.len);
  return answer;
}
