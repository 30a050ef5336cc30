// Between the runtime and the shared libraries of operators: dora's operator ABI (structs by value, two-register results,
// callbacks on any thread) on one side, a few numbers in each call on the other. docs/operators-native.md says who owns what.
//
// No #include but of this folder: it must compile where no C headers are installed, by TinyCC without <stdatomic.h> as well as by gcc
// and clang. 64-bit, little-endian, POSIX. Flags that another thread sets are single aligned stores of volatile ints.
#include "dora_writer.h"
typedef unsigned char u8;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
/// Eight bytes at any address.
typedef struct { u8 bytes[8]; } Word;

// --- the ABI: see dora_operator.h ---------------------------------------------------------------------------------------
typedef struct { u8 *ptr; u64 len, cap; } Str;
typedef struct Arr {
  i64 length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  struct Arr **children, *dictionary;
  void (*release)(struct Arr *);
  void *private_data;
} Arr;
typedef struct Sch {
  const char *format, *name, *metadata;
  i64 flags, n_children;
  struct Sch **children, *dictionary;
  void (*release)(struct Sch *);
  void *private_data;
} Sch;
typedef struct { u64 tag; Arr array; Str id, context; Sch schema; } Input;
typedef struct { Str id, context; Arr array; Sch schema; } Output;
typedef struct { Str *error; } Result;
typedef struct { Result result; void *context; } InitResult;
typedef struct { Result result; u8 status; } EventResult;
typedef struct { Input *input; Str input_closed; u8 stop; Str error; } RawEvent;
typedef struct {
  void *env;
  Result (*call)(void *, Output);
  void (*release)(void *), (*retain)(void *);
} SendOutput;

// --- limits, shared with library-shim.ts --------------------------------------------------------------------------------
enum { MAX_DEPTH = 64, MAX_FIELDS = 4096, MAX_COLLECTED = 64, MAX_LENGTH = 0x7fffffff, MAX_TEXT = 1 << 20, BUFFER_ALIGN = 64 };
enum { FLUSH_BYTES = 1 << 16 };
enum { MAX_BODY = 256 << 20 };
/// After the words that are shared with JavaScript: memory for the elements of small outputs, so much for each.
enum { STAGE_AT = 1024, STAGE_BYTES = 1024 };

// Layout of a column, by node: see library-form.ts.
enum { K_NULL, K_FIXED, K_BITS, K_BYTES, K_LARGE_BYTES, K_VIEWS, K_LIST, K_LARGE_LIST, K_FIXED_LIST, K_STRUCT, K_SPARSE, K_DENSE };
/// `next` is the index after the subtree; `dict`, if not 0, the index where the dictionary's values begin.
typedef struct { i32 kind, width, children, buffers, dict, next; } Node;

/// On the way of every event, in one piece.
#ifdef __TINYC__
#define HOT static
#else
#define HOT static inline __attribute__((always_inline))
#endif

struct Shim;
struct Form;

// --- inputs: a form is an input with the type of its column; an instance is what one event needs of memory -------------
typedef struct { struct Instance *instance; volatile i32 released; } Mark;
typedef struct Instance {
  struct Instance *next;
  struct Form *form;
  i32 token;
  u8 *block;
  u64 capacity;
  u64 small[8];  // in place of a block for few bytes
  i64 *lengths;
  Arr *arrays;
  Mark *marks;
  const void **buffers;
} Instance;
typedef struct Form {
  struct Shim *shim;
  Input input;
  i32 nodes, buffers, flat;
  i32 header;  // bytes of the stream before the body
  i32 copied;  // bodies in memory of JavaScript are: it doesn't hold them until they are released
  Node *plan;
  i64 *figures;  // length and null count of each node; offset, length, alignment - 1 of each buffer
  Instance *instance;  // 0: nobody uses the form any more
  i32 kept;            // instances that the operator keeps
} Form;

// --- outputs ------------------------------------------------------------------------------------------------------------
enum { OP_COPY, OP_BITS, OP_REBASE32, OP_REBASE64, OP_ZERO };
typedef struct { i32 kind, batch; u64 at; const u8 *source; u64 length; i64 arg; } Op;
typedef struct { u8 *bytes; i64 used, capacity; } Vec;
#ifdef DORA_HAS_WRITER
/// Lengths of a form that are published from here; what comes beyond takes the place of the oldest.
enum { MAX_STREAMS = 8 };
/// All messages of one length: only the body is to be filled in. A `rows` of 0: none.
typedef struct { i64 rows; dora_message message; } Stream;
#endif
typedef struct {
  u8 *key;
  i64 key_length;
  i32 nodes;
  i32 width;   // of a column of one node with a fixed width, else 0
  i64 length;  // of the last message when it was flat, else -1
  Node *plan;
  u8 *header;
  u64 header_length, body_length, bases[16];
  Vec figures;
#ifdef DORA_HAS_WRITER
  Stream stream[MAX_STREAMS];
  i32 last_stream;
#endif
} OutForm;
enum { MAX_OUT_FORMS = 16 };
typedef struct {
  Str id;
  i32 forms, last;
  OutForm form[MAX_OUT_FORMS];
#ifdef DORA_HAS_WRITER
  i32 open;  // the shim may publish: nothing of this output waits in JavaScript
  dora_writer writer;
  u8 *parameters;  // what follows each stream
  i32 parameter_bytes;
#endif
} OutPort;
/// `rows`: of a flat one, else 0.
typedef struct { Output out; i32 port, form, held; i64 rows, first_op, ops, first_figure, figures; } Sent;
typedef struct Foreign { struct Foreign *next; Output out; } Foreign;

enum { W_COUNT, W_SENT = 4 };
/// One operator.
typedef struct Shim {
  InitResult (*init)(void);
  EventResult (*on_event)(RawEvent *, const SendOutput *, void *);
  Result (*drop)(void *);
  void *context;
  SendOutput send;
  RawEvent event;
  u64 owner;
  i32 open, ports, current_open;
  i32 direct;   // outputs are sent at once, not at the end of the call
  i32 untimed;  // calls until the next one that is timed
  i32 (*sink)(i32, i32);
  void (*wake)(void);
  volatile i32 *words;  // shared with JavaScript
  OutPort **port;
  Sent sent[MAX_COLLECTED];
  i64 collected, held, waiting_bytes;  // `held` of the collected ones are not released yet
  Vec ops, figures, batch_nodes, batch_buffers, batch_views, dictionaries;
  Str *error;
  Str *sink_error;
  Form *current;
  Instance *kept, *free_list;
  i64 exports, releases, out_exports, out_releases, published;
  volatile i32 doubles;
  Foreign *volatile first;
  Foreign *last;
  Str *late_error;
  u64 mutex[16];
} Shim;

extern void *dlopen(const char *, int), *dlsym(void *, const char *);
extern char *dlerror(void);
extern int dlclose(void *);
extern int clock_gettime(int, void *);
extern u64 pthread_self(void);
extern int pthread_mutex_init(void *, const void *), pthread_mutex_lock(void *), pthread_mutex_unlock(void *);

// What crosses to operators must come from the allocator that they use, the one of the global scope; inside of code compiled
// by Bun the plain names mean Bun's own.
static void *(*take)(u64);
static void (*give)(void *);
static void *(*copy)(void *, const void *, u64);
static void *(*set)(void *, int, u64);
static int (*compare)(const void *, const void *, u64);
static u64 (*length_of)(const char *);
static i64 zeros[8];

static int bind(void) {
  void *libc = 0;
  if (take) return 1;
  take = (void *(*)(u64))dlsym(0, "malloc");
  if (!take) libc = dlopen("libc.so.6", 1), take = (void *(*)(u64))dlsym(libc, "malloc");
  give = (void (*)(void *))dlsym(libc, "free");
  copy = (void *(*)(void *, const void *, u64))dlsym(libc, "memcpy");
  set = (void *(*)(void *, int, u64))dlsym(libc, "memset");
  compare = (int (*)(const void *, const void *, u64))dlsym(libc, "memcmp");
  length_of = (u64 (*)(const char *))dlsym(libc, "strlen");
  return take && give && copy && set && compare && length_of;
}

static void *zeroed(u64 bytes) {
  void *made = take(bytes ? bytes : 1);
  if (made) set(made, 0, bytes);
  return made;
}

static void *push(Vec *vec, i64 bytes) {
  if (vec->used + bytes > vec->capacity) {
    i64 capacity = vec->capacity * 2 > vec->used + bytes ? vec->capacity * 2 : vec->used + bytes + 256;
    u8 *larger = take(capacity);
    if (!larger) return 0;
    if (vec->used) copy(larger, vec->bytes, vec->used);
    if (vec->bytes) give(vec->bytes);
    vec->bytes = larger;
    vec->capacity = capacity;
  }
  vec->used += bytes;
  return vec->bytes + vec->used - bytes;
}

