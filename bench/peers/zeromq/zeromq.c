// libzmq: PAIR sockets over ipc:// (an abstract address, nothing in the file system), blocking as its users do.
#include "../peer.h"
#include <zmq.h>

typedef struct {
  void *socket;
  char *message;
  size_t size;
} link_end;

static void send_message(void *at, int64_t number) {
  link_end *link = at;
  peer_stamp(link->message, link->size, number);
  if (zmq_send(link->socket, link->message, link->size, 0) < 0) peer_fail(zmq_strerror(zmq_errno()));
}

static int64_t receive_message(void *at) {
  link_end *link = at;
  zmq_msg_t message;
  zmq_msg_init(&message);
  if (zmq_msg_recv(&message, link->socket, 0) < 0) peer_fail(zmq_strerror(zmq_errno()));
  if (zmq_msg_size(&message) != link->size) peer_fail("a message of another size");
  int64_t number = peer_number(zmq_msg_data(&message), link->size);
  zmq_msg_close(&message);
  return number;
}

int main(int argc, char **argv) {
  peer_work work = peer_parse(argc, argv);
  end_with(getppid(), SIGKILL);
  char address[64];
  snprintf(address, sizeof address, "ipc://@dora-bench-%d", getpid());
  int done[2];
  if (pipe(done)) return 1;
  pid_t parent = getpid(), child = fork();
  if (child == 0) end_with(parent, SIGKILL);
  void *context = zmq_ctx_new();
  link_end link = {zmq_socket(context, ZMQ_PAIR), malloc(work.size + 1), work.size};
  memset(link.message, 7, work.size + 1);
  int queue = peer_queue(work.size);
  zmq_setsockopt(link.socket, ZMQ_SNDHWM, &queue, sizeof queue);
  zmq_setsockopt(link.socket, ZMQ_RCVHWM, &queue, sizeof queue);
  if (child ? zmq_bind(link.socket, address) : zmq_connect(link.socket, address))
    peer_fail(zmq_strerror(zmq_errno()));
  int status = peer_run(work, child != 0, send_message, receive_message, &link);
  if (child) close(done[1]);
  else peer_wait_for_first(done); // a sender that closes takes messages with it that its peer hasn't read
  zmq_close(link.socket);
  zmq_ctx_term(context);
  if (child && wait(&status) < 0) return 1;
  return status ? 1 : 0;
}
