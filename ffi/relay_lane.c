// The common case of the relay of official nodes, without JavaScript: small messages of known heads go from sockets into memory, and
// from memory into answers of long polls. src/daemon/official/ is the reference; what is not the common case is left to it, as it was
// found. docs/adr/0012-relay-thread.md.
//
// No #include of the system's: it must compile where no C headers are installed. 64-bit, little-endian, Linux.
#include "dora_words.h"
#include "dora_writer.h"
#include "dora_pool.h"
#include "relay_rhythm.h"

// --- shared with lane.ts ------------------------------------------------------------------------------------------------------------
/// Of a connection, in words. Of a large message that was begun here: its chunk + 1, its output, bytes of its head, which stays in the
/// staging buffer, and of its end; 0: there is none.
enum { C_FLAGS, C_START, C_END, C_NODE, C_LEFT, C_ROOM, C_CHUNK, C_OUTPUT, C_HEAD, C_TAIL, CONNECTION_WORDS = 16 };
/// And in doubles: until when a frame that has begun must be complete, where the rest of a large message goes.
enum { C_DEADLINE, C_INTO, CONNECTION_FLOATS };
/// What may be served here: frames at all, long polls; or the rest of a large message, of which C_ROOM bytes are missing. 0: JavaScript
/// alone touches it.
enum { SERVED = 1, POLLS = 2, FILLED = 4 };
/// What JavaScript is to do: serve frames that are there, read.
enum { LEFT_FRAMES = 1, LEFT_READ = 2 };
/// Of a node, in words; connections are given by their places, -1: none. Who parks is not to be awaited.
enum { N_MODE, N_WAITER, N_RESTING, N_REQUESTS, N_PARKS, NODE_WORDS = 8 };
/// Not served here; only watched; only watched for messages that hold their senders up; served.
enum { ABSENT, WATCHED, UNHEARD, HEARD };
/// Of a node, in nanoseconds: until when its poll rests, when JavaScript must see to it if somebody waits.
enum { N_RESTS, N_DUE, NODE_TIMES };
/// Of an input: JavaScript takes no more from it; something was taken here.
enum { I_CLOSED, I_DIRTY };
/// What is told about a run: the connection whose reply is stalled (-1: none), parts and loans of it that are left, the latest stamp
/// seen. Then pairs of input and chunk for each loan.
enum { R_STALLED, R_PARTS, R_LOANS, R_SECONDS, R_FRACTION, R_FIRST_LOAN };
/// Messages passed so far: from sockets, into replies; and how often we were awake in time.
enum { S_IN, S_OUT, S_AWAKE };

enum { MAX_HEADS = 8, HEAD_BYTES = 256, MAX_CUTS = 31, MAX_PARTS = 2 * MAX_CUTS + 1 };
enum { HEADER_BYTES = 8, EVENTS_AT = 12, REPLY_BYTES = 1 << 20, TURN_BYTES = 8 << 20, MAX_PARAMETERS = 64 << 10 };
/// What an event takes beside its name, parameters and data, at most.
enum { EVENT_BYTES = 96 };
/// As OfficialMessageTooLargeError has it.
enum { LARGEST_BYTES = (64 - 2) << 20, MAX_FRAME_BYTES = 64 << 20 };
/// The stamp at the end of a message: a varint of 64 bits, and the 16 bytes of the clock.
enum { LEAST_STAMP_BYTES = 17, MOST_STAMP_BYTES = 26 };
enum { SEND_MESSAGE = 2, NEXT_EVENT = 6, NEXT_EVENTS = 1 };
#define REST_NS 50e6
/// The rest of a large message follows within this time as a rule, in parts of at least so many bytes: we stay awake for it.
#define FLOW_NS 5e4
enum { FLOW_BYTES = 16 << 10 };
/// Who takes a large reply may first make room for it; but others are not kept waiting for longer than this.
#define ROOM_NS 5e5
#define REPLY_TURN_NS 2e6

// --- the system ---------------------------------------------------------------------------------------------------------------------
enum { DONT_WAIT = 0x40, NO_SIGNAL = 0x4000, READABLE = 1, ENDED = 0x2000, BROKEN = 0x38, REAL_TIME = 0, MONOTONIC = 1 };
typedef struct { int fd; short events, happened; } Poll;
typedef struct { const u8 *base; u64 length; } Part;
typedef struct { void *name; u64 name_length; Part *parts; u64 count; void *control; u64 control_length, flags; } Sending;
typedef struct { i64 seconds, nanoseconds; } Time;
extern long recv(int, void *, unsigned long, int), sendmsg(int, const Sending *, int);
extern int ppoll(Poll *, unsigned long, const Time *, const void *), clock_gettime(int, Time *), close(int);
#if defined(__x86_64__)
typedef struct { u32 events; u64 data; } __attribute__((packed)) Ready;
#else
typedef struct { u32 events; u64 data; } Ready;
#endif
extern int epoll_create1(int), epoll_ctl(int, int, int, Ready *), sched_yield(void), sched_getcpu(void), prctl(int, ...);
extern int sched_getaffinity(int, unsigned long, u64 *), sched_setaffinity(int, unsigned long, const u64 *);
extern int getsockopt(int, int, int, void *, unsigned *);
enum { CLOSE_ON_EXEC = 02000000, ADD = 1, DELETE = 2, MODIFY = 3, MOST_READY = 64, SYS_EPOLL_PWAIT2 = 441 };
enum { SET_TIMER_SLACK = 29, SOCKET_LEVEL = 1, INCOMING_CPU = 49, CORE_WORDS = 16 };

// --- state --------------------------------------------------------------------------------------------------------------------------
/// The bytes of a message that JavaScript has judged: up to the stamp, the parameters, what is passed on of them.
typedef struct {
  int output, start, given, passed;
  u8 bytes[3][HEAD_BYTES];
} Head;

typedef struct { int seconds, fraction; u8 clock[16]; } Stamp;

typedef struct {
  int fd, capacity, heads, replaced;
  u8 *staging;
  Head head[MAX_HEADS];
  Rhythm rhythm;  // of its messages
  // The large message that was begun here.
  const Head *begun;
  Stamp stamp;
  int length;
} Connection;

typedef struct {
  dora_writer writer;
  dora_pool pool;  // without chunks: not open
  int *fds;        // by edge: of the consumer's pipe
  int closed;
  int *dirty;
} Output;