static int push_number(Vec *vec, i64 number) {
  i64 *place = push(vec, 8);
  if (!place) return 0;
  *place = number;
  return 1;
}

// --- texts --------------------------------------------------------------------------------------------------------------
static Str *text(const char *start, const u8 *middle, u64 middle_length, const char *end) {
  u64 a = length_of(start), c = length_of(end), n = a + middle_length + c;
  Str *box = take(sizeof *box);
  box->ptr = n ? take(n) : (u8 *)1;
  if (a) copy(box->ptr, start, a);
  if (middle_length) copy(box->ptr + a, middle, middle_length);
  if (c) copy(box->ptr + a + middle_length, end, c);
  box->len = box->cap = n;
  return box;
}

static void free_text(Str *box) {
  if (!box) return;
  if (box->cap) give(box->ptr);
  give(box);
}

static Str *refuse(const char *why) { return text("the runtime refused this array: ", (const u8 *)why, length_of(why), ""); }

/// Moves an error text to `target`; returns its length, -1 for none.
static i64 move_text(Str **box, u8 *target, i64 capacity) {
  i64 length = -1;
  if (*box) {
    length = (i64)(*box)->len < capacity ? (i64)(*box)->len : capacity;
    if (length) copy(target, (*box)->ptr, length);
    free_text(*box);
    *box = 0;
  }
  return length;
}

// --- inputs -------------------------------------------------------------------------------------------------------------
static void release_array(Arr *array) {
  Mark *mark = array->private_data;
  for (i64 i = 0; i < array->n_children; i++) {
    Arr *child = array->children[i];
    if (child->release) child->release(child);
  }
  if (array->dictionary && array->dictionary->release) array->dictionary->release(array->dictionary);
  array->release = 0;
  if (mark->released) ((Shim *)mark->instance->form->shim)->doubles = 1;
  mark->released = 1;
}

/// As release_array, of an array without children.
static void release_flat(Arr *array) {
  Mark *mark = array->private_data;
  array->release = 0;
  if (mark->released) ((Shim *)mark->instance->form->shim)->doubles = 1;
  mark->released = 1;
}

static void release_schema(Sch *schema) { schema->release = 0; }

static int is_released(const Instance *instance) {
  for (i32 i = 0; i < instance->form->nodes; i++)
    if (!instance->marks[i].released) return 0;
  return 1;
}

static i32 build_arrays(const Node *plan, i32 at, Instance *instance, Arr **children, i32 *child, i32 *buffer) {
  const Node *node = plan + at;
  Arr *array = instance->arrays + at;
  i32 next = at + 1;
  array->n_buffers = node->buffers;
  array->buffers = instance->buffers + *buffer;
  *buffer += node->buffers;
  array->n_children = node->children;
  array->children = node->children ? children + *child : 0;
  *child += node->children;
  instance->marks[at].instance = instance;
  array->private_data = instance->marks + at;
  for (i32 i = 0; i < node->children; i++) {
    array->children[i] = instance->arrays + next;
    next = build_arrays(plan, next, instance, children, child, buffer);
  }
  if (node->dict) {
    array->dictionary = instance->arrays + next;
    next = build_arrays(plan, next, instance, children, child, buffer);
  }
  return next;
}

static Instance *new_instance(Form *form) {
  i32 nodes = form->nodes, child = 0, buffer = 0;
  u64 marks = sizeof(Instance), arrays = marks + nodes * sizeof(Mark), children = arrays + nodes * sizeof(Arr);
  u64 buffers = children + nodes * sizeof(Arr *), lengths = buffers + form->buffers * 8;
  u8 *memory = zeroed(lengths + form->buffers * 8);
  Instance *instance = (Instance *)memory;
  if (!memory) return 0;
  instance->form = form;
  instance->marks = (Mark *)(memory + marks);
  instance->arrays = (Arr *)(memory + arrays);
  instance->buffers = (const void **)(memory + buffers);
  instance->lengths = (i64 *)(memory + lengths);
  build_arrays(form->plan, 0, instance, (Arr **)(memory + children), &child, &buffer);
  return instance;
}

static void free_instance(Instance *instance) {
  if (instance->block) give(instance->block);
  give(instance);
}

static Sch *build_schema(const u8 **recipe, Sch *target) {
  // format \0 name \0 flags, children, has dictionary, metadata length (4 bytes each), metadata
  Sch *schema = target ? target : zeroed(sizeof *schema);
  i32 numbers[4];
  u64 length = length_of((const char *)*recipe) + 1;
  char *format = take(length);
  copy(format, *recipe, length);
  *recipe += length;
  length = length_of((const char *)*recipe) + 1;
  char *name = take(length);
  copy(name, *recipe, length);
  *recipe += length;
  copy(numbers, *recipe, 16);
  *recipe += 16;
  schema->format = format;
  schema->name = name;
  schema->flags = numbers[0];
  schema->n_children = numbers[1];
  schema->release = release_schema;
  if (numbers[3]) {
    char *metadata = take(numbers[3]);
    copy(metadata, *recipe, numbers[3]);
    *recipe += numbers[3];
    schema->metadata = metadata;
  }
  if (numbers[1]) schema->children = take(numbers[1] * 8);
  for (i32 i = 0; i < numbers[1]; i++) schema->children[i] = build_schema(recipe, 0);
  if (numbers[2]) schema->dictionary = build_schema(recipe, 0);
  return schema;
}

/// An input with one type of column. `plan` are the nodes, `recipe` the schema as build_schema reads it.
Form *sh_form(Shim *shim, const u8 *id, i32 id_length, const i32 *plan, i32 nodes, const u8 *recipe) {
  Form *form = zeroed(sizeof *form);
  form->shim = shim;
  form->nodes = nodes;
  form->plan = take(nodes * sizeof(Node));
  copy(form->plan, plan, nodes * sizeof(Node));
  for (i32 i = 0; i < nodes; i++) form->buffers += form->plan[i].buffers;
  form->flat = nodes == 1 && form->plan->kind == K_FIXED;
  form->figures = zeroed((2 * nodes + 3 * form->buffers + 1) * 8);
  form->input.id.ptr = id_length ? take(id_length) : (u8 *)1;
  if (id_length) copy(form->input.id.ptr, id, id_length);
  form->input.id.len = form->input.id.cap = id_length;
  form->input.context.ptr = (u8 *)1;
  build_schema(&recipe, &form->input.schema);
  form->instance = new_instance(form);
  return form;
}

static void free_schema(Sch *schema) {
  for (i64 i = 0; i < schema->n_children; i++) {
    free_schema(schema->children[i]);
    give(schema->children[i]);
  }
  if (schema->dictionary) {
    free_schema(schema->dictionary);
    give(schema->dictionary);
  }
  if (schema->n_children) give(schema->children);
  if (schema->metadata) give((void *)schema->metadata);
  give((void *)schema->format);
  give((void *)schema->name);
}

static void free_form(Form *form) {
  free_schema(&form->input.schema);
  if (form->input.id.cap) give(form->input.id.ptr);
  if (form->input.context.cap) give(form->input.context.ptr);
  give(form->figures);
  give(form->plan);
  give(form);
}

/// Arrays of this form that the operator keeps stay good.
void sh_form_free(Form *form) {
  if (form->instance) free_instance(form->instance);
  form->instance = 0;
  if (!form->kept) free_form(form);
}

/// Of the messages that follow: numbers as in Form.figures, the bytes before their body, and whether that is copied.
void sh_figures(Form *form, const double *figures, i32 count, i32 header, i32 copied) {
  form->header = header;
  form->copied = copied;
  for (i32 i = 0; i < count; i++) form->figures[i] = (i64)figures[i];
}

/// The OpenTelemetry context of the messages that follow.
void sh_context(Form *form, const u8 *bytes, i32 length) {
  if (form->input.context.cap) give(form->input.context.ptr);
  form->input.context.ptr = length ? take(length) : (u8 *)1;
  if (length) copy(form->input.context.ptr, bytes, length);
  form->input.context.len = form->input.context.cap = length;
}

static int misaligned(const Form *form, const u8 *base) {
  const i64 *figures = form->figures + 2 * form->nodes;
  for (i32 i = 0; i < form->buffers; i++, figures += 3)
    if (figures[1] > 0 && ((u64)(base + figures[0]) & figures[2])) return 1;
  return 0;
}

