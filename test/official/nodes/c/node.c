/* Nodes against the official C API, whose messages are bytes without parameters; the first argument says which one this process is. */
#define _POSIX_C_SOURCE 199309L
#include "node_api.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_INPUTS = 32, MAX_ID = 64, NUMBER_BYTES = 4 };
/* Lengths of the messages, in turn. */
static const size_t SIZES[] = {0, 4, 100, 5000, 70000, 300000};

typedef struct {
  char id[MAX_ID];
  long last, right;
} Input;

typedef struct {
  char *id, *data;
  size_t id_length, length;
} Message;

static void *node;

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

/* The next input; all other events are said. NULL at the end. */
static void *next_input(Message *message) {
  static const char *const names[] = {"STOP", "INPUT", "INPUT_CLOSED", "ERROR", "OTHER"};
  for (void *event; (event = dora_next_event(node)); free_dora_event(event)) {
    const enum DoraEventType type = read_dora_event_type(event);
    if (type == DoraEventType_Input) {
      read_dora_input_id(event, &message->id, &message->id_length);
      read_dora_input_data(event, &message->data, &message->length);
      return event;
    }
    printf("{\"event\":\"%s\"}\n", names[type]);
  }
  return NULL;
}

static void say_pid(void) { printf("{\"pid\":%d}\n", (int)getpid()); }

static size_t size_of(long n) { return SIZES[(size_t)n % (sizeof SIZES / sizeof *SIZES)]; }

/* Byte `at` of message `n`: its number in the first four, then a pattern. */
static unsigned char byte_of(long n, size_t at) {
  return (unsigned char)(at < NUMBER_BYTES ? (size_t)n >> 8 * at : at * 7 + (size_t)n);
}

/* A message on "bytes" at each input, COUNT in all. */
static int bytes(void) {
  char *data = malloc(300000);
  const long count = number("COUNT", 12);
  Message tick;
  int failed = data == NULL;
  void *event;
  for (long n = 0; n != count && !failed && (event = next_input(&tick)); n++) {
    const size_t length = size_of(n);
    for (size_t at = 0; at < length; at++) data[at] = (char)byte_of(n, at);
    failed = dora_send_output(node, "bytes", 5, length ? data : NULL, length);
    if (n == 0) say_pid();
    free_dora_event(event);
  }
  free(data);
  return failed;
}

/* The number of a message, or -1 if it isn't one. An empty one has the number that is expected. */
static long number_of(const Message *message, long expected) {
  if (message->length < NUMBER_BYTES) return message->length == size_of(expected) ? expected : -1;
  const unsigned char *data = (const unsigned char *)message->data;
  const long n = data[0] | data[1] << 8 | data[2] << 16 | (long)data[3] << 24;
  if (message->length != size_of(n)) return -1;
  for (size_t at = 0; at < message->length; at++)
    if (data[at] != byte_of(n, at)) return -1;
  return n;
}

static Input *find(Input *inputs, const Message *message) {
  int i = 0;
  for (; i < MAX_INPUTS - 1 && inputs[i].id[0]; i++)
    if (strlen(inputs[i].id) == message->id_length && !memcmp(inputs[i].id, message->id, message->id_length)) break;
  if (!inputs[i].id[0]) {
    memcpy(inputs[i].id, message->id, message->id_length < MAX_ID ? message->id_length : MAX_ID - 1);
    inputs[i].last = -1;
  }
  return inputs + i;
}

/* Compares what arrives on each input with what "bytes" sends. */
static int check(void) {
  Input inputs[MAX_INPUTS] = {0};
  const int gaps = getenv("GAPS") != NULL;
  int wrong = 0, begun = 0;
  Message message;
  for (void *event; (event = next_input(&message)); free_dora_event(event)) {
    if (!begun++) say_pid();
    if (gaps && message.length == 0) continue;
    Input *input = find(inputs, &message);
    const long n = number_of(&message, input->last + 1);
    if (n < 0 || (!gaps && n != input->last + 1) || !read_dora_input_timestamp(event)) {
      printf("{\"wrong\":\"%s: %zu bytes, number %ld after %ld\"}\n", input->id, message.length, n, input->last);
      wrong = 1;
    } else {
      if (gaps && (input->last < 0 || n <= input->last)) printf("{\"began\":%ld}\n", n);
      input->last = n;
      input->right++;
    }
  }
  printf("{\"right\":{");
  for (int i = 0; i < MAX_INPUTS && inputs[i].id[0]; i++) printf("%s\"%s\":%ld", i ? "," : "", inputs[i].id, inputs[i].right);
  printf("}}\n");
  return wrong;
}

/* Every input back on the output of its name. */
static int echo(void) {
  int failed = 0, begun = 0;
  Message message;
  for (void *event; !failed && (event = next_input(&message)); free_dora_event(event)) {
    failed = dora_send_output(node, message.id, message.id_length, message.data, message.length);
    if (!begun++) say_pid();
  }
  return failed;
}

/* Says its inputs, with their length, and leaves after COUNT of them. */
static int timer(void) {
  const long count = number("COUNT", -1);
  long seen = 0;
  Message message;
  dora_log(node, "info", 4, "at work", 7);
  for (void *event; seen != count && (event = next_input(&message)); free_dora_event(event)) {
    printf("{\"event\":\"INPUT\",\"id\":\"%.*s\",\"length\":%zu}\n", (int)message.id_length, message.id, message.length);
    seen++;
  }
  return 0;
}

int main(int count, char **arguments) {
  static const struct { const char *name; int (*run)(void); } roles[] = {
    {"bytes", bytes}, {"check", check}, {"echo", echo}, {"timer", timer}};
  const char *wanted = count > 1 ? arguments[1] : "";
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
    if (strcmp(roles[i].name, wanted)) continue;
    if (!(node = init_dora_context_from_env())) return 2;
    const int code = roles[i].run();
    free_dora_context(node);
    return code;
  }
  fprintf(stderr, "no such node: %s\n", wanted);
  return 2;
}