typedef struct {
  int *ring;
  u8 *slots;
  int mask, queue_size, inline_bytes, slot_bytes, backpressure, budget;
  int *state;
  int *producer, producer_fd;  // whom to wake after giving credit
  const u8 *start;
  int start_bytes;
  u8 *chunks;  // of the newest pool that JavaScript has met; 0: none
  i64 stride;
  int chunk_count, generation;
  int *line, *marks, *borrowed;
} Input;

typedef struct { int *wake; int first, inputs, turn; } Node;

/// What the kernel watches: a descriptor, for which events (0: not watched), and where it stands in the set of this wait.
typedef struct { int fd, events, at; } Watch;

typedef struct { int at; const u8 *address; int length; } Cut;
/// The reply that is being written. It is sent before anything else is begun, or given to JavaScript.
typedef struct {
  u8 *bytes;
  int capacity, length, large, cuts, loans;
  Cut cut[MAX_CUTS];
  struct { int input, chunk; } loan[MAX_CUTS];
} Reply;

typedef struct {
  int sockets, nodes, inputs, outputs;
  Connection *connection;
  Node *node;
  Input *input;
  Output *output;
  int *connection_words, *node_words, *run_words, *counts;
  double *connection_floats, *times, *parts;
  double frame_timeout, now;
  Vigil vigil;
  double flows;  // until when the rest of a large message is likely
  int left;  // JavaScript has something to do
  int epoll, first;  // -1: there is none; where connections begin
  Watch *watch;
  dora_clock clock;
  Reply reply;
} Lane;

static void *address(double value) { return (void *)(u64)value; }
static int *words_of(const Lane *lane, int connection) { return lane->connection_words + connection * CONNECTION_WORDS; }
static double *floats_of(const Lane *lane, int connection) { return lane->connection_floats + connection * CONNECTION_FLOATS; }
static int *node_of(const Lane *lane, int node) { return lane->node_words + node * NODE_WORDS; }
static double *times_of(const Lane *lane, int node) { return lane->times + node * NODE_TIMES; }

static double least(double one, double other) { return one < other ? one : other; }

static double now_ns(void) {
  Time time;
  clock_gettime(MONOTONIC, &time);
  return (double)time.seconds * 1e9 + (double)time.nanoseconds;
}

static void leave(Lane *lane, int connection, int what) {
  words_of(lane, connection)[C_LEFT] |= what;
  lane->left = 1;
}

// --- the wire -----------------------------------------------------------------------------------------------------------------------
typedef struct { const u8 *at, *end; } Reader;

static int read_varint(Reader *reader, u64 *value) {
  *value = 0;
  for (int i = 0; i < 10 && reader->at < reader->end; i++) {
    u8 byte = *reader->at++;
    if (i == 9 && byte > 1) return 0;
    *value |= (u64)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return 1;
  }
  return 0;
}

/// When that was, in monotonic nanoseconds.
static double monotonic_of(const Lane *lane, const Stamp *stamp) {
  const dora_clock *clock = &lane->clock;
  double seconds = (double)(u32)stamp->seconds - clock->epoch_seconds;
  return seconds * 1e9 + (u32)stamp->fraction * (1e9 / 4294967296.0) - clock->epoch_nanoseconds;
}

static int read_stamp(Reader *reader, Stamp *stamp) {
  u64 time;
  if (!read_varint(reader, &time) || reader->end - reader->at < 16) return 0;
  stamp->seconds = (int)(u32)(time >> 32);
  stamp->fraction = (int)(u32)time;
  memcpy(stamp->clock, reader->at, 16);
  reader->at += 16;
  return 1;
}

static int skips(Reader *reader, const u8 *expected, int length) {
  if (reader->end - reader->at < length || memcmp(reader->at, expected, (unsigned)length)) return 0;
  reader->at += length;
  return 1;
}

static u8 *write_varint(u8 *at, u64 value) {
  for (; value >= 0x80; value >>= 7) *at++ = (u8)value | 0x80;
  *at++ = (u8)value;
  return at;
}

static u8 *write_stamp(u8 *at, const Stamp *stamp) {
  at = write_varint(at, (u64)(u32)stamp->seconds << 32 | (u32)stamp->fraction);
  memcpy(at, stamp->clock, 16);
  return at + 16;
}

/// The latest stamp of a peer is for JavaScript's clock, as HybridClock.merge takes it: none that is far ahead.
static void see(Lane *lane, const Stamp *stamp) {
  u32 seconds = (u32)stamp->seconds, fraction = (u32)stamp->fraction;
  u32 last = (u32)lane->run_words[R_SECONDS];
  if (seconds < last || (seconds == last && fraction <= (u32)lane->run_words[R_FRACTION])) return;
  Time time;
  clock_gettime(REAL_TIME, &time);
  if ((double)seconds - (double)time.seconds + fraction / 4294967296.0 - (double)time.nanoseconds / 1e9 > 0.5) return;
  lane->run_words[R_SECONDS] = stamp->seconds;
  lane->run_words[R_FRACTION] = stamp->fraction;
}

// --- from sockets into memory -------------------------------------------------------------------------------------------------------
static void set_stamp(Lane *lane, dora_writer *writer, const Stamp *stamp) {
  lane->clock.seconds = stamp->seconds;
  lane->clock.fraction = stamp->fraction;
  memcpy(writer->clock_id, stamp->clock, 16);
}

static void published(Output *output, int parked) {
  *output->dirty = 1;
  if (parked)
    for (int i = 0; i < output->writer.count; i++) dora_wake_word(output->writer.edges[i].wake, output->fds[i]);
}

static int publish(Lane *lane, Output *output, const Stamp *stamp, dora_message *message) {
  dora_writer *writer = &output->writer;
  if (output->closed) return 0;
  if (writer->count == 0) return 1;
  if (!dora_writer_ready(writer)) return 0;
  set_stamp(lane, writer, stamp);
  int parked;
  if (((message->length + 7) & ~7) + message->parameter_bytes <= writer->inline_bytes) {
    message->chunk = -1;
    parked = dora_writer_publish(writer, message);
  } else {
    if (!output->pool.chunks) return 0;
    int done = dora_pool_publish(&output->pool, writer, message);
    if (!done) return 0;
    parked = done - 1;
  }
  published(output, parked);
  return 1;
}