/// A block for the copies of all buffers, kept from event to event.
static u8 *room(Instance *instance, u64 bytes) {
  if (instance->capacity < bytes) {
    if (instance->block) give(instance->block);
    instance->capacity = bytes < 1024 ? 1024 : bytes;
    instance->block = take(instance->capacity + BUFFER_ALIGN);
    if (!instance->block) instance->capacity = 0;
  }
  return (u8 *)(((u64)instance->block + BUFFER_ALIGN - 1) & ~(u64)(BUFFER_ALIGN - 1));
}

static void fill_buffers(Form *form, Instance *instance, const u8 *base, int copied) {
  const i64 *figures = form->figures + 2 * form->nodes;
  u8 *at = 0;
  if (copied) {
    u64 bytes = 0;
    for (i32 i = 0; i < form->buffers; i++) bytes += (figures[3 * i + 1] + BUFFER_ALIGN - 1) & ~(i64)(BUFFER_ALIGN - 1);
    at = room(instance, bytes);
  }
  for (i32 i = 0; i < form->buffers; i++, figures += 3) {
    // An offset of -1: no buffer; -2: a row of zeros, for the offsets of nothing.
    if (figures[0] < 0) instance->buffers[i] = figures[0] == -2 ? zeros : 0;
    else if (!copied) instance->buffers[i] = base + figures[0];
    else {
      copy(at, base + figures[0], figures[1]);
      instance->buffers[i] = at;
      at += (figures[1] + BUFFER_ALIGN - 1) & ~(i64)(BUFFER_ALIGN - 1);
    }
  }
}

/// Columns of views end with a buffer of the lengths of their data buffers.
static void fill_view_lengths(Form *form, Instance *instance) {
  i32 buffer = 0, used = 0;
  const i64 *figures = form->figures + 2 * form->nodes;
  for (i32 i = 0; i < form->nodes; i++) {
    i32 count = form->plan[i].buffers;
    if (form->plan[i].kind == K_VIEWS) {
      instance->buffers[buffer + count - 1] = instance->lengths + used;
      for (i32 b = 2; b < count - 1; b++) instance->lengths[used++] = figures[3 * (buffer + b) + 1];
    }
    buffer += count;
  }
}

static void copy_word(u8 *target, const u8 *source) { *(Word *)target = *(const Word *)source; }

/// A column of one node with a fixed width, as most are.
HOT void fill_flat(Form *form, const u8 *base, int copied) {
  Instance *instance = form->instance;
  const i64 *figures = form->figures;
  Arr *array = &form->input.array;
  const u8 *values = figures[5] < 0 ? 0 : base + figures[5];
  if (values && (copied || ((u64)values & figures[7]))) {
    u8 *block = figures[6] > 64 ? room(instance, figures[6]) : (u8 *)instance->small;
    if (figures[6] == 8) copy_word(block, values);
    else copy(block, values, figures[6]);
    values = block;
  }
  instance->marks[0].released = 0;
  instance->buffers[0] = 0;
  instance->buffers[1] = values;
  array->length = figures[0];
  array->null_count = 0;
  array->offset = 0;
  array->n_buffers = 2;
  array->n_children = 0;
  array->buffers = instance->buffers;
  array->children = 0;
  array->dictionary = 0;
  array->release = release_flat;
  array->private_data = instance->marks;
  form->input.tag = 1;
}

static int sound(const Form *form, const Instance *instance);

/// 0: some of its values lead out of it.
static int fill_all(Form *form, const u8 *base, int copied) {
  Instance *instance = form->instance;
  if (!copied && misaligned(form, base)) copied = 1;
  for (i32 i = 0; i < form->nodes; i++) {
    Arr *array = instance->arrays + i;
    array->length = form->figures[2 * i];
    array->null_count = form->figures[2 * i + 1];
    array->release = release_array;
    instance->marks[i].released = 0;
  }
  fill_buffers(form, instance, base, copied);
  fill_view_lengths(form, instance);
  if (!sound(form, instance)) return 0;
  form->input.array = instance->arrays[0];
  form->input.tag = 1;
  return 1;
}

HOT int fill(Form *form, const u8 *base, int copied) {
  if (!form->flat || form->figures[2] >= 0) return fill_all(form, base, copied);
  fill_flat(form, base, copied);
  return 1;
}

// --- inputs: values that lead elsewhere -----------------------------------------------------------------------------------
// Messages come from other processes, and operators believe what they are given: Rust's crate imports it unchecked.

static i64 offset_at(const void *offsets, i64 index, int large);

static int rises(const void *offsets, i64 length, int large, i64 limit) {
  i64 last = 0;
  for (i64 i = 0; i <= length; i++) {
    i64 offset = offset_at(offsets, i, large);
    if (offset < last) return 0;
    last = offset;
  }
  return last <= limit;
}

static int indices_fit(const Arr *array, i32 width, i64 limit) {
  const u8 *validity = array->buffers[0], *values = array->buffers[1];
  for (i64 i = 0; i < array->length; i++) {
    u64 index = 0;
    if (validity && !(validity[i >> 3] >> (i & 7) & 1)) continue;
    copy(&index, values + i * width, width);
    if (index >= (u64)limit) return 0;
  }
  return 1;
}

static int views_fit(const Arr *array) {
  const i64 *lengths = array->buffers[array->n_buffers - 1];
  for (i64 i = 0; i < array->length; i++) {
    i32 view[4];
    copy(view, (const u8 *)array->buffers[1] + 16 * i, 16);
    if (view[0] < 0) return 0;
    if (view[0] <= 12) continue;
    if (view[2] < 0 || view[2] >= array->n_buffers - 3 || view[3] < 0 || (i64)view[3] + view[0] > lengths[view[2]]) return 0;
  }
  return 1;
}

/// Do offsets, views and indices lead to what is there?
static int sound(const Form *form, const Instance *instance) {
  const i64 *figures = form->figures + 2 * form->nodes;
  for (i32 at = 0; at < form->nodes; at++) {
    const Node *node = form->plan + at;
    const Arr *array = instance->arrays + at;
    i64 buffer = array->buffers - instance->buffers;
    if (!array->length) continue;
    if (node->dict && !indices_fit(array, node->width, array->dictionary->length)) return 0;
    switch (node->kind) {
      case K_BYTES:
      case K_LARGE_BYTES: {
        i64 limit = array->buffers[2] ? figures[3 * (buffer + 2) + 1] : 0;
        if (!rises(array->buffers[1], array->length, node->kind == K_LARGE_BYTES, limit)) return 0;
        break;
      }
      case K_LIST:
      case K_LARGE_LIST:
        if (!rises(array->buffers[1], array->length, node->kind == K_LARGE_LIST, array->children[0]->length)) return 0;
        break;
      case K_VIEWS:
        if (!views_fit(array)) return 0;
    }
  }
  return 1;
}

/// After the outputs of an event are written and released: was the input released as well? If not it is kept, with `token`.
HOT i32 settle(Shim *shim) {
  Form *form = shim->current;
  Instance *instance;
  if (!form) return 0;
  shim->current = 0;
  instance = form->instance;
  if (form->input.tag == 1 && form->input.array.release) form->input.array.release(&form->input.array);
  form->input.tag = 0;
  if (form->flat ? instance->marks[0].released : is_released(instance)) {
    shim->releases++;
    return 0;
  }
  instance->next = shim->kept;
  shim->kept = instance;
  form->kept++;
  form->instance = new_instance(form);
  return 8;
}

// --- outputs: the schema as a key --------------------------------------------------------------------------------------
static i64 metadata_length(const char *metadata) {
  i32 pairs, length;
  i64 at = 4;
  if (!metadata) return 0;
  copy(&pairs, metadata, 4);
  if (pairs < 0 || pairs > MAX_FIELDS) return -1;
  for (i64 i = 0; i < 2 * (i64)pairs; i++) {
    copy(&length, metadata + at, 4);
    at += 4 + (i64)length;
    if (length < 0 || at > MAX_TEXT) return -1;
  }
  return at;
}

static const char *write_text(Vec *key, const char *value) {
  u64 length = value ? length_of(value) : 0;
  u8 *place;
  if (length > MAX_TEXT || key->used > MAX_TEXT) return "its schema has a text of more than 1 MiB";
  place = push(key, length + 1);
  if (!place) return "out of memory";
  if (length) copy(place, value, length);
  place[length] = 0;
  return 0;
}

