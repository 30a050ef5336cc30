/* Drives the shim from C, in the place of JavaScript, so that address and undefined-behaviour sanitizers can watch:
 *   driver probe LIBRARY         every kind of event and answer, threads, inputs that are kept
 *   driver hostile LIBRARY N     N damaged arrays
 * Ends with 0 when everything that was exported is released. */
#include "../../../ffi/operator_shim.c"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Shim *shim;
static i32 words[(STAGE_AT + MAX_COLLECTED * STAGE_BYTES) / 4];
static u8 target[1 << 20], header[1024], key[1 << 21];
static long written;

/* --- the rings of an output: one drops the oldest, one holds its producer back until somebody takes --- */
enum { RING_SLOTS = 4, INLINE = 5120, SLOT = 5248 };
static struct { _Alignas(DORA_LINE_BYTES) int words[DORA_RING_HEADER_BYTES / 4 + RING_SLOTS * SLOT / 4], wake, templates[RING_SLOTS]; } ring[2];
static dora_clock clock_state = {0, 0, 0, 1, 0, 1790000000, 0};

static void open_rings(i32 port) {
  static const u8 parameters[] = "parameters";
  double facts[DORA_WRITER_FACTS + 2 * DORA_EDGE_FACTS] = {2, (double)(u64)&clock_state, 1, 2, 3, 4, 0, INLINE};
  for (int i = 0; i < 2; i++) {
    double *edge = facts + DORA_WRITER_FACTS + i * DORA_EDGE_FACTS;
    edge[0] = (double)(u64)ring[i].words;
    edge[1] = (double)(u64)&ring[i].wake;
    edge[2] = (double)(u64)ring[i].templates;
    edge[3] = edge[4] = RING_SLOTS;
    edge[5] = SLOT;
    edge[6] = i;
  }
  sh_writer(shim, port, facts, parameters, sizeof parameters);
  sh_publishes(shim, port, 1);
}

/* Takes what is in the second ring, and sleeps. */
static void take_all(void) {
  ring[1].words[DORA_TAIL_WORD] = ring[1].words[DORA_HEAD_WORD];
  ring[1].wake = DORA_WAKE_PARKED_FUTEX;
}

/* --- the part of JavaScript: which nodes a schema has --- */
static int widths(const char *format) {
  static const char *const letters = "cCsSiIlLefg";
  static const int bytes[] = {1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8};
  const char *found = strchr(letters, format[0]);
  if (format[0] && !format[1] && found) return bytes[found - letters];
  if (!strncmp(format, "w:", 2)) return atoi(format + 2);
  if (!strncmp(format, "d:", 2)) return strstr(format, ",256") ? 32 : 16;
  if (!strcmp(format, "tdD") || !strcmp(format, "tiM")) return 4;
  if (!strcmp(format, "tin")) return 16;
  if (!strncmp(format, "ts", 2) || !strncmp(format, "tD", 2)) return 8;
  return -1;
}