/// Reads a message up to its data, of which there are `length` bytes. 0: its head is not known.
static const Head *read_head(const Connection *connection, Reader *reader, Stamp *stamp, u64 *length) {
  for (int i = 0; i < connection->heads; i++) {
    const Head *head = &connection->head[i];
    if (!skips(reader, head->bytes[0], head->start)) continue;
    if (!read_stamp(reader, stamp) || !skips(reader, head->bytes[1], head->given) || reader->at == reader->end) return 0;
    u8 has_data = *reader->at++;
    *length = 0;
    if (has_data > 1) return 0;
    if (has_data && (reader->at == reader->end || *reader->at++ != 0 || !read_varint(reader, length) || !*length)) return 0;
    return head;
  }
  return 0;
}

/// A message has been passed on.
static void passed(Lane *lane, Connection *connection, const Stamp *stamp, const Stamp *sent) {
  see(lane, sent);
  rhythm_hear(&connection->rhythm, monotonic_of(lane, stamp), lane->now);
  lane->counts[S_IN]++;
}

static int pass(Lane *lane, Connection *connection, Reader reader) {
  Stamp stamp, sent;
  u64 length;
  const Head *head = read_head(connection, &reader, &stamp, &length);
  if (!head || length > (u64)(reader.end - reader.at)) return 0;
  dora_message message = {
    .body = reader.at, .parameters = head->bytes[2],
    .length = (int)length, .body_bytes = (int)length, .parameter_bytes = head->passed,
  };
  reader.at += length;
  if (!read_stamp(&reader, &sent) || reader.at != reader.end) return 0;
  if (!publish(lane, &lane->output[head->output], &stamp, &message)) return 0;
  passed(lane, connection, &stamp, &sent);
  return 1;
}

/// Begins with a large message, of which the first bytes are there: what comes next goes into its chunk. 0: it is JavaScript's.
static int begin(Lane *lane, int index, const u8 *frame, u64 length) {
  Connection *connection = &lane->connection[index];
  int *words = words_of(lane, index);
  u8 *end = connection->staging + words[C_END];
  Reader reader = { frame + HEADER_BYTES, end };
  u64 bytes;
  const Head *head = read_head(connection, &reader, &connection->stamp, &bytes);
  if (!head || !bytes || length > MAX_FRAME_BYTES || bytes > length) return 0;
  u8 *data = connection->staging + (reader.at - connection->staging);
  int head_bytes = (int)(data - frame), tail = (int)(length + HEADER_BYTES - (u64)head_bytes - bytes);
  if (tail < LEAST_STAMP_BYTES || tail > MOST_STAMP_BYTES) return 0;
  Output *output = &lane->output[head->output];
  if (output->closed || !output->writer.count || !output->pool.chunks) return 0;
  int chunk = dora_pool_begin(&output->pool, &output->writer, (i64)bytes, head->passed);
  if (chunk < 0) return 0;
  u8 *into = dora_pool_at(&output->pool, chunk);
  int there = (int)(end - data) < (int)bytes ? (int)(end - data) : (int)bytes;
  memcpy(into, data, (unsigned)there);
  // What follows the data stays behind the head.
  memmove(data, data + there, (unsigned)(end - data - there));
  words[C_END] -= there;
  floats_of(lane, index)[C_INTO] = (double)(u64)(into + there);
  words[C_ROOM] = (int)bytes - there;
  words[C_CHUNK] = chunk + 1;
  words[C_OUTPUT] = head->output;
  words[C_HEAD] = head_bytes;
  words[C_TAIL] = tail;
  connection->begun = head;
  connection->length = (int)bytes;
  return 1;
}

/// Passes a large message on if all of it has come. 0: it has not, or JavaScript must see to it.
static int finish(Lane *lane, int index) {
  Connection *connection = &lane->connection[index];
  int *words = words_of(lane, index), tail = words[C_TAIL];
  u8 *end = connection->staging + words[C_START] + words[C_HEAD];
  if (words[C_ROOM] > 0 || words[C_END] - words[C_START] - words[C_HEAD] < tail) return 0;
  Output *output = &lane->output[words[C_OUTPUT]];
  Reader reader = { end, end + tail };
  Stamp sent;
  if (!read_stamp(&reader, &sent) || reader.at != reader.end || output->closed || !dora_writer_ready(&output->writer)) {
    leave(lane, index, LEFT_FRAMES);
    return 0;
  }
  dora_message message = {
    .parameters = connection->begun->bytes[2], .parameter_bytes = connection->begun->passed,
    .length = connection->length, .body_bytes = connection->length,
  };
  set_stamp(lane, &output->writer, &connection->stamp);
  published(output, dora_pool_publish_chunk(&output->pool, &output->writer, &message, words[C_CHUNK] - 1));
  passed(lane, connection, &connection->stamp, &sent);
  words[C_START] += words[C_HEAD] + tail;
  words[C_CHUNK] = 0;
  floats_of(lane, index)[C_DEADLINE] = 1.0 / 0.0;
  return 1;
}

static int poll_comes(Lane *lane, int connection, int node, Reader reader) {
  int *words = node_of(lane, node);
  Stamp stamp;
  reader.at++;
  if (words[N_WAITER] >= 0 || !read_stamp(&reader, &stamp) || reader.at != reader.end) return 0;
  see(lane, &stamp);
  words[N_WAITER] = connection;
  words[N_RESTING] = -1;
  return 1;
}

/// Serves the frames that are there. What it can't is left as it is.
static void serve_frames(Lane *lane, int index) {
  Connection *connection = &lane->connection[index];
  int *words = words_of(lane, index);
  for (;;) {
    if (words[C_CHUNK] && !finish(lane, index)) return;
    int available = words[C_END] - words[C_START];
    const u8 *frame = connection->staging + words[C_START];
    u64 length = 0;
    if (available >= HEADER_BYTES) memcpy(&length, frame, HEADER_BYTES);
    int whole = available >= HEADER_BYTES && length <= (u64)(available - HEADER_BYTES);
    if (!whole) {
      double *deadline = &floats_of(lane, index)[C_DEADLINE];
      if (available == 0) *deadline = 1.0 / 0.0;
      else if (*deadline == 1.0 / 0.0) *deadline = lane->now + lane->frame_timeout;
      int is_large = available >= HEADER_BYTES && length > (u64)(connection->capacity - HEADER_BYTES);
      if (is_large && !begin(lane, index, frame, length)) leave(lane, index, LEFT_FRAMES);
      return;
    }
    Reader reader = { frame + HEADER_BYTES, frame + HEADER_BYTES + length };
    int kind = length ? *reader.at : -1, done = 0;
    if (kind == SEND_MESSAGE) done = pass(lane, connection, reader);
    else if (kind == NEXT_EVENT && words[C_FLAGS] & POLLS) done = poll_comes(lane, index, words[C_NODE], reader);
    if (!done) {
      leave(lane, index, LEFT_FRAMES);
      return;
    }
    words[C_START] += HEADER_BYTES + (int)length;
  }
}