/// Appends a schema in the form that build_schema reads. What is wrong with it, or 0. The name and metadata of the root, which
/// stand for nothing in a message of one column, are left out.
static const char *write_key(Vec *key, const Sch *schema, i32 depth, i32 *fields) {
  i32 numbers[4];
  const char *wrong;
  i64 metadata = depth ? metadata_length(schema->metadata) : 0;
  u8 *place;
  if (depth > MAX_DEPTH || ++*fields > MAX_FIELDS) return "its schema has more than 64 levels or 4096 fields";
  if (!schema->release) return "its schema is released already";
  if (!schema->format) return "its schema has no format";
  if (schema->n_children < 0 || schema->n_children > MAX_FIELDS) return "its schema has a wrong number of children";
  if (schema->n_children && !schema->children) return "its schema lacks its children";
  if (metadata < 0) return "the metadata of its schema are damaged";
  if ((wrong = write_text(key, schema->format))) return wrong;
  if ((wrong = write_text(key, depth ? schema->name : ""))) return wrong;
  numbers[0] = (i32)(schema->flags & 7);
  numbers[1] = (i32)schema->n_children;
  numbers[2] = schema->dictionary != 0;
  numbers[3] = (i32)metadata;
  if (!(place = push(key, 16 + metadata))) return "out of memory";
  copy(place, numbers, 16);
  if (metadata) copy(place + 16, schema->metadata, metadata);
  for (i32 i = 0; i < numbers[1]; i++) {
    if (!schema->children[i]) return "its schema lacks a child";
    if ((wrong = write_key(key, schema->children[i], depth + 1, fields))) return wrong;
  }
  return schema->dictionary ? write_key(key, schema->dictionary, depth + 1, fields) : 0;
}

static i32 int_at(const u8 *at) { return (i32)(at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24); }

static int same_text(const u8 **key, const char *value) {
  const u8 *at = *key;
  const u8 *text_at = (const u8 *)(value ? value : "");
  while (*at && *at == *text_at) at++, text_at++;
  if (*at != *text_at) return 0;
  *key = at + 1;
  return 1;
}

/// Is this the schema that the key was made of? Never reads beyond the key, nor deeper than it.
static int same_schema(const u8 **key, const Sch *schema, i32 depth) {
  i32 numbers[4];
  if (!schema || !schema->release || !schema->format || !same_text(key, schema->format)) return 0;
  if (!same_text(key, depth ? schema->name : "")) return 0;
  for (i32 i = 0; i < 4; i++, *key += 4) numbers[i] = int_at(*key);
  if (numbers[0] != (i32)(schema->flags & 7) || numbers[1] != schema->n_children) return 0;
  if (numbers[2] != (schema->dictionary != 0)) return 0;
  if (depth && (numbers[3] != 0) != (schema->metadata != 0)) return 0;
  if (numbers[3]) {
    if (metadata_length(schema->metadata) != numbers[3] || compare(*key, schema->metadata, numbers[3])) return 0;
    *key += numbers[3];
  }
  if (numbers[1] && !schema->children) return 0;
  for (i32 i = 0; i < numbers[1]; i++)
    if (!same_schema(key, schema->children[i], depth + 1)) return 0;
  return !schema->dictionary || same_schema(key, schema->dictionary, depth + 1);
}

// --- outputs: what has to be copied ------------------------------------------------------------------------------------
typedef struct { Shim *shim; i32 batch; i64 body; } Walk;
typedef struct { i32 plan; const Arr *array; } Pending;

static const char *open_buffer(Walk *walk, i64 length, i64 *at) {
  Shim *shim = walk->shim;
  *at = (walk->body + BUFFER_ALIGN - 1) & ~(i64)(BUFFER_ALIGN - 1);
  if (length < 0 || *at + length > MAX_BODY) return "it has more than 256 MiB";
  if (!push_number(&shim->batch_buffers, *at) || !push_number(&shim->batch_buffers, length)) return "out of memory";
  walk->body = (*at + length + 7) & ~(i64)7;
  return 0;
}

static const char *add(Walk *walk, i32 kind, const void *source, i64 length, i64 arg) {
  i64 at;
  Op *op;
  const char *wrong = open_buffer(walk, length, &at);
  if (wrong || !length) return wrong;
  if (!source && kind != OP_ZERO) return "a buffer is missing";
  if (!(op = push(&walk->shim->ops, sizeof *op))) return "out of memory";
  op->kind = kind;
  op->batch = walk->batch;
  op->at = at;
  op->source = source;
  op->length = length;
  op->arg = arg;
  return 0;
}

