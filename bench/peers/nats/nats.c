// NATS: a server of our own on a free port of the loopback, two processes with its C client.
// Core NATS drops what a slow reader leaves behind, so a stream here has a window: the reader answers each half of it.
#include "../peer.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <nats/nats.h>
#include <sys/mman.h>

enum { WINDOW_BYTES = 16 << 20, RECEIVE_LIMIT_MS = 30000, CONNECT_TRIES = 500 };

typedef struct {
  natsConnection *connection;
  natsSubscription *subscription;
  const char *out;
  char *message;
  size_t size;
  int64_t window, unanswered;
} link_end;

static void check(natsStatus status) {
  if (status != NATS_OK) peer_fail(natsStatus_GetText(status));
}

static natsMsg *next(link_end *link) {
  natsMsg *message = 0;
  check(natsSubscription_NextMsg(&message, link->subscription, RECEIVE_LIMIT_MS));
  return message;
}

static void send_message(void *at, int64_t number) {
  link_end *link = at;
  peer_stamp(link->message, link->size, number);
  check(natsConnection_Publish(link->connection, link->out, link->message, (int)link->size));
  if (!link->window || ++link->unanswered < link->window) return;
  natsMsg_Destroy(next(link));
  link->unanswered -= link->window / 2;
}

static int64_t receive_message(void *at) {
  link_end *link = at;
  natsMsg *message = next(link);
  if ((size_t)natsMsg_GetDataLength(message) != link->size) peer_fail("a message of another size");
  int64_t number = peer_number(natsMsg_GetData(message), link->size);
  natsMsg_Destroy(message);
  if (link->window && ++link->unanswered == link->window / 2) {
    check(natsConnection_Publish(link->connection, link->out, "", 0));
    link->unanswered = 0;
  }
  return number;
}

static int free_port(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&address, length) || getsockname(fd, (struct sockaddr *)&address, &length)) exit(1);
  close(fd);
  return ntohs(address.sin_port);
}

static pid_t start_server(int port) {
  pid_t parent = getpid(), child = fork();
  if (child) return child;
  end_with(parent, SIGKILL);
  int config = memfd_create("nats", 0), nothing = open("/dev/null", O_RDWR);
  dprintf(config, "listen: 127.0.0.1:%d\nmax_payload: 64MB\nmax_pending: 256MB\n", port);
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", config);
  dup2(nothing, 1);
  dup2(nothing, 2);
  execlp("nats-server", "nats-server", "-c", path, (char *)0);
  execl("/usr/sbin/nats-server", "nats-server", "-c", path, (char *)0);
  _exit(127);
}

static void open_link(link_end *link, peer_work work, int port, bool first) {
  natsOptions *options = 0;
  char url[64];
  snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
  check(natsOptions_Create(&options));
  check(natsOptions_SetURL(options, url));
  check(natsOptions_SetSendAsap(options, !work.throughput)); // don't gather small messages when each is waited for
  natsStatus status = NATS_ERR;
  for (int i = 0; i < CONNECT_TRIES && status != NATS_OK; i++) {
    status = natsConnection_Connect(&link->connection, options);
    if (status != NATS_OK) usleep(10000);
  }
  check(status);
  natsOptions_Destroy(options);
  check(natsConnection_SubscribeSync(&link->subscription, link->connection, first ? "back" : "there"));
  check(natsSubscription_SetPendingLimits(link->subscription, -1, -1));
  check(natsConnection_Flush(link->connection));
  link->out = first ? "there" : "back";
  link->size = work.size;
  link->message = calloc(1, work.size + 1);
  int64_t fit = WINDOW_BYTES / (work.size + 1);
  if (work.throughput) link->window = fit > 1024 ? 1024 : fit < 2 ? 2 : fit;
}

int main(int argc, char **argv) {
  peer_work work = peer_parse(argc, argv);
  end_with(getppid(), SIGKILL);
  int port = free_port(), subscribed[2];
  if (pipe(subscribed)) return 1;
  pid_t server = start_server(port), parent = getpid(), child = fork();
  if (child == 0) end_with(parent, SIGKILL);
  link_end link = {0};
  open_link(&link, work, port, child != 0);
  // Nobody sends before both have subscribed: the one that sends first waits for the other's word.
  char byte = 1;
  bool sends_first = work.throughput ? child == 0 : child != 0;
  if (sends_first ? read(subscribed[0], &byte, 1) != 1 : write(subscribed[1], &byte, 1) != 1) return 1;
  int status = peer_run(work, child != 0, send_message, receive_message, &link);
  check(natsConnection_Flush(link.connection));
  if (child) {
    waitpid(child, &status, 0);
    kill(server, SIGKILL); // it has nothing to save, and takes two seconds to end by itself
    waitpid(server, 0, 0);
  }
  natsSubscription_Destroy(link.subscription);
  natsConnection_Destroy(link.connection);
  return status ? 1 : 0;
}