/// Reads the rest of a large message into its place. What recv said, or 0 if it was the end of the connection.
static long fill(Lane *lane, int index) {
  int *words = words_of(lane, index);
  double *into = &floats_of(lane, index)[C_INTO];
  long got = recv(lane->connection[index].fd, address(*into), (unsigned)words[C_ROOM], DONT_WAIT);
  if (got == 0) leave(lane, index, LEFT_READ);
  if (got <= 0) return got;
  *into += (double)got;
  words[C_ROOM] -= (int)got;
  if (got >= FLOW_BYTES) lane->flows = lane->now + FLOW_NS;
  node_of(lane, words[C_NODE])[N_REQUESTS]++;
  return got;
}

/// Reads what is there, and serves it.
static void read_connection(Lane *lane, int index) {
  Connection *connection = &lane->connection[index];
  int *words = words_of(lane, index);
  for (long budget = TURN_BYTES, got = 1; budget > 0 && words[C_FLAGS] && !words[C_LEFT]; budget -= got) {
    if (words[C_ROOM] > 0) {
      got = fill(lane, index);
      if (got <= 0 || words[C_ROOM] > 0) return;
      // What JavaScript has begun it ends as well.
      if (words[C_FLAGS] & FILLED) leave(lane, index, LEFT_READ);
      continue;
    }
    int kept = words[C_END] - words[C_START];
    if (words[C_START] > 0 && kept > 0) memmove(connection->staging, connection->staging + words[C_START], (unsigned)kept);
    words[C_START] = 0;
    words[C_END] = kept;
    int room = connection->capacity - kept;
    got = recv(connection->fd, connection->staging + kept, (unsigned)room, DONT_WAIT);
    if (got < 0) return;
    if (got == 0) {
      leave(lane, index, LEFT_READ);
      return;
    }
    words[C_END] += (int)got;
    node_of(lane, words[C_NODE])[N_REQUESTS]++;
    serve_frames(lane, index);
    if (got < room) return;
  }
}

// --- from memory into replies -------------------------------------------------------------------------------------------------------
static int *slot_of(const Input *input, int index) {
  return (int *)(input->slots + (u64)(index & input->mask) * (u64)input->slot_bytes);
}

static int is_ready(const Input *input) {
  for (;;) {
    int tail = dora_load(input->ring + DORA_TAIL_WORD);
    if (dora_load(slot_of(input, tail) + DORA_SEQ_WORD) == dora_add(tail, 1)) return 1;
    if (dora_load(input->ring + DORA_TAIL_WORD) == tail) return 0;
  }
}

static void give_back(Input *input, int chunk) {
  input->marks[chunk >> 5] &= ~(1u << (chunk & 31));
  dora_store(input->line + (chunk >> 5), input->marks[chunk >> 5]);
  --*input->borrowed;
}

/// What a slot says, read once each: it may be a mixture of two messages, or lie.
typedef struct { int length, chunk, parameters, offset; Stamp stamp; const u8 *stream; } Taken;

static void read_slot(const Input *input, int index, Taken *taken) {
  int *slot = slot_of(input, index);
  taken->length = dora_load(slot + DORA_LENGTH_WORD);
  taken->chunk = dora_load(slot + DORA_CHUNK_WORD);
  taken->parameters = dora_load(slot + DORA_PARAMETERS_WORD);
  taken->offset = dora_load(slot + DORA_OFFSET_WORD);
  taken->stamp.seconds = dora_load(slot + DORA_SECONDS_WORD);
  taken->stamp.fraction = dora_load(slot + DORA_FRACTION_WORD);
  memcpy(taken->stamp.clock, slot + DORA_CLOCK_ID_WORD, 16);
  taken->stream = (u8 *)slot + DORA_SLOT_HEADER_BYTES;
}

/// Is it what an honest producer writes, and something for us? Marks the chunk of a large message. 0: JavaScript finds out what it is.
static int judge(Input *input, Taken *taken) {
  if (taken->length < 0 || taken->length > LARGEST_BYTES) return 0;
  if (taken->parameters < 0 || taken->parameters > MAX_PARAMETERS) return 0;
  i64 end = (((i64)taken->length + 7) & ~7ll) + taken->parameters;
  if (taken->chunk < 0) return end <= input->inline_bytes;
  int chunk = taken->chunk & DORA_CHUNK_MASK;
  if (!input->chunks || taken->chunk >> DORA_CHUNK_BITS != input->generation || chunk >= input->chunk_count) return 0;
  if (taken->offset < 0 || taken->offset + end > input->stride || *input->borrowed >= input->budget) return 0;
  u32 bit = 1u << (chunk & 31);
  if ((u32)input->marks[chunk >> 5] & bit) return 0;
  input->marks[chunk >> 5] |= (int)bit;
  dora_store(input->line + (chunk >> 5), input->marks[chunk >> 5]);
  ++*input->borrowed;
  taken->stream = input->chunks + chunk * input->stride + taken->offset;
  return 1;
}

/// Writes the event of a message; a large one is sent from where it lies.
static void write_event(Reply *reply, const Input *input, const Taken *taken) {
  u8 *at = reply->bytes + reply->length;
  memcpy(at, input->start, (unsigned)input->start_bytes);
  at = write_stamp(at + input->start_bytes, &taken->stamp);
  if (taken->parameters == 0) *at++ = 0;
  else memcpy(at, taken->stream + ((taken->length + 7) & ~7), (unsigned)taken->parameters);
  at += taken->parameters;
  *at++ = taken->length > 0;
  if (taken->length > 0) {
    *at++ = 0;
    at = write_varint(at, (u64)taken->length);
  }
  if (taken->chunk < 0) {
    memcpy(at, taken->stream, (unsigned)taken->length);
    at += taken->length;
  } else {
    Cut *cut = &reply->cut[reply->cuts++];
    cut->at = (int)(at - reply->bytes);
    cut->address = taken->stream;
    cut->length = taken->length;
    reply->large += taken->length;
  }
  at = write_stamp(at, &taken->stamp);
  reply->length = (int)(at - reply->bytes);
}