static i64 count_zeros(const u8 *bits, i64 from, i64 length) {
  i64 ones = 0, i = from, end = from + length;
  for (; i < end && (i & 7); i++) ones += bits[i >> 3] >> (i & 7) & 1;
  for (; i + 64 <= end; i += 64) {
    u64 word;
    copy(&word, bits + (i >> 3), 8);
    word -= word >> 1 & 0x5555555555555555ull;
    word = (word & 0x3333333333333333ull) + (word >> 2 & 0x3333333333333333ull);
    ones += (i64)(((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0full) * 0x0101010101010101ull >> 56);
  }
  for (; i < end; i++) ones += bits[i >> 3] >> (i & 7) & 1;
  return length - ones;
}

static const char *add_bits(Walk *walk, const u8 *bits, i64 offset, i64 length) {
  i64 bytes = (length + 7) >> 3;
  if (!bits && bytes) return "a buffer is missing";
  return offset & 7 ? add(walk, OP_BITS, bits + (offset >> 3), bytes, (offset & 7) | length << 3)
                    : add(walk, OP_COPY, bits ? bits + (offset >> 3) : 0, bytes, 0);
}

/// The node and its validity.
static const char *add_head(Walk *walk, const Arr *array, i64 offset, i64 length, int has_validity) {
  Shim *shim = walk->shim;
  const u8 *validity = has_validity ? array->buffers[0] : 0;
  i64 nulls = array->null_count;
  if (!has_validity) nulls = 0;
  else if (!validity) {
    if (nulls > 0) return "it has nulls, and no bitmap that says where";
    nulls = 0;
  } else if (nulls != 0 && (nulls < 0 || offset != array->offset || length != array->length))
    nulls = count_zeros(validity, offset, length);
  if (!push_number(&shim->batch_nodes, length) || !push_number(&shim->batch_nodes, nulls)) return "out of memory";
  if (!has_validity) return 0;
  return nulls ? add_bits(walk, validity, offset, length) : add(walk, OP_COPY, 0, 0, 0);
}

static const char *check_array(const Node *node, const Arr *array) {
  i64 rows = array->length;
  if (rows < 0 || rows > MAX_LENGTH || array->offset < 0 || array->offset > MAX_LENGTH - rows) return "its length or offset is out of range";
  if (array->null_count < -1 || array->null_count > rows) return "its null count is out of range";
  if (array->n_children != node->children) return "it has another number of children than its type";
  if (array->n_children && !array->children) return "it lacks its children";
  if (node->kind == K_VIEWS ? array->n_buffers < 3 || array->n_buffers > MAX_FIELDS : array->n_buffers != node->buffers)
    return "it has another number of buffers than its type";
  if (array->n_buffers && !array->buffers) return "it lacks its buffers";
  if ((node->dict != 0) != (array->dictionary != 0)) return "its dictionary is missing, or one too many";
  return 0;
}

static i64 offset_at(const void *offsets, i64 index, int large) {
  i64 wide;
  i32 narrow;
  if (large) {
    copy(&wide, (const u8 *)offsets + 8 * index, 8);
    return wide;
  }
  copy(&narrow, (const u8 *)offsets + 4 * index, 4);
  return narrow;
}

/// Adds the offsets of `length` lists or texts, and says which stretch of the values they cover.
static const char *add_offsets(Walk *walk, const void *offsets, i64 offset, i64 length, int large, i64 *first, i64 *count) {
  i64 width = large ? 8 : 4;
  *first = *count = 0;
  if (!length) return add(walk, OP_ZERO, 0, width, 0);
  if (!offsets) return "a buffer of offsets is missing";
  *first = offset_at(offsets, offset, large);
  *count = offset_at(offsets, offset + length, large) - *first;
  if (*first < 0 || *count < 0 || *first + *count > ((i64)1 << 40)) return "its offsets fall, or are negative";
  return add(walk, !*first ? OP_COPY : large ? OP_REBASE64 : OP_REBASE32, (const u8 *)offsets + width * offset, width * (length + 1), *first);
}

static const char *add_views(Walk *walk, const Arr *array, i64 offset, i64 length) {
  i64 count = array->n_buffers - 3;
  const i64 *lengths = array->buffers[array->n_buffers - 1];
  const char *wrong = add(walk, OP_COPY, array->buffers[1] ? (const u8 *)array->buffers[1] + 16 * offset : 0, 16 * length, 0);
  if (count && !lengths) return "the lengths of its data buffers are missing";
  if (!push_number(&walk->shim->batch_views, count)) return "out of memory";
  for (i64 i = 0; i < count && !wrong; i++) wrong = add(walk, OP_COPY, array->buffers[2 + i], lengths[i], 0);
  return wrong;
}

static const char *walk_array(Walk *walk, const Node *plan, i32 at, const Arr *array, i64 offset, i64 length);

static const char *walk_children(Walk *walk, const Node *plan, i32 at, const Arr *array, i64 offset, i64 length) {
  i32 next = at + 1;
  for (i32 i = 0; i < plan[at].children; i++) {
    const Arr *child = array->children[i];
    const char *wrong;
    if (!child) return "it lacks a child";
    if (child->length < 0 || child->offset < 0 || child->offset > MAX_LENGTH) return "the length or offset of a child is out of range";
    // All of it, for the children of a dense union; else the stretch that the parent covers.
    if (length < 0) wrong = walk_array(walk, plan, next, child, child->offset, child->length);
    else if (offset > child->length - length) return "a child is shorter than its parent";
    else wrong = walk_array(walk, plan, next, child, child->offset + offset, length);
    if (wrong) return wrong;
    next = plan[next].next;
  }
  return 0;
}

static const char *walk_array(Walk *walk, const Node *plan, i32 at, const Arr *array, i64 offset, i64 length) {
  const Node *node = plan + at;
  const char *wrong = check_array(node, array);
  i64 first, count;
  i32 large = node->kind == K_LARGE_BYTES || node->kind == K_LARGE_LIST;
  const void **buffers = array->buffers;
  if (wrong || (wrong = add_head(walk, array, offset, length, node->kind != K_NULL && node->kind < K_SPARSE))) return wrong;
  if (node->dict) {
    Pending *pending = push(&walk->shim->dictionaries, sizeof *pending);
    if (!pending) return "out of memory";
    pending->plan = node->dict;
    pending->array = array->dictionary;
  }
  switch (node->kind) {
    case K_NULL: return 0;
    case K_FIXED:
      return add(walk, OP_COPY, buffers[1] ? (const u8 *)buffers[1] + offset * node->width : 0, length * node->width, 0);
    case K_BITS: return add_bits(walk, buffers[1], offset, length);
    case K_BYTES:
    case K_LARGE_BYTES:
      if ((wrong = add_offsets(walk, buffers[1], offset, length, large, &first, &count))) return wrong;
      return add(walk, OP_COPY, buffers[2] ? (const u8 *)buffers[2] + first : 0, count, 0);
    case K_VIEWS: return add_views(walk, array, offset, length);
    case K_LIST:
    case K_LARGE_LIST:
      if ((wrong = add_offsets(walk, buffers[1], offset, length, large, &first, &count))) return wrong;
      return walk_children(walk, plan, at, array, first, count);
    case K_FIXED_LIST:
      if (node->width && length > MAX_LENGTH / node->width) return "its length or offset is out of range";
      return walk_children(walk, plan, at, array, offset * node->width, length * node->width);
    case K_STRUCT: return walk_children(walk, plan, at, array, offset, length);
    case K_SPARSE:
      if ((wrong = add(walk, OP_COPY, buffers[0] ? (const u8 *)buffers[0] + offset : 0, length, 0))) return wrong;
      return walk_children(walk, plan, at, array, offset, length);
    default:
      if ((wrong = add(walk, OP_COPY, buffers[0] ? (const u8 *)buffers[0] + offset : 0, length, 0))) return wrong;
      if ((wrong = add(walk, OP_COPY, buffers[1] ? (const u8 *)buffers[1] + 4 * offset : 0, 4 * length, 0))) return wrong;
      return walk_children(walk, plan, at, array, 0, -1);
  }
}

/// One batch: its figures are its counts, nodes, buffers, counts of view buffers and body length.
static const char *walk_batch(Walk *walk, const Node *plan, i32 at, const Arr *array) {
  Shim *shim = walk->shim;
  i64 *figures;
  const char *wrong;
  shim->batch_nodes.used = shim->batch_buffers.used = shim->batch_views.used = 0;
  walk->body = 0;
  if ((wrong = walk_array(walk, plan, at, array, array->offset, array->length))) return wrong;
  figures = push(&shim->figures, 32 + shim->batch_nodes.used + shim->batch_buffers.used + shim->batch_views.used);
  if (!figures) return "out of memory";
  figures[0] = shim->batch_nodes.used / 16;
  figures[1] = shim->batch_buffers.used / 16;
  figures[2] = shim->batch_views.used / 8;
  figures[3] = walk->body;
  figures += 4;
  copy(figures, shim->batch_nodes.bytes, shim->batch_nodes.used);
  figures += figures[-4] * 2;
  copy(figures, shim->batch_buffers.bytes, shim->batch_buffers.used);
  if (shim->batch_views.used) copy(figures + shim->batch_buffers.used / 8, shim->batch_views.bytes, shim->batch_views.used);
  return 0;
}

static const char *walk_all(Shim *shim, OutForm *form, const Arr *array, i64 *total) {
  Walk walk;
  const char *wrong;
  walk.shim = shim;
  walk.batch = 0;
  shim->dictionaries.used = 0;
  if ((wrong = walk_batch(&walk, form->plan, 0, array))) return wrong;
  *total = walk.body;
  for (i64 i = 0; i < shim->dictionaries.used; i += sizeof(Pending)) {
    Pending pending = *(Pending *)(shim->dictionaries.bytes + i);
    if (++walk.batch == 16) return "it has more than 15 dictionaries";
    if ((wrong = walk_batch(&walk, form->plan, pending.plan, pending.array))) return wrong;
    if ((*total += walk.body) > MAX_BODY) return "it has more than 256 MiB";
  }
  return 0;
}

// --- outputs: taking them -----------------------------------------------------------------------------------------------
static void drop_output(Output *out) {
  if (out->array.release) out->array.release(&out->array);
  if (out->schema.release) out->schema.release(&out->schema);
  if (out->id.cap) give(out->id.ptr);
  if (out->context.cap) give(out->context.ptr);
}

static void release_outputs(Shim *shim) {
  for (i64 i = 0; shim->held; i++) {
    if (!shim->sent[i].held) continue;
    drop_output(&shim->sent[i].out);
    shim->out_releases++;
    shim->held--;
  }
  shim->collected = shim->waiting_bytes = 0;
  shim->ops.used = shim->figures.used = 0;
  shim->words[W_COUNT] = 0;
}

static OutForm *form_at(Shim *shim, i32 number) { return shim->port[number / MAX_OUT_FORMS]->form + number % MAX_OUT_FORMS; }

enum { SINK_NAME, SINK_SCHEMA, SINK_FLUSH, SINK_WAKE };

// --- outputs: published from here ----------------------------------------------------------------------------------------
// Flat outputs of a type and length that JavaScript has sent before are written into the rings as the operator sends them, by
// dora_writer.h, when nothing that must go before them waits for JavaScript: what this call has sent already, or a full queue.
#ifdef DORA_HAS_WRITER
static void forget_streams(OutForm *form) {
  for (i32 i = 0; i < MAX_STREAMS; i++) {
    if (form->stream[i].rows) give((void *)form->stream[i].message.head);
    form->stream[i].rows = 0;
  }
}

static Stream *stream_of(OutForm *form, i64 rows) {
  for (i32 i = 0; i < MAX_STREAMS; i++) {
    i32 at = (form->last_stream + i) % MAX_STREAMS;
    if (form->stream[at].rows == rows) return form->stream + (form->last_stream = at);
  }
  return 0;
}

static int publish(Shim *shim, i32 number, OutForm *form, const Output *out) {
  OutPort *port = shim->port[number];
  const Arr *array = &out->array;
  Stream *stream;
  if (!port->open || shim->collected || out->context.len || !(stream = stream_of(form, array->length))) return 0;
  if (!dora_writer_ready(&port->writer)) return 0;
  shim->published++;
  if (!port->writer.count) return 1;
  stream->message.body = (const u8 *)array->buffers[1] + array->offset * form->width;
  dora_clock_stamp(port->writer.clock);
  if (dora_writer_publish(&port->writer, &stream->message)) shim->sink(SINK_WAKE, number);
  return 1;
}

/// The rings of an output, by the facts of OutputWriter.share(), and the parameters of its messages.
void sh_writer(Shim *shim, i32 number, const double *facts, const u8 *parameters, i32 length) {
  OutPort *port = shim->port[number];
  dora_writer_open(&port->writer, take((u64)facts[0] * sizeof(dora_writer_edge) + 1), facts);
  port->parameters = take(length + 1);
  copy(port->parameters, parameters, length);
  port->parameter_bytes = length;
}

/// May outputs of this name be published from here? Not while messages of it wait for room in JavaScript.
void sh_publishes(Shim *shim, i32 number, i32 open) { shim->port[number]->open = open; }

/// JavaScript has sent a collected output under this template: others of its type and length need not go there, if they fit into slots.
void sh_learn(Shim *shim, i32 number, i32 template) {
  const Sent *sent = shim->sent + number;
  OutPort *port = shim->port[sent->port];
  OutForm *form = port->form + sent->form;
  i64 bytes = sent->rows * form->width, length = (i64)form->header_length + ((bytes + 7) & ~(i64)7) + 8;
  Stream *stream = stream_of(form, sent->rows);
  if (!sent->rows || template <= 0 || length + port->parameter_bytes > port->writer.inline_bytes) return;
  if (!stream) stream = form->stream + (form->last_stream = (form->last_stream + 1) % MAX_STREAMS);
  if (stream->rows) give((void *)stream->message.head);
  stream->rows = sent->rows;
  stream->message.head = take(form->header_length);
  copy((void *)stream->message.head, form->header, form->header_length);
  stream->message.length = (i32)length;
  stream->message.head_bytes = stream->message.header_length = (i32)form->header_length;
  stream->message.body_bytes = (i32)bytes;
  stream->message.parameters = port->parameters;
  stream->message.parameter_bytes = port->parameter_bytes;
  stream->message.template = template;
  stream->message.chunk = -1;
}
#else
static void forget_streams(OutForm *form) { (void)form; }
static int publish(Shim *shim, i32 number, OutForm *form, const Output *out) { return 0; }
void sh_writer(Shim *shim, i32 number, const double *facts, const u8 *parameters, i32 length) {}
void sh_publishes(Shim *shim, i32 number, i32 open) {}
void sh_learn(Shim *shim, i32 number, i32 template) {}
#endif

static i32 port_of(Shim *shim, const Str *id) {
  for (i32 i = 0; i < shim->ports; i++) {
    const Str *known = &shim->port[i]->id;
    u64 at = 0;
    if (known->len != id->len) continue;
    while (at < id->len && known->ptr[at] == id->ptr[at]) at++;
    if (at == id->len) return i;
  }
  return -1;
}

/// An identifier is made of segments with a slash between them; each has letters, digits, '_', '-' and '.'.
static Str *check_id(const Str *id) {
  u64 segment = 0;
  for (u64 i = 0; i < id->len; i++) {
    u8 c = id->ptr[i];
    int word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    if (c == '/' ? !segment : !word) return text("invalid output id `", id->ptr, id->len, "`: use letters, digits, `_`, `-` and `.`");
    segment = c == '/' ? 0 : segment + 1;
  }
  return segment ? 0 : text("invalid output id `", id->ptr, id->len, "`: a part of it is empty");
}

/// The known form of this schema; a new one is made by JavaScript. -1: refused, and sink_error says why.
static i32 form_of(Shim *shim, i32 port_number, const Sch *schema) {
  OutPort *port = shim->port[port_number];
  Vec key = {0, 0, 0};
  i32 fields = 0, made;
  const char *wrong;
  for (i32 i = 0; i < port->forms; i++) {
    i32 at = port->last + i < port->forms ? port->last + i : port->last + i - port->forms;
    const u8 *known = port->form[at].key;
    if (known && same_schema(&known, schema, 0)) return port->last = at;
  }
  if ((wrong = write_key(&key, schema, 0, &fields))) {
    shim->sink_error = refuse(wrong);
    if (key.bytes) give(key.bytes);
    return -1;
  }
  made = port->forms < MAX_OUT_FORMS ? port->forms : (port->last + 1) % MAX_OUT_FORMS;
  // What is collected so far may be of the form that gives way.
  if (made < port->forms && shim->collected) shim->sink(SINK_FLUSH, 0), release_outputs(shim);
  if (port->form[made].key) give(port->form[made].key);
  port->form[made].key = key.bytes;
  port->form[made].key_length = key.used;
  port->form[made].figures.used = 0;
  forget_streams(port->form + made);
  if (!shim->sink(SINK_SCHEMA, port_number * MAX_OUT_FORMS + made)) {
    port->form[made].key = 0;
    give(key.bytes);
    return -1;
  }
  port->last = made;
  if (made == port->forms) port->forms++;
  return made;
}

/// Is it a column of one node with a fixed width and no nulls, as most are?
static int is_flat(const OutForm *form, const Arr *array) {
  if (!form->width || array->n_buffers != 2 || array->n_children || array->dictionary || !array->buffers) return 0;
  if (array->null_count && (array->null_count != -1 || array->buffers[0])) return 0;
  if (array->length <= 0 || array->length > MAX_LENGTH || array->offset < 0 || array->offset > MAX_LENGTH) return 0;
  return array->length * form->width <= MAX_BODY && array->buffers[1];
}

/// Of a flat one: walk_all in a few steps. 0: no memory.
static int walk_flat(Shim *shim, OutForm *form, const Arr *array, i64 *total) {
  i64 bytes = array->length * form->width, *figures;
  Op *op = push(&shim->ops, sizeof *op);
  if (!op) return 0;
  op->kind = OP_COPY;
  op->batch = 0;
  op->at = 0;
  op->source = (const u8 *)array->buffers[1] + array->offset * form->width;
  op->length = bytes;
  *total = (bytes + 7) & ~(i64)7;
  if (form->length == array->length) return 1;
  if (!(figures = push(&shim->figures, 80))) return 0;
  figures[0] = 1;
  figures[1] = 2;
  figures[2] = 0;
  figures[3] = *total;
  figures[4] = array->length;
  figures[5] = figures[6] = figures[7] = figures[8] = 0;
  figures[9] = bytes;
  return 1;
}

/// Copies the elements of a small output, which can be released at once then. 0: it is none.
static int stage(Shim *shim, Op *op) {
  u8 *place = (u8 *)shim->words + STAGE_AT + shim->collected * STAGE_BYTES;
  if (op->length > STAGE_BYTES) return 0;
  if (op->length == 8) copy_word(place, op->source);
  else copy(place, op->source, op->length);
  op->source = place;
  return 1;
}

/// Takes ownership of an output. Returns an error for the operator, or 0.
static Str *accept(Shim *shim, Output *out) {
  i32 port, form_number, flat, changed, staged;
  i64 total = 0, ops = shim->ops.used, figures = shim->figures.used, count, rows;
  OutForm *form;
  Sent *sent;
  const char *wrong = 0;
  Str *error = 0;
  shim->out_exports++;
  port = out->id.ptr ? port_of(shim, &out->id) : -1;
  if (port < 0) {
    if (!out->id.ptr || out->id.len > 1 << 16) error = text("invalid output id", 0, 0, "");
    else if (!(error = check_id(&out->id))) {
      // JavaScript is asked once for each name; one that is not declared is ignored with a warning, as officially.
      shim->sink_error = text("", out->id.ptr, out->id.len, "");
      if (shim->sink(SINK_NAME, 0)) port = port_of(shim, &out->id);
    }
    if (port < 0) goto done;
  }
  if (!out->array.release) {
    error = refuse("it is released already");
    goto done;
  }
  if ((form_number = form_of(shim, port, &out->schema)) < 0) {
    error = shim->sink_error;
    shim->sink_error = 0;
    goto done;
  }
  if (ops != shim->ops.used) ops = shim->ops.used, figures = shim->figures.used;
  form = shim->port[port]->form + form_number;
  flat = is_flat(form, &out->array);
  if (flat && publish(shim, port, form, out)) {
    // What could not be woken is the sender's to know.
    error = shim->sink_error;
    shim->sink_error = 0;
    goto done;
  }
  flat = flat && walk_flat(shim, form, &out->array, &total);
  if (!flat) shim->ops.used = ops;
  if (!flat && (wrong = walk_all(shim, form, &out->array, &total))) {
    shim->ops.used = ops;
    shim->figures.used = figures;
    error = refuse(wrong);
    goto done;
  }
  rows = flat ? out->array.length : 0;
  sent = shim->sent + shim->collected;
  staged = flat && !out->context.len && stage(shim, (Op *)shim->ops.bytes + ops / (i64)sizeof(Op));
  if (staged) {
    drop_output(out);
    shim->out_releases++;
  } else {
    sent->out = *out;
    shim->held++;
  }
  sent->held = !staged;
  sent->rows = rows;
  sent->port = port;
  sent->form = form_number;
  sent->first_op = ops / (i64)sizeof(Op);
  sent->ops = (shim->ops.used - ops) / (i64)sizeof(Op);
  sent->first_figure = figures;
  sent->figures = count = shim->figures.used - figures;
  shim->words[W_SENT + 2 * shim->collected] = port * MAX_OUT_FORMS + form_number;
  if (flat) changed = count > 0;
  else {
    changed = form->figures.used != count || compare(form->figures.bytes, shim->figures.bytes + figures, count);
    if (changed) {
      u8 *place;
      form->figures.used = 0;
      place = push(&form->figures, count);
      if (place) copy(place, shim->figures.bytes + figures, count);
    }
  }
  form->length = flat ? rows : -1;
  if (flat) form->figures.used = 0;
  // Bit 0: the figures have changed; 1: there is an OpenTelemetry context; 2: the elements are staged; above: figures.
  shim->words[W_SENT + 2 * shim->collected + 1] =
      (i32)(count >> 3 << 3) | (staged ? 4 : out->context.len ? 2 : 0) | changed;
  shim->words[W_COUNT] = (i32)++shim->collected;
  shim->waiting_bytes += total;
  if (shim->direct || shim->waiting_bytes >= FLUSH_BYTES || shim->collected == MAX_COLLECTED) {
    shim->sink(SINK_FLUSH, 0);
    release_outputs(shim);
    error = shim->sink_error;
    shim->sink_error = 0;
  }
  return error;
done:
  drop_output(out);
  shim->out_releases++;
  return error;
}

static Result on_send(void *env, Output out) {
  Shim *shim = env;
  Result result;
  Foreign *foreign;
  int first;
  result.error = 0;
  if (shim->current_open && pthread_self() == shim->owner) {
    result.error = accept(shim, &out);
    return result;
  }
  foreign = take(sizeof *foreign);
  foreign->next = 0;
  foreign->out = out;
  pthread_mutex_lock(shim->mutex);
  if (!shim->open) {
    pthread_mutex_unlock(shim->mutex);
    give(foreign);
    drop_output(&out);
    result.error = text("cannot send an output before the operator is initialized, or after it was dropped", 0, 0, "");
    return result;
  }
  first = !shim->first;
  if (first) shim->first = foreign;
  else shim->last->next = foreign;
  shim->last = foreign;
  // Within the lock: after sh_drop nobody calls it any more.
  if (first) shim->wake();
  pthread_mutex_unlock(shim->mutex);
  return result;
}

/// Outputs that other threads have sent.
static void take_foreign(Shim *shim) {
  while (shim->first) {
    Foreign *foreign;
    Str *error;
    pthread_mutex_lock(shim->mutex);
    foreign = shim->first;
    shim->first = foreign->next;
    pthread_mutex_unlock(shim->mutex);
    error = accept(shim, &foreign->out);
    // Their sender was told that all is well.
    if (error && !shim->late_error) shim->late_error = error;
    else free_text(error);
    give(foreign);
  }
}

static void keep_reference(void *env) { (void)env; }

// --- calls --------------------------------------------------------------------------------------------------------------
static i64 now_ns(void) {
  i64 time[2];
  clock_gettime(1, time);
  return time[0] * 1000000000 + time[1];
}

/// Outputs of a call that lasts longer than this are sent at once, not at its end; shorter, and they are collected again.
enum { SLOW_NS = 50000, FAST_NS = 10000 };
/// So many calls between two that are timed, while calls are short.
enum { UNTIMED = 63 };

/// Collecting outputs is quicker than a callback for each, and wrong for calls that take their time.
static void timed(Shim *shim, i64 ns) {
  shim->direct = ns > (shim->direct ? FAST_NS : SLOW_NS);
  shim->untimed = shim->direct ? 0 : UNTIMED;
}

/// Bits 0 and 1: the operator's answer, 3 for an unknown one; 4: it returned an error; 8: it keeps the input; 16: somebody's output
/// was refused too late; 32: no memory; 64: the input can't be true, and the operator was not called; from bit 9 on: how many
/// outputs wait to be written; 128: some of them are held, and sh_finish tells the 8 when all are written; 256: inputs of former
/// calls are kept.
HOT i32 call(Shim *shim) {
  EventResult result;
  i64 began = --shim->untimed < 0 ? now_ns() : 0;
  i32 answer;
  // Those of the last call are written by now.
  if (shim->collected) release_outputs(shim);
  shim->current_open = 1;
  result = shim->on_event(&shim->event, &shim->send, shim->context);
  if (began) timed(shim, now_ns() - began);
  if (shim->first) take_foreign(shim);
  shim->current_open = 0;
  shim->error = result.result.error;
  answer = shim->error ? 4 : result.status < 3 ? result.status : 3;
  if (shim->late_error) answer |= 16;
  answer |= (i32)shim->collected << 9;
  if (shim->kept) answer |= 256;
  return answer | (shim->held ? 128 : settle(shim));
}

HOT i32 input(Form *form, const u8 *base, int copied) {
  Shim *shim = form->shim;
  if (!form->instance) return 32;
  if (!fill(form, base, copied)) return 64;
  shim->exports++;
  shim->current = form;
  shim->event.input = &form->input;
  i32 answer = call(shim);
  shim->event.input = 0;
  return answer;
}

/// An input whose stream begins at `stream`: memory that stays until it is released.
i32 sh_input_at(Form *form, const u8 *stream) { return input(form, stream, 0); }

/// An input whose stream is in memory of JavaScript: copied, or held there until it is released.
i32 sh_input(Form *form, const u8 *stream, i32 copied) { return input(form, stream, copied); }

/// An input of which only the body is there, in memory of JavaScript.
i32 sh_body(Form *form, const u8 *body) { return input(form, body - form->header, form->copied); }

// An event that is one text: its place in the event names its kind. Rust wants an address for an empty one as well.
static i32 text_event(Shim *shim, Str *place, const u8 *text, i32 length) {
  Str none = {0, 0, 0};
  i32 answer;
  place->ptr = length ? (u8 *)text : (u8 *)1;
  place->len = place->cap = length;
  answer = call(shim);
  *place = none;
  return answer;
}

i32 sh_input_closed(Shim *shim, const u8 *id, i32 length) {
  return text_event(shim, &shim->event.input_closed, id, length);
}

i32 sh_error_event(Shim *shim, const u8 *message, i32 length) {
  return text_event(shim, &shim->event.error, message, length);
}

i32 sh_stop(Shim *shim) {
  i32 answer;
  shim->event.stop = 1;
  answer = call(shim);
  shim->event.stop = 0;
  return answer;
}

/// Outputs that other threads sent while no event was handled.
i32 sh_late(Shim *shim) {
  if (shim->collected) release_outputs(shim);
  shim->current_open = 1;
  take_foreign(shim);
  shim->current_open = 0;
  return (shim->late_error ? 16 : 0) | (shim->held ? 128 : 0) | (shim->kept ? 256 : 0) | (i32)shim->collected << 9;
}

/// The outputs are written: releases them. 8: the operator keeps the input.
i32 sh_finish(Shim *shim) {
  release_outputs(shim);
  return settle(shim);
}

/// Names the input that is kept since the last event.
void sh_name_kept(Shim *shim, i32 token) { shim->kept->token = token; }

/// The token of an input that was kept and is released by now, or 0.
i32 sh_released(Shim *shim) {
  for (Instance **link = &shim->kept; *link; link = &(*link)->next) {
    Instance *instance = *link;
    i32 token = instance->token;
    if (!is_released(instance)) continue;
    *link = instance->next;
    shim->releases++;
    if (!--instance->form->kept && !instance->form->instance) free_form(instance->form);
    free_instance(instance);
    return token;
  }
  return 0;
}

/// Figures of a collected output.
void sh_figures_of(Shim *shim, i32 number, double *target) {
  const Sent *sent = shim->sent + number;
  const i64 *figures = (const i64 *)(shim->figures.bytes + sent->first_figure);
  for (i64 i = 0; i < sent->figures / 8; i++) target[i] = (double)figures[i];
}

i32 sh_context_of(Shim *shim, i32 number, u8 *target, i32 capacity) {
  const Str *context = &shim->sent[number].out.context;
  i32 length = (i64)context->len < capacity ? (i32)context->len : capacity;
  if (length) copy(target, context->ptr, length);
  return length;
}

/// The header for the next sh_write of this form: its bytes, which stay where they are, the length of the body, and where the
/// body of each batch begins.
void sh_header(Shim *shim, i32 form_number, u8 *header, i32 length, double body, const double *bases, i32 batches) {
  OutForm *form = form_at(shim, form_number);
  form->header = header;
  form->header_length = length;
  form->body_length = (u64)body;
  for (i32 i = 0; i < batches; i++) form->bases[i] = (u64)bases[i];
}

static void copy_bits(u8 *target, const u8 *source, i64 shift, i64 bits) {
  i64 bytes = (bits + 7) >> 3, last = (shift + bits + 7) >> 3;
  for (i64 i = 0; i < bytes; i++) target[i] = source[i] >> shift | (i + 1 < last ? source[i + 1] << (8 - shift) : 0);
  if (bits & 7) target[bytes - 1] &= (1 << (bits & 7)) - 1;
}

static void run(const Op *op, u8 *target) {
  i32 narrow;
  i64 wide;
  switch (op->kind) {
    case OP_COPY: copy(target, op->source, op->length); break;
    case OP_BITS: copy_bits(target, op->source, op->arg & 7, op->arg >> 3); break;
    case OP_ZERO: set(target, 0, op->length); break;
    case OP_REBASE32:
      for (u64 i = 0; i < op->length; i += 4) {
        copy(&narrow, op->source + i, 4);
        narrow -= (i32)op->arg;
        copy(target + i, &narrow, 4);
      }
      break;
    default:
      for (u64 i = 0; i < op->length; i += 8) {
        copy(&wide, op->source + i, 8);
        wide -= op->arg;
        copy(target + i, &wide, 8);
      }
  }
}

/// Writes the stream of a collected output at `at` of `target`; its body alone, where the rest lies already.
void sh_write(Shim *shim, i32 number, u8 *target, double at, i32 body_only) {
  const Sent *sent = shim->sent + number;
  const OutForm *form = shim->port[sent->port]->form + sent->form;
  const Op *op = (const Op *)shim->ops.bytes + sent->first_op, *last = op + sent->ops;
  u8 *stream = target + (u64)at, *cursor = stream + form->header_length, *end = cursor + form->body_length;
  if (!body_only) copy(stream, form->header, form->header_length);
  for (; op < last; op++) {
    u8 *place = stream + form->bases[op->batch] + op->at;
    if (!op->batch) {
      if (place > cursor) set(cursor, 0, place - cursor);
      cursor = place + op->length;
    }
    run(op, place);
  }
  if (end > cursor) set(cursor, 0, end - cursor);
  // The end-of-stream mark; streams are multiples of 8 long and begin at one.
  if (!body_only) *(u64 *)end = 0xffffffffull;
}

// --- life ---------------------------------------------------------------------------------------------------------------
/// 1 when the structs have the sizes that they must have.
i32 sh_layout(void) {
  return bind() && sizeof(Input) == 208 && sizeof(Output) == 200 && sizeof(RawEvent) == 64 && sizeof(Arr) == 80 && sizeof(Sch) == 72;
}

/// Loads a library. 0 and the loader's text in `error` when it can't be.
void *sh_open(const char *path, u8 *error, i32 capacity) {
  void *handle = bind() ? dlopen(path, 1) : 0;
  const char *why;
  u64 length;
  if (handle) return handle;
  why = take ? dlerror() : "the C library is not to be found";
  length = length_of(why) + 1;
  copy(error, why, length < (u64)capacity ? length : (u64)capacity);
  error[capacity - 1] = 0;
  return 0;
}

i32 sh_has(void *handle, const char *symbol) { return dlsym(handle, symbol) != 0; }

static Output probed;
static Result on_probe(void *env, Output out) {
  Result result;
  (void)env;
  probed = out;
  result.error = 0;
  return result;
}

/// Input and Output have the field order that the compiler of the library chose. Libraries with the helper functions can be asked:
/// 0 when it is the expected one or nobody can tell; bit 0: another order of Output; bit 1: of Input.
i32 sh_probe(void *handle) {
  static u8 data[13];
  static u64 block[26];
  const char *id = "dora-layout-probe", *input_id = "probe-id";
  Result (*send)(const SendOutput *, const char *, const u8 *, u64);
  char *(*read_id)(const void *) = (char *(*)(const void *))dlsym(handle, "dora_read_input_id");
  void (*free_id)(char *) = (void (*)(char *))dlsym(handle, "dora_free_input_id");
  i32 wrong = 0;
  send = (Result (*)(const SendOutput *, const char *, const u8 *, u64))dlsym(handle, "dora_send_operator_output");
  if (send) {
    SendOutput to;
    to.env = &to;
    to.call = on_probe;
    to.retain = to.release = keep_reference;
    set(&probed, 0, sizeof probed);
    send(&to, id, data, 13);
    if (probed.id.len != 17 || probed.array.length != 13 || probed.array.n_buffers != 2 || probed.schema.n_children != 0) wrong |= 1;
    else if (compare(probed.id.ptr, id, 17) || compare(probed.schema.format, "C", 2)) wrong |= 1;
    else drop_output(&probed);
  }
  if (read_id && free_id) {
    // Wherever a text may begin, there is a valid empty one.
    static const i32 ones[] = {0, 3, 6, 9, 14, 17, 20, 23};
    Input *input = (Input *)block;
    char *answer;
    set(block, 0, sizeof block);
    for (i32 i = 0; i < 8; i++) block[ones[i]] = 1;
    input->id.ptr = (u8 *)input_id;
    input->id.len = 8;
    answer = read_id(block);
    if (!answer || compare(answer, input_id, 9)) wrong |= 2;
    else free_id(answer);
  }
  return wrong;
}

/// An operator of a loaded library. `words` is memory of the caller that stays, with the stage after them.
Shim *sh_new(void *handle, i32 *words, i32 (*sink)(i32, i32), void (*wake)(void)) {
  Shim *shim = zeroed(sizeof *shim);
  shim->init = (InitResult (*)(void))dlsym(handle, "dora_init_operator");
  shim->on_event = (EventResult (*)(RawEvent *, const SendOutput *, void *))dlsym(handle, "dora_on_event");
  shim->drop = (Result (*)(void *))dlsym(handle, "dora_drop_operator");
  shim->send.env = shim;
  shim->send.call = on_send;
  shim->send.retain = shim->send.release = keep_reference;
  shim->owner = pthread_self();
  shim->sink = sink;
  shim->wake = wake;
  shim->words = words;
  // Until it has shown how long its calls last.
  shim->direct = 1;
  pthread_mutex_init(shim->mutex, 0);
  return shim;
}

/// A declared output.
void sh_port(Shim *shim, const u8 *name, i32 length) {
  OutPort *port = zeroed(sizeof *port), **ports = take((shim->ports + 1) * sizeof *ports);
  port->id.ptr = take(length + 1);
  copy(port->id.ptr, name, length);
  port->id.len = port->id.cap = length;
  if (shim->ports) {
    copy(ports, shim->port, shim->ports * sizeof *ports);
    give(shim->port);
  }
  ports[shim->ports++] = port;
  shim->port = ports;
}

i32 sh_key(Shim *shim, i32 form_number, u8 *target, i32 capacity) {
  OutForm *form = form_at(shim, form_number);
  if (form->key_length <= capacity) copy(target, form->key, form->key_length);
  return (i32)form->key_length;
}

/// What JavaScript has made of a schema.
void sh_plan(Shim *shim, i32 form_number, const i32 *plan, i32 nodes) {
  OutForm *form = form_at(shim, form_number);
  if (form->plan) give(form->plan);
  form->plan = take(nodes * sizeof(Node));
  form->nodes = nodes;
  copy(form->plan, plan, nodes * sizeof(Node));
  form->width = nodes == 1 && form->plan->kind == K_FIXED ? form->plan->width : 0;
  form->length = -1;
}

/// A text for the operator, in answer to the output that it is sending.
void sh_refuse(Shim *shim, const u8 *bytes, i32 length) {
  free_text(shim->sink_error);
  shim->sink_error = text("", bytes, length, "");
}

/// 0, or 1 when the operator has left an error.
i32 sh_init(Shim *shim) {
  InitResult result = shim->init();
  shim->context = result.context;
  shim->error = result.result.error;
  shim->open = !shim->error;
  return !shim->open;
}

/// As sh_init. Outputs of other threads are refused from now on; nothing of this operator is freed, since they may come.
i32 sh_drop(Shim *shim) {
  Foreign *foreign;
  pthread_mutex_lock(shim->mutex);
  shim->open = 0;
  foreign = shim->first;
  shim->first = 0;
  pthread_mutex_unlock(shim->mutex);
  while (foreign) {
    Foreign *next = foreign->next;
    drop_output(&foreign->out);
    give(foreign);
    foreign = next;
  }
  shim->error = shim->drop(shim->context).error;
  return shim->error != 0;
}

/// Moves a text: 0 the operator's error, 1 the text for or from the sink, 2 the error of an output of another thread.
i32 sh_text(Shim *shim, i32 which, u8 *target, i32 capacity) {
  return (i32)move_text(which == 0 ? &shim->error : which == 1 ? &shim->sink_error : &shim->late_error, target, capacity);
}

/// Counters: inputs exported, inputs released, outputs received, outputs released, releases that came twice, outputs published from here.
double sh_count(Shim *shim, i32 which) {
  i64 counts[6];
  counts[0] = shim->exports;
  counts[1] = shim->releases;
  counts[2] = shim->out_exports;
  counts[3] = shim->out_releases;
  counts[4] = shim->doubles;
  counts[5] = shim->published;
  return (double)counts[which];
}