static int plan_of(const u8 **at, Node *plan, i32 *nodes) {
  const char *format = (const char *)*at;
  i32 numbers[4], here = (*nodes)++;
  Node node = {0, 0, 0, 2, 0, 0};
  *at += strlen(format) + 1;
  *at += strlen((const char *)*at) + 1;
  memcpy(numbers, *at, 16);
  *at += 16 + numbers[3];
  node.children = numbers[1];
  node.width = widths(format);
  if (node.width >= 0) node.kind = K_FIXED;
  else if (!strcmp(format, "b")) node.kind = K_BITS;
  else if (!strcmp(format, "n")) node.kind = K_NULL, node.buffers = 0;
  else if (!strcmp(format, "u") || !strcmp(format, "z")) node.kind = K_BYTES, node.buffers = 3;
  else if (!strcmp(format, "U") || !strcmp(format, "Z")) node.kind = K_LARGE_BYTES, node.buffers = 3;
  else if (!strcmp(format, "vu") || !strcmp(format, "vz")) node.kind = K_VIEWS, node.buffers = 3;
  else if (!strcmp(format, "+l")) node.kind = K_LIST;
  else if (!strcmp(format, "+L")) node.kind = K_LARGE_LIST;
  else if (!strcmp(format, "+s")) node.kind = K_STRUCT, node.buffers = 1;
  else if (!strncmp(format, "+w:", 3)) node.kind = K_FIXED_LIST, node.buffers = 1, node.width = atoi(format + 3);
  else if (!strcmp(format, "+us:0,1")) node.kind = K_SPARSE, node.buffers = 1;
  else if (!strcmp(format, "+ud:0,1")) node.kind = K_DENSE;
  else return 0;
  int wanted = node.kind == K_LIST || node.kind == K_LARGE_LIST || node.kind == K_FIXED_LIST ? 1 : node.kind >= K_SPARSE ? 2 : 0;
  if ((node.kind != K_STRUCT && node.children != wanted) || node.width > 1000000) return 0;
  for (i32 i = 0; i < node.children; i++)
    if (!plan_of(at, plan, nodes)) return 0;
  if (numbers[2]) {
    if (node.kind != K_FIXED) return 0;
    node.dict = *nodes;
    if (!plan_of(at, plan, nodes)) return 0;
  }
  node.next = *nodes;
  plan[here] = node;
  return 1;
}

static void write_all(void) {
  double bases[16], figures[1 << 14];
  for (int i = 0; i < words[W_COUNT]; i++) {
    double body = 0, at = 1024;
    int batch = 0, big = 0;
    i32 count = words[W_SENT + 2 * i + 1] >> 3;
    sh_figures_of(shim, i, figures);
    for (double *f = figures; f < figures + count; f += 4 + 2 * (int)f[0] + 2 * (int)f[1] + (int)f[2]) {
      if (f[3] > sizeof target / 2) big = 1;
      bases[batch++] = at;
      if (batch == 1) body = f[3];
      at += f[3];
    }
    /* Batches of dictionaries come after the first one here; in a stream they come before. */
    if (big || at + 1024 > sizeof target || batch > 1) {
      if (big || at > sizeof target - 1024) continue;
    }
    sh_header(shim, words[W_SENT + 2 * i], header, 1024, body, bases, batch);
    sh_write(shim, i, target, 0, i & 1);
    sh_learn(shim, i, 1 + (i32)written % 1000);
    written++;
  }
}

static i32 sink(i32 kind, i32 number) {
  static Node plan[MAX_FIELDS + 1];
  static u8 name[1 << 17];
  i32 nodes = 0;
  const u8 *at = key;
  if (kind == SINK_NAME) {
    i32 length = sh_text(shim, 1, name, sizeof name);
    int known = (length == 3 && !memcmp(name, "out", 3)) || (length == 3 && !memcmp(name, "log", 3));
    if (known) sh_port(shim, name, length);
    if (known && *name == 'o') open_rings(shim->ports - 1);
    return known;
  }
  if (kind == SINK_WAKE) {
    ring[1].wake = DORA_WAKE_RUNNING;
    return 1;
  }
  if (kind == SINK_FLUSH) {
    write_all();
    return 1;
  }
  sh_key(shim, number, key, sizeof key);
  if (!plan_of(&at, plan, &nodes)) {
    sh_refuse(shim, (const u8 *)"unknown format", 14);
    return 0;
  }
  sh_plan(shim, number, (const i32 *)plan, nodes);
  return 1;
}

static volatile int woken;
static void wake(void) { woken = 1; }

static void settle_all(i32 answer) {
  u8 error[256];
  static int calls;
  if (++calls % 8 == 0) take_all();
  if (answer >> 9) {
    write_all();
    if (answer & 128) answer |= sh_finish(shim);
  }
  if (answer & 8) sh_name_kept(shim, 1);
  if (answer & 4) sh_text(shim, 0, error, sizeof error);
  if (answer & 16) sh_text(shim, 2, error, sizeof error);
  while (sh_released(shim));
}