/// The highest bit of a number that is not 0. TinyCC has no word for it.
static int exponent_of(u32 number) {
  int exponent = 0;
  while (number >>= 1) exponent++;
  return exponent;
}

/// The bucket of a latency, and of the number of messages in a queue: src/shm/histogram.ts.
static int latency_bucket(double ns) {
  if (!(ns >= 64)) return 0;
  int scaled = ns < 2147483648.0 ? 0 : 16;
  if (scaled) ns /= 65536;
  if (ns >= 2147483648.0) return DORA_LATENCY_BUCKETS - 1;
  u32 whole = (u32)ns;
  int exponent = exponent_of(whole);
  int bucket = ((exponent - 6 + scaled) << 4) + (int)(whole >> (exponent - 4) & 15);
  return bucket < DORA_LATENCY_BUCKETS ? bucket : DORA_LATENCY_BUCKETS - 1;
}

static int depth_bucket(int depth) {
  if (depth <= 16) return depth < 1 ? 0 : depth - 1;
  int bucket = 12 + exponent_of((u32)depth - 1);
  return bucket < DORA_DEPTH_BUCKETS ? bucket : DORA_DEPTH_BUCKETS - 1;
}

/// How long a message was under way up to here, and how many were in the queue.
static void sample(const Lane *lane, int *ring, const Stamp *stamp, int tail) {
  ring[DORA_LATENCIES_WORD + latency_bucket(now_ns() - monotonic_of(lane, stamp))]++;
  ring[DORA_DEPTHS_WORD + depth_bucket(dora_ahead(dora_load(ring + DORA_HEAD_WORD), tail) + 1)]++;
}

/// After a claim: counts it, and wakes a producer that waits for room.
static void took(Input *input, int tail) {
  int *ring = input->ring;
  ring[DORA_TAKEN_WORD] = dora_add(ring[DORA_TAKEN_WORD], 1);
  input->state[I_DIRTY] = 1;
  if (!input->backpressure || !input->producer) return;
  int want = dora_load(ring + DORA_WANT_WORD);
  int queued = dora_ahead(dora_load(ring + DORA_HEAD_WORD), tail);
  if (want == DORA_WANT_ROOM || (want == DORA_WANT_HALF && queued <= input->queue_size >> 1))
    dora_wake_word(input->producer, input->producer_fd);
}

/// Takes the next message into the reply. 0: there is none, -1: it is not for us.
static int take(Lane *lane, int index) {
  Input *input = &lane->input[index];
  Reply *reply = &lane->reply;
  for (;;) {
    if (!is_ready(input)) return 0;
    int tail = dora_load(input->ring + DORA_TAIL_WORD), length = reply->length, cuts = reply->cuts, large = reply->large;
    if (dora_load(slot_of(input, tail) + DORA_SEQ_WORD) != dora_add(tail, 1)) continue;
    Taken taken;
    read_slot(input, tail, &taken);
    if (!judge(input, &taken)) return -1;
    write_event(reply, input, &taken);
    int seen = tail, chunk = taken.chunk & DORA_CHUNK_MASK;
    if (dora_exchange(input->ring + DORA_TAIL_WORD, &seen, dora_add(tail, 1))) {
      if (taken.chunk >= 0) {
        reply->loan[reply->loans].input = index;
        reply->loan[reply->loans++].chunk = chunk;
      }
      sample(lane, input->ring, &taken.stamp, dora_add(tail, 1));
      took(input, dora_add(tail, 1));
      return 1;
    }
    if (taken.chunk >= 0) give_back(input, chunk);
    reply->length = length;
    reply->cuts = cuts;
    reply->large = large;
  }
}

/// Messages from all inputs in turn, each at most as long as its queue. Returns how many; -1: JavaScript must take the first.
static int collect(Lane *lane, Node *node) {
  Reply *reply = &lane->reply;
  int events = 0;
  reply->length = EVENTS_AT;
  reply->large = reply->cuts = reply->loans = 0;
  for (int i = 0; i < node->inputs; i++) {
    int index = node->first + (int)(((unsigned)node->turn + (unsigned)i) % (unsigned)node->inputs);
    Input *input = &lane->input[index];
    if (input->state[I_CLOSED]) continue;
    int most = EVENT_BYTES + input->start_bytes + MAX_PARAMETERS + input->inline_bytes;
    for (int left = input->queue_size; left > 0; left--) {
      int is_full = reply->length + reply->large >= REPLY_BYTES || reply->length + most > reply->capacity;
      if (is_full || reply->cuts == MAX_CUTS) break;
      int got = take(lane, index);
      if (got < 0 && events == 0) return -1;
      if (got <= 0) break;
      events++;
    }
  }
  node->turn++;
  return events;
}

/// What is left of a reply is JavaScript's.
static void stall(Lane *lane, int connection, const Part *part, int parts) {
  int *run = lane->run_words;
  run[R_STALLED] = connection;
  run[R_PARTS] = parts;
  run[R_LOANS] = lane->reply.loans;
  for (int i = 0; i < parts; i++) {
    lane->parts[2 * i] = (double)(u64)part[i].base;
    lane->parts[2 * i + 1] = (double)part[i].length;
  }
  for (int i = 0; i < lane->reply.loans; i++) {
    run[R_FIRST_LOAN + 2 * i] = lane->reply.loan[i].input;
    run[R_FIRST_LOAN + 2 * i + 1] = lane->reply.loan[i].chunk;
  }
  lane->left = 1;
}

/// Puts length, variant and number of events before the events. Returns where the frame begins.
static int frame_reply(Reply *reply, int events) {
  u8 groups[5];
  int count = (int)(write_varint(groups, (u64)events) - groups), at = EVENTS_AT - count;
  memcpy(reply->bytes + at, groups, (unsigned)count);
  reply->bytes[--at] = NEXT_EVENTS;
  u64 body = (u64)(reply->length - at) + (u64)reply->large;
  at -= HEADER_BYTES;
  memcpy(reply->bytes + at, &body, HEADER_BYTES);
  return at;
}

