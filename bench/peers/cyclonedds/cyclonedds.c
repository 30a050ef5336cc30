// Cyclone DDS, C: reliable topics over the loopback, each side sleeps on a WaitSet, as its users do.
#include "../peer.h"
#include "message.h"
#include <dds/dds.h>

// Nothing leaves the machine: one interface, no multicast, participants look for each other by address.
static const char *CONFIG =
    "<General><Interfaces><NetworkInterface address=\"127.0.0.1\"/></Interfaces>"
    "<AllowMulticast>false</AllowMulticast></General>"
    "<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>50</MaxAutoParticipantIndex>"
    "<Peers><Peer Address=\"127.0.0.1\"/></Peers></Discovery>";

enum { FIRST_DOMAIN = 100, DOMAINS = 100 };

typedef struct {
  dds_entity_t participant, writer, reader, waitset;
  Message message;
  size_t size;
} link_end;

static dds_return_t check(dds_return_t code) {
  if (code < 0) peer_fail(dds_strretcode(code));
  return code;
}

static void send_message(void *at, int64_t number) {
  link_end *link = at;
  peer_stamp(link->message.bytes._buffer, link->size, number);
  check(dds_write(link->writer, &link->message));
}

static int64_t receive_message(void *at) {
  link_end *link = at;
  for (;;) {
    void *sample = 0;
    dds_sample_info_t info;
    dds_return_t taken = check(dds_take(link->reader, &sample, &info, 1, 1));
    if (taken == 0) {
      check(dds_waitset_wait(link->waitset, 0, 0, DDS_INFINITY));
      continue;
    }
    int64_t number = -1;
    bool valid = info.valid_data;
    if (valid) {
      Message *message = sample;
      if (message->bytes._length != link->size) peer_fail("a message of another size");
      number = peer_number(message->bytes._buffer, link->size);
    }
    check(dds_return_loan(link->reader, &sample, taken));
    if (valid) return number;
  }
}

// A writer that nobody reads, or a reader to whom nobody writes, is not ready yet.
static void wait_matched(link_end *link, bool writes, bool reads) {
  for (;;) {
    dds_publication_matched_status_t out = {0};
    dds_subscription_matched_status_t in = {0};
    if (writes) check(dds_get_publication_matched_status(link->writer, &out));
    if (reads) check(dds_get_subscription_matched_status(link->reader, &in));
    if ((!writes || out.current_count > 0) && (!reads || in.current_count > 0)) return;
    usleep(1000);
  }
}

static void open_link(link_end *link, peer_work work, int domain, bool first) {
  check(dds_create_domain(domain, CONFIG));
  link->participant = check(dds_create_participant(domain, 0, 0));
  dds_qos_t *qos = dds_create_qos();
  dds_qset_reliability(qos, DDS_RELIABILITY_RELIABLE, DDS_INFINITY);
  dds_qset_history(qos, DDS_HISTORY_KEEP_ALL, 0);
  dds_qset_resource_limits(qos, peer_queue(work.size), DDS_LENGTH_UNLIMITED, DDS_LENGTH_UNLIMITED);
  dds_entity_t there = check(dds_create_topic(link->participant, &Message_desc, "there", qos, 0));
  dds_entity_t back = check(dds_create_topic(link->participant, &Message_desc, "back", qos, 0));
  bool writes = !first || !work.throughput, reads = first || !work.throughput;
  if (writes) link->writer = check(dds_create_writer(link->participant, first ? there : back, qos, 0));
  if (reads) {
    link->reader = check(dds_create_reader(link->participant, first ? back : there, qos, 0));
    link->waitset = check(dds_create_waitset(link->participant));
    check(dds_set_status_mask(link->reader, DDS_DATA_AVAILABLE_STATUS));
    check(dds_waitset_attach(link->waitset, link->reader, link->reader));
  }
  dds_delete_qos(qos);
  link->size = work.size;
  link->message.bytes._buffer = calloc(1, work.size + 1);
  link->message.bytes._length = link->message.bytes._maximum = work.size;
  wait_matched(link, writes, reads);
}

int main(int argc, char **argv) {
  peer_work work = peer_parse(argc, argv);
  end_with(getppid(), SIGKILL);
  pid_t parent = getpid(), child = fork();
  if (child == 0) end_with(parent, SIGKILL);
  link_end link = {0};
  open_link(&link, work, FIRST_DOMAIN + parent % DOMAINS, child != 0);
  int status = peer_run(work, child != 0, send_message, receive_message, &link);
  // What was sent stays with its writer until it has been acknowledged.
  if (!child) check(dds_wait_for_acks(link.writer, DDS_SECS(10)));
  check(dds_delete(link.participant));
  if (child && wait(&status) < 0) return 1;
  return status ? 1 : 0;
}