static Form *form(const char *id, const char *format, i32 kind, i32 width) {
  Node node = {kind, width, 0, kind == K_NULL ? 0 : 2, 0, 1};
  u8 recipe[64] = {0};
  strcpy((char *)recipe, format);
  return sh_form(shim, (const u8 *)id, (i32)strlen(id), (const i32 *)&node, 1, recipe);
}

static void send_input(const char *id, i32 bytes, int copied) {
  static u8 data[200000];
  double figures[] = {bytes, 0, -1, 0, 0, bytes ? 0 : -1, bytes, 0};
  Form *made = form(id, "C", K_FIXED, 1);
  sh_figures(made, figures, 8, 0, 1);
  settle_all(copied ? sh_body(made, data) : sh_input_at(made, data));
  sh_context(made, (const u8 *)"context", 7);
  settle_all(copied ? sh_body(made, data) : sh_input_at(made, data));
  sh_form_free(made);
}

static int balance(const char *what) {
  int ok = sh_count(shim, 0) == sh_count(shim, 1) && sh_count(shim, 2) == sh_count(shim, 3) && !sh_count(shim, 4);
  printf("%s: %.0f inputs, %.0f released, %.0f outputs, %.0f released, %ld written, %.0f published\n", what, sh_count(shim, 0), sh_count(shim, 1),
         sh_count(shim, 2), sh_count(shim, 3), written + (long)sh_count(shim, 5), sh_count(shim, 5));
  return ok ? 0 : 1;
}

static int drive_probe(void) {
  static const char *const inputs[] = {"ignore", "read", "bytes", "echo", "keep", "context", "fail", "odd-status", "stop", "keep", "keep"};
  for (int i = 0; i < 11; i++)
    for (int bytes = 0; bytes < 200000; bytes = bytes * 7 + 3) {
      send_input(inputs[i], bytes, bytes % 2);
      if (i == 4 && bytes > 30) send_input("let-go", 0, 1);
    }
  settle_all(sh_input_closed(shim, (const u8 *)"gone", 4));
  settle_all(sh_input_closed(shim, (const u8 *)"", 0));
  settle_all(sh_error_event(shim, (const u8 *)"an error", 8));
  send_input("let-go", 1, 1);
  shim->direct = 1;
  send_input("bytes", 77, 1);
  shim->direct = 0;
  Form *once = form("send-later", "n", K_NULL, 0);
  double none[2] = {0, 0};
  sh_figures(once, none, 2, 0, 1);
  settle_all(sh_input(once, target, 1));
  for (int i = 0; i < 1000 && sh_count(shim, 2) == sh_count(shim, 3); i++) {
    usleep(1000);
    settle_all(sh_late(shim));
    if (i > 100 && !shim->first) break;
  }
  send_input("keep", 5, 1);
  settle_all(sh_stop(shim));
  sh_form_free(once);
  sh_drop(shim);
  while (sh_released(shim));
  return balance("probe");
}

static int drive_hostile(long events) {
  static u8 seed[8];
  double figures[] = {1, 0, -1, 0, 0, 0, 4, 3};
  Form *made = form("x", "I", K_FIXED, 4);
  sh_figures(made, figures, 8, 0, 1);
  for (long i = 0; i < events; i++) {
    i32 number = (i32)i;
    memcpy(seed, &number, 4);
    settle_all(sh_body(made, seed));
  }
  sh_form_free(made);
  sh_drop(shim);
  return balance("hostile");
}

int main(int argc, char **argv) {
  u8 error[1024] = {0};
  if (argc < 3 || sh_layout() != 1) return 2;
  void *handle = sh_open(argv[2], error, sizeof error);
  if (!handle) return fprintf(stderr, "%s\n", error), 3;
  if (sh_probe(handle)) return 4;
  shim = sh_new(handle, words, sink, wake);
  if (sh_init(shim)) return 5;
  return strcmp(argv[1], "hostile") ? drive_probe() : drive_hostile(argc > 3 ? atol(argv[3]) : 1000000);
}