/// Sends the reply and gives back what it has sent. 0: the socket takes no more at present.
static int send_reply(Lane *lane, int connection, int events) {
  Reply *reply = &lane->reply;
  Part parts[MAX_PARTS];
  int count = 0, from = frame_reply(reply, events);
  for (int i = 0; i < reply->cuts; i++) {
    parts[count++] = (Part){ reply->bytes + from, (u64)(reply->cut[i].at - from) };
    parts[count++] = (Part){ reply->cut[i].address, (u64)reply->cut[i].length };
    from = reply->cut[i].at;
  }
  parts[count++] = (Part){ reply->bytes + from, (u64)(reply->length - from) };
  double end = 0, flows = 0;
  for (int next = 0; next < count;) {
    Sending sending = { .parts = parts + next, .count = (u64)(count - next) };
    long sent = sendmsg(lane->connection[connection].fd, &sending, NO_SIGNAL | DONT_WAIT);
    if (sent <= 0) {
      if (now_ns() < flows && !sched_yield()) continue;
      stall(lane, connection, parts + next, count - next);
      return 0;
    }
    while (next < count && (u64)sent >= parts[next].length) sent -= (long)parts[next++].length;
    if (next == count) break;
    parts[next].base += sent;
    parts[next].length -= (u64)sent;
    double now = now_ns();
    if (!end) end = now + REPLY_TURN_NS;
    flows = least(now + ROOM_NS, end);
  }
  for (int i = 0; i < reply->loans; i++) give_back(&lane->input[reply->loan[i].input], reply->loan[i].chunk);
  return 1;
}

// --- nodes --------------------------------------------------------------------------------------------------------------------------
enum { NOTHING, MESSAGES, FOR_JAVASCRIPT };

/// Is there something to tell?
static int news(const Lane *lane, int index) {
  const Node *node = &lane->node[index];
  int found = times_of(lane, index)[N_DUE] <= lane->now ? FOR_JAVASCRIPT : NOTHING;
  for (int i = node->first; i < node->first + node->inputs; i++) {
    const Input *input = &lane->input[i];
    if (input->state[I_CLOSED]) continue;
    if (dora_load(input->ring + DORA_CLOSED_WORD)) return FOR_JAVASCRIPT;
    if (found == NOTHING && is_ready(input)) found = MESSAGES;
  }
  return found;
}

/// Somebody waits for events, or will have asked by the time that there are some.
static int is_expected(const int *words) { return words[N_WAITER] >= 0 || words[N_RESTING] >= 0; }

/// Answers the long poll of a node if there are messages.
static void serve_node(Lane *lane, int index) {
  int *words = node_of(lane, index);
  double *times = times_of(lane, index);
  if (words[N_MODE] != HEARD) return;
  if (words[N_RESTING] >= 0 && times[N_RESTS] <= lane->now) words[N_RESTING] = -1;
  if (!is_expected(words)) return;
  int found = news(lane, index);
  if (found == NOTHING) return;
  if (found == MESSAGES && words[N_WAITER] < 0) {
    // What it reads is the request as a rule.
    int resting = words[N_RESTING];
    if (!(words_of(lane, resting)[C_FLAGS] & POLLS)) found = FOR_JAVASCRIPT;
    else {
      words[N_RESTING] = -1;
      read_connection(lane, resting);
      if (words[N_WAITER] < 0) return;
    }
  }
  if (found == FOR_JAVASCRIPT || !(words_of(lane, words[N_WAITER])[C_FLAGS] & POLLS)) {
    lane->left = 1;
    return;
  }
  int connection = words[N_WAITER], events = collect(lane, &lane->node[index]);
  if (events < 0) lane->left = 1;
  if (events <= 0) return;
  lane->counts[S_OUT] += events;
  words[N_WAITER] = -1;
  if (!send_reply(lane, connection, events)) return;
  words[N_RESTING] = connection;
  times[N_RESTS] = lane->now + REST_NS;
  serve_frames(lane, connection);
}

/// After everybody is armed. Returns when something needs us that no descriptor tells.
static double due_of(const Lane *lane, int index) {
  const int *words = node_of(lane, index);
  const Node *node = &lane->node[index];
  double due = words[N_RESTING] >= 0 ? times_of(lane, index)[N_RESTS] : 1.0 / 0.0;
  if (words[N_MODE] == ABSENT) return due;
  if (words[N_MODE] == UNHEARD) {
    for (int i = node->first; i < node->first + node->inputs; i++)
      if (lane->input[i].backpressure && is_ready(&lane->input[i])) return 0;
  }
  if (!is_expected(words)) return due;
  if (news(lane, index) != NOTHING) return 0;
  double at = times_of(lane, index)[N_DUE];
  return at < due ? at : due;
}

static void arm(const Lane *lane, int value) {
  for (int i = 0; i < lane->nodes; i++)
    if (node_of(lane, i)[N_MODE] != ABSENT) dora_store(lane->node[i].wake, value);
}

static void watch(Lane *lane, Watch *watch, int fd, int events) {
  Ready ready = { (u32)events, (u64)(watch - lane->watch) };
  int change = watch->events == 0 ? ADD : events == 0 ? DELETE : MODIFY;
  int failed = epoll_ctl(lane->epoll, change, change == DELETE ? watch->fd : fd, &ready);
  watch->fd = fd;
  watch->events = events;
  if (!failed) return;
  // The user may watch no more, or there is no memory: ppoll needs neither.
  close(lane->epoll);
  lane->epoll = -1;
}

/// As ppoll, which looks at every descriptor each time; here the kernel keeps the set, and in steady state nothing of it changes.
static int wait_ready(Lane *lane, Poll *polls, const int *order, int count, const Time *time) {
  for (int i = 0; i < count && lane->epoll >= 0; i++) {
    Watch *one = &lane->watch[i < lane->first ? i : lane->first + order[i - lane->first]];
    int events = polls[i].fd < 0 ? 0 : polls[i].events;
    one->at = i;
    polls[i].happened = 0;
    if (one->events != events) watch(lane, one, polls[i].fd, events);
  }
  if (lane->epoll < 0) return ppoll(polls, (unsigned)count, time, 0);
  Ready ready[MOST_READY];
  int found = (int)syscall(SYS_EPOLL_PWAIT2, (long)lane->epoll, ready, (long)MOST_READY, time, 0l, 0l);
  for (int i = 0; i < found; i++) {
    Watch *one = &lane->watch[ready[i].data];
    if (one->events) polls[one->at].happened = (short)ready[i].events;
  }
  return found;
}

