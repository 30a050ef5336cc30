// iceoryx 2 (classic), C++: two processes, RouDi between them, started and ended here.
// VARIANT: "poll" spins on take(); "waitset" sleeps on a WaitSet. With "+copy" the payload is copied into each loan.
#include "../peer.h"
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <string>

#include "iceoryx_posh/iceoryx_posh_types.hpp"
#include "iceoryx_hoofs/log/logmanager.hpp"
#include "iceoryx_posh/popo/untyped_publisher.hpp"
#include "iceoryx_posh/popo/untyped_subscriber.hpp"
#include "iceoryx_posh/popo/wait_set.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"

namespace {

using iox::capro::IdString_t;

struct Link {
  peer_work work;
  bool sleeps, copies;
  char *source;
  iox::popo::UntypedPublisher *out;
  iox::popo::UntypedSubscriber *in;
  iox::popo::WaitSet<1> *waitset;
};

void send(void *at, int64_t number) {
  Link &link = *static_cast<Link *>(at);
  for (;;) {
    auto loan = link.out->loan(link.work.size);
    if (loan.has_error()) continue; // all chunks are queued or held: room comes when the other side has taken one
    void *payload = loan.value();
    if (link.copies) memcpy(payload, link.source, link.work.size);
    peer_stamp(payload, link.work.size, number);
    link.out->publish(payload);
    return;
  }
}

int64_t receive(void *at) {
  Link &link = *static_cast<Link *>(at);
  for (;;) {
    auto taken = link.in->take();
    if (!taken.has_error()) {
      int64_t number = peer_number(taken.value(), link.work.size);
      link.in->release(taken.value());
      return number;
    }
    if (link.sleeps) link.waitset->wait();
  }
}

Link open(const peer_work &work, const char *name, const char *out, const char *in) {
  iox::runtime::PoshRuntime::initRuntime(iox::RuntimeName_t(iox::cxx::TruncateToCapacity, std::string(name)));
  Link link{work, strncmp(work.variant, "waitset", 7) == 0, strstr(work.variant, "+copy") != nullptr, nullptr,
            nullptr, nullptr, nullptr};
  link.source = static_cast<char *>(malloc(work.size + 1));
  memset(link.source, 7, work.size + 1);
  iox::popo::PublisherOptions published;
  published.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
  iox::popo::SubscriberOptions subscribed;
  subscribed.queueCapacity = peer_queue(work.size);
  subscribed.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
  auto service = [](const char *which) {
    return iox::capro::ServiceDescription("bench", "peer", IdString_t(iox::cxx::TruncateToCapacity, std::string(which)));
  };
  if (out) link.out = new iox::popo::UntypedPublisher(service(out), published);
  if (in) link.in = new iox::popo::UntypedSubscriber(service(in), subscribed);
  if (link.sleeps && in) {
    link.waitset = new iox::popo::WaitSet<1>();
    link.waitset->attachState(*link.in, iox::popo::SubscriberState::HAS_DATA).or_else([](auto &) {
      peer_fail("the WaitSet takes no subscriber");
    });
  }
  while ((out && !link.out->hasSubscribers()) ||
         (in && link.in->getSubscriptionState() != iox::SubscribeState::SUBSCRIBED))
    usleep(1000);
  return link;
}

void close(Link &link) {
  delete link.waitset;
  delete link.in;
  delete link.out;
  free(link.source);
}

// What this process has started. It takes no part in the messages itself: RouDi kills whoever does when it ends.
pid_t roudi = 0, sides[2] = {0, 0};

// A machine has one RouDi: whoever starts one here holds a lock on its program until he ends.
void waitForTurn() {
  for (const char *path : {"/usr/bin/iox-roudi", "/usr/local/bin/iox-roudi", "/proc/self/exe"}) {
    int fd = ::open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    while (flock(fd, LOCK_EX) && errno == EINTR) {}
    return;
  }
}

// Pools for messages of just this size, in a file without a name.
pid_t startRouDi(size_t size) {
  int config = memfd_create("roudi", 0);
  size_t chunk = (size + 63) / 64 * 64;
  dprintf(config, "[general]\nversion = 1\n[[segment]]\n[[segment.mempool]]\nsize = %zu\ncount = %d\n",
          chunk ? chunk : 64, 2 * peer_queue(size) + 8);
  pid_t parent = getpid(), child = fork();
  if (child) return child;
  signal(SIGTERM, SIG_DFL);
  end_with(parent, SIGTERM); // it takes its memory away when it is asked to end
  std::string path = "/proc/self/fd/" + std::to_string(config);
  dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
  dup2(STDOUT_FILENO, STDERR_FILENO);
  execlp("iox-roudi", "iox-roudi", "-l", "off", "-k", "1", "-c", path.c_str(), (char *)nullptr);
  _exit(127);
}

std::string nameOf(pid_t keeper, int side) { return "dora-bench-" + std::to_string(keeper) + (side ? "-b" : "-a"); }

// Where a side's mailbox for RouDi lies; a side that is killed leaves it behind.
char mailboxes[2][64];

void removeMailbox(int side) {
  char lock[80];
  snprintf(lock, sizeof lock, "%s.lock", mailboxes[side]);
  unlink(mailboxes[side]);
  unlink(lock);
}

int ownSide = 0;

void leave(int) {
  removeMailbox(ownSide);
  _exit(1);
}

pid_t startSide(const peer_work &work, int side, const int *done) {
  pid_t parent = getpid(), child = fork();
  if (child) return child;
  ownSide = side;
  signal(SIGTERM, leave);
  end_with(parent, SIGTERM);
  iox::log::LogManager::GetLogManager().SetDefaultLogLevel(iox::log::LogLevel::kError, iox::log::LogLevelOutput::kHideLogLevel);
  bool back = !work.throughput;
  Link link = open(work, nameOf(parent, side).c_str(), side ? "back" : back ? "there" : nullptr,
                   side ? (back ? "there" : nullptr) : "back");
  peer_run(work, side == 0, send, receive, &link);
  if (side == 0) ::close(done[1]);
  else peer_wait_for_first(done);
  close(link);
  exit(0);
}

int end(pid_t &child, int signal) {
  int status = 0;
  if (child <= 0) return 0;
  if (signal) kill(child, signal);
  waitpid(child, &status, 0);
  child = 0;
  return status;
}

void cleanUp() {
  end(roudi, SIGTERM);
  removeMailbox(0);
  removeMailbox(1);
}

// The suite is gone or has asked us to end.
void stop(int) {
  for (pid_t &side : sides) end(side, SIGKILL);
  cleanUp();
  _exit(1);
}

} // namespace

int main(int argc, char **argv) {
  peer_work work = peer_parse(argc, argv);
  struct sigaction action = {};
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, nullptr);
  end_with(getppid(), SIGTERM);
  int done[2];
  if (pipe2(done, O_CLOEXEC)) return 1;
  waitForTurn();
  for (int side = 0; side < 2; side++)
    snprintf(mailboxes[side], sizeof mailboxes[side], "/tmp/%s", nameOf(getpid(), side).c_str());
  roudi = startRouDi(work.size);
  sides[0] = startSide(work, 0, done);
  sides[1] = startSide(work, 1, done);
  ::close(done[0]);
  ::close(done[1]);
  // Whoever ends first: badly means nothing more will come.
  int status = 0, first = 0;
  pid_t ended;
  while ((ended = wait(&status)) > 0) {
    for (pid_t &side : sides) {
      if (side == ended) side = 0;
    }
    if (ended == roudi) roudi = 0;
    if (status != 0 || roudi == 0) {
      first = 1;
      break;
    }
    if (!sides[0] && !sides[1]) break;
  }
  for (pid_t &side : sides) end(side, SIGKILL);
  cleanUp();
  if (first) fprintf(stderr, "iceoryx ended before its work was done; is another RouDi running?\n");
  return first;
}