static int wait(Lane *lane, Poll *polls, const int *order, int count, double until) {
  double left = until - lane->now;
  if (left < 0) left = 0;
  Time time = { 0, 0 };
  int limited = left < 1e18;
  if (limited) {
    time.seconds = (i64)(left / 1e9);
    time.nanoseconds = (i64)(left - (double)time.seconds * 1e9);
  }
  return wait_ready(lane, polls, order, count, limited ? &time : 0);
}

/// The core on which a sender wrote last; -1: nobody knows.
static int core_of(const Connection *connection) {
  int core = -1;
  unsigned length = sizeof core;
  return getsockopt(connection->fd, SOCKET_LEVEL, INCOMING_CPU, &core, &length) ? -1 : core;
}

/// Leaves this core if it is that of who is to be heard: one of us would wait there until the other is done.
static void stand_apart(const Connection *connection) {
  u64 all[CORE_WORDS], others[CORE_WORDS];
  int core = sched_getcpu();
  if (core < 0 || core >= 64 * CORE_WORDS || core_of(connection) != core) return;
  if (sched_getaffinity(0, sizeof all, all)) return;
  memcpy(others, all, sizeof all);
  others[core >> 6] &= ~(1ull << (core & 63));
  if (!sched_setaffinity(0, sizeof others, others)) sched_setaffinity(0, sizeof all, all);
}

/// Polls. Who is to be heard may want this core.
static int poll_until(Lane *lane, Poll *polls, const int *order, int count, double until) {
  int happened = 0;
  while (happened == 0 && lane->now < until) {
    sched_yield();
    happened = wait(lane, polls, order, count, lane->now);
    lane->now = now_ns();
  }
  return happened;
}

/// Waits, and is awake when a sender is likely to be heard: until it is, or for as long as that is likely.
static int wait_awake(Lane *lane, Poll *polls, const int *order, int count, double until) {
  int flowing = poll_until(lane, polls, order, count, least(lane->flows, until));
  if (flowing) return flowing;
  Vigil *vigil = &lane->vigil;
  Watchtime time = { until, until, -1 };
  vigil_credit(vigil, lane->now);
  for (int i = lane->first; i < count; i++) {
    int place = order[i - lane->first], *words = words_of(lane, place);
    if (!words[C_FLAGS] || node_of(lane, words[C_NODE])[N_PARKS]) continue;
    vigil_expect(vigil, &lane->connection[place].rhythm, place, lane->now, &time);
  }
  int happened = 0;
  if (time.sender >= 0 && time.from > lane->now) {
    stand_apart(&lane->connection[time.sender]);
    happened = wait(lane, polls, order, count, time.from);
    lane->now = now_ns();
    // Who is woken by the message after the time has slept too long as well.
    if (lane->now > time.from) vigil_slept(vigil, lane->now - time.from);
  }
  double begun = lane->now;
  if (time.sender >= 0 && happened == 0) happened = poll_until(lane, polls, order, count, least(time.until, until));
  vigil->saved -= lane->now - begun;
  if (happened > 0 && lane->now > begun) lane->counts[S_AWAKE]++;
  return happened ? happened : wait(lane, polls, order, count, until);
}

/// A connection that is served here: what to wait for.
static short interest(const Lane *lane, int connection) {
  int node = words_of(lane, connection)[C_NODE];
  return node_of(lane, node)[N_RESTING] == connection ? ENDED : READABLE;
}

/// What has happened to descriptors that are served here; the others are JavaScript's.
static void serve_polls(Lane *lane, Poll *polls, const int *order, int count) {
  int first = lane->first, own = first - lane->nodes;
  for (int i = 0; i < count; i++) {
    Poll *poll = &polls[i];
    if (!poll->happened) continue;
    int is_pipe = i >= own && i < first;
    if (is_pipe) {
      u8 bytes[256];
      while (read(poll->fd, bytes, sizeof bytes) == sizeof bytes);
    } else if (i >= first && words_of(lane, order[i - first])[C_FLAGS]) {
      if (poll->events == ENDED) leave(lane, order[i - first], LEFT_READ);
      else read_connection(lane, order[i - first]);
    } else {
      lane->left = 1;
      continue;
    }
    poll->happened = 0;
  }
}

/// Serves and sleeps until JavaScript is needed: something is left to it, or it is `due`.
///
/// @param polls  descriptors of JavaScript's, the nodes' pipes, and then connections
/// @param order  the places of these connections
/// @param once   sleep once at most
/// @return       as ppoll; what is served is no longer said to have happened
int lane_run(Lane *lane, Poll *polls, const int *order, int count, double due, int once) {
  int first = lane->first;
  lane->left = 0;
  lane->run_words[R_STALLED] = -1;
  lane->now = now_ns();
  for (;;) {
    for (int i = 0; i < lane->nodes; i++) {
      serve_node(lane, i);
      if (lane->run_words[R_STALLED] >= 0) return 0;
    }
    double until = due, asked = due;
    arm(lane, DORA_WAKE_PARKED_FD);
    for (int i = 0; i < lane->nodes; i++) {
      double at = due_of(lane, i);
      if (at < until) until = at;
      if (at < asked && node_of(lane, i)[N_MODE] != HEARD) asked = at;
    }
    for (int i = first; i < count; i++) {
      int place = order[i - first];
      double deadline = floats_of(lane, place)[C_DEADLINE];
      if (deadline < asked) asked = deadline;
      if (words_of(lane, place)[C_FLAGS]) polls[i].events = interest(lane, place);
    }
    if (asked < until) until = asked;
    int happened = lane->left ? wait(lane, polls, order, count, 0) : wait_awake(lane, polls, order, count, until);
    arm(lane, DORA_WAKE_RUNNING);
    lane->now = now_ns();
    if (happened > 0) serve_polls(lane, polls, order, count);
    if (happened < 0 || once || lane->left || asked <= lane->now) return happened;
  }
}

// --- what JavaScript makes ----------------------------------------------------------------------------------------------------------
/// Facts: numbers of connections, nodes, inputs, outputs; how long a frame may take; where what is shared lies; room for a reply;
/// descriptors of JavaScript's in the set.
Lane *lane_open(const double *facts) {
  Lane *lane = calloc(1, sizeof *lane);
  lane->sockets = (int)facts[0];
  lane->nodes = (int)facts[1];
  lane->connection = calloc((u64)facts[0], sizeof *lane->connection);
  lane->node = calloc((u64)facts[1], sizeof *lane->node);
  lane->input = calloc((u64)facts[2] + 1, sizeof *lane->input);
  lane->output = calloc((u64)facts[3] + 1, sizeof *lane->output);
  lane->frame_timeout = facts[4];
  lane->connection_words = address(facts[5]);
  lane->connection_floats = address(facts[6]);
  lane->node_words = address(facts[7]);
  lane->times = address(facts[8]);
  lane->run_words = address(facts[9]);
  lane->parts = address(facts[10]);
  lane->counts = address(facts[11]);
  lane->reply.bytes = address(facts[12]);
  lane->reply.capacity = (int)facts[13];
  lane->first = (int)facts[14] + lane->nodes;
  lane->clock.epoch_seconds = facts[15];
  lane->clock.epoch_nanoseconds = facts[16];
  lane->vigil.late = USUAL_LATE_NS;
  // A sleep with a limit ends within a microsecond of it, not within 50.
  prctl(SET_TIMER_SLACK, 1000l, 0l, 0l, 0l);
  lane->watch = calloc((u64)lane->first + (u64)facts[0], sizeof *lane->watch);
  lane->epoll = epoll_create1(CLOSE_ON_EXEC);
  Ready ready;
  Time none = { 0, 0 };
  // Kernels before 5.11 have none with a limit in nanoseconds.
  if (lane->epoll >= 0 && syscall(SYS_EPOLL_PWAIT2, (long)lane->epoll, &ready, 1l, &none, 0l, 0l) != 0) {
    close(lane->epoll);
    lane->epoll = -1;
  }
  return lane;
}

void lane_close(Lane *lane) {
  for (int i = 0; i < lane->outputs; i++) {
    free(lane->output[i].writer.edges);
    free(lane->output[i].pool.edges);
    free(lane->output[i].fds);
  }
  if (lane->epoll >= 0) close(lane->epoll);
  free(lane->watch);
  free(lane->connection);
  free(lane->node);
  free(lane->input);
  free(lane->output);
  free(lane);
}

/// A node has joined; its inputs follow.
void lane_node(Lane *lane, int index, double wake) {
  lane->node[index].wake = address(wake);
  lane->node[index].first = lane->inputs;
}

/// An input of the node that has joined last. Returns its index.
int lane_input(Lane *lane, int node, const double *facts) {
  Input *input = &lane->input[lane->inputs];
  input->ring = address(facts[0]);
  input->slots = (u8 *)input->ring + DORA_RING_HEADER_BYTES;
  input->mask = (int)facts[1] - 1;
  input->queue_size = (int)facts[2];
  input->inline_bytes = (int)facts[3];
  input->slot_bytes = (int)facts[4];
  input->backpressure = (int)facts[5];
  input->budget = (int)facts[6];
  input->state = address(facts[7]);
  input->producer = address(facts[8]);
  input->producer_fd = (int)facts[9];
  input->start = address(facts[10]);
  input->start_bytes = (int)facts[11];
  lane->node[node].inputs++;
  return lane->inputs++;
}

/// JavaScript has opened a newer pool of an input.
void lane_input_pool(Lane *lane, int index, int generation, const double *facts) {
  Input *input = &lane->input[index];
  input->generation = generation;
  input->stride = (i64)facts[1];
  input->chunk_count = (int)facts[2];
  input->line = address(facts[3]);
  input->marks = address(facts[4]);
  input->borrowed = address(facts[5]);
  input->chunks = address(facts[0]);
}

/// An output as OutputWriter.share() says it, the pipes of its consumers, and a word for what is published here. Returns its index.
int lane_output(Lane *lane, const double *facts, const int *fds, int *dirty) {
  Output *output = &lane->output[lane->outputs];
  int edges = (int)facts[0];
  dora_writer_edge *edge = calloc((u64)edges + 1, sizeof *edge);
  dora_writer_open(&output->writer, edge, facts);
  output->writer.clock = &lane->clock;
  output->writer.template_bits = 0;
  output->fds = calloc((u64)edges + 1, sizeof *output->fds);
  memcpy(output->fds, fds, (u64)edges * sizeof *fds);
  output->dirty = dirty;
  return lane->outputs++;
}

/// JavaScript has opened the pool of an output. For each edge: its record, chunks by slot, the consumer's line.
void lane_output_pool(Lane *lane, int index, const double *facts) {
  Output *output = &lane->output[index];
  dora_pool *pool = &output->pool;
  pool->stride = (i64)facts[1];
  pool->count = (int)facts[2];
  pool->generation = (int)facts[3];
  pool->queued = address(facts[4]);
  pool->lent = address(facts[5]);
  pool->templates = address(facts[6]);
  pool->ahead = address(facts[7]);
  pool->edges = calloc((u64)output->writer.count + 1, sizeof *pool->edges);
  for (int i = 0; i < output->writer.count; i++) {
    const double *edge = facts + 8 + 3 * i;
    pool->edges[i] = (dora_pool_edge){ address(edge[0]), address(edge[1]), address(edge[2]) };
  }
  pool->chunks = address(facts[0]);
}

void lane_close_output(Lane *lane, int index) { lane->output[index].closed = 1; }

/// A connection has come.
void lane_accept(Lane *lane, int index, int fd, u8 *staging, int capacity) {
  Connection *connection = &lane->connection[index];
  connection->fd = fd;
  connection->staging = staging;
  connection->capacity = capacity;
  connection->heads = connection->replaced = 0;
  connection->rhythm = (Rhythm){ 0 };
}

/// A connection is about to be closed.
void lane_leave(Lane *lane, int index) {
  Watch *one = &lane->watch[lane->first + index];
  if (one->events && lane->epoll >= 0) watch(lane, one, one->fd, 0);
  one->events = 0;
}

/// JavaScript has judged a head of an output: its bytes up to the stamp, its parameters, and what is passed on of them.
void lane_learn(Lane *lane, int index, int output, const u8 *start, int starts, const u8 *given, int gives, const u8 *passed, int passes) {
  Connection *connection = &lane->connection[index];
  int place = 0;
  while (place < connection->heads && connection->head[place].output != output) place++;
  if (place == MAX_HEADS) place = connection->replaced++ % MAX_HEADS;
  else if (place == connection->heads) connection->heads++;
  Head *head = &connection->head[place];
  head->output = output;
  memcpy(head->bytes[0], start, (u64)starts);
  memcpy(head->bytes[1], given, (u64)gives);
  memcpy(head->bytes[2], passed, (u64)passes);
  head->start = starts;
  head->given = gives;
  head->passed = passes;
}
