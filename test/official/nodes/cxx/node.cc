// Nodes against the official C++ API, in the roles of ../c/node.c.
#include "dora-node-api.h"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

// Lengths of the messages, in turn.
static const std::vector<size_t> SIZES = {0, 4, 100, 5000, 70000, 300000};
static const size_t NUMBER_BYTES = 4;

static long number(const char *name, long otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atol(text) : otherwise;
}

// Message `n`: its number in the first four bytes, then a pattern.
static std::vector<uint8_t> message(long n) {
  const auto number = static_cast<size_t>(n);
  std::vector<uint8_t> data(SIZES[number % SIZES.size()]);
  for (size_t at = 0; at < data.size(); at++)
    data[at] = static_cast<uint8_t>(at < NUMBER_BYTES ? number >> 8 * at : at * 7 + number);
  return data;
}

static void say_pid() { std::cout << "{\"pid\":" << getpid() << "}" << std::endl; }

static std::string text(const rust::String &from) { return std::string(from); }

static void ensure(const DoraResult &result) {
  if (!result.error.empty()) throw std::runtime_error(text(result.error));
}

// Says an event that is no input.
static void say_event(rust::Box<DoraEvent> event) {
  switch (event_type(event)) {
  case DoraEventType::Stop: std::cout << R"({"event":"STOP"})" << std::endl; break;
  case DoraEventType::InputClosed: std::cout << R"({"event":"INPUT_CLOSED"})" << std::endl; break;
  case DoraEventType::NodeRestarted: {
    const auto id = text(event_as_node_restarted(std::move(event)));
    std::cout << R"({"event":"NODE_RESTARTED","id":")" << id << "\"}" << std::endl;
    break;
  }
  case DoraEventType::NodeFailed: {
    const auto failure = event_as_node_failed(std::move(event));
    std::cout << R"({"event":"NODE_FAILED","source_node_id":")" << text(failure.source_node_id) << "\"}" << std::endl;
    break;
  }
  default: std::cout << R"({"event":"OTHER"})" << std::endl;
  }
}

// Calls `take` for each input, and says all other events, until the end or until it gives false.
static void each_input(DoraNode &node, const std::function<bool(rust::Box<DoraEvent>)> &take) {
  for (;;) {
    auto event = node.events->next();
    const auto type = event_type(event);
    if (type == DoraEventType::AllInputsClosed) return;
    if (type != DoraEventType::Input) say_event(std::move(event));
    else if (!take(std::move(event))) return;
  }
}

// A message on "bytes" at each input, COUNT in all, with its number in "n".
static int bytes(DoraNode node) {
  const long count = number("COUNT", 12);
  long n = 0;
  each_input(node, [&](auto) {
    const auto data = message(n);
    auto metadata = new_metadata();
    metadata->set_int("n", n);
    ensure(send_output_with_metadata(node.send_output, "bytes", {data.data(), data.size()}, std::move(metadata)));
    if (n == 0) say_pid();
    return ++n != count;
  });
  return 0;
}

// The number of a message, or -1 if it isn't one. An empty one has the number that is expected.
static long number_of(const rust::Vec<uint8_t> &data, long expected) {
  const bool numbered = data.size() >= NUMBER_BYTES;
  const long n = numbered ? data[0] | data[1] << 8 | data[2] << 16 | static_cast<long>(data[3]) << 24 : expected;
  const auto wanted = message(n);
  return std::equal(wanted.begin(), wanted.end(), data.begin(), data.end()) ? n : -1;
}

// Compares what arrives on each input with what "bytes" sends.
static int check(DoraNode node) {
  struct Input {
    long last = -1, right = 0;
  };
  std::map<std::string, Input> inputs;
  const bool gaps = std::getenv("GAPS");
  bool wrong = false, begun = false;
  each_input(node, [&](auto event) {
    const auto [id, data] = event_as_input(std::move(event));
    if (!std::exchange(begun, true)) say_pid();
    if (gaps && data.empty()) return true;
    auto &input = inputs[text(id)];
    const long n = number_of(data, input.last + 1);
    if (n < 0 || (!gaps && n != input.last + 1)) {
      std::cout << R"({"wrong":")" << text(id) << ": " << data.size() << " bytes, number " << n << " after " << input.last << "\"}" << std::endl;
      wrong = true;
      return true;
    }
    if (gaps && (input.last < 0 || n <= input.last)) std::cout << R"({"began":)" << n << "}" << std::endl;
    input.last = n;
    input.right++;
    return true;
  });
  std::cout << R"({"right":{)";
  const char *comma = "";
  for (const auto &[id, input] : inputs) {
    std::cout << comma << '"' << id << "\":" << input.right;
    comma = ",";
  }
  std::cout << "}}" << std::endl;
  return wrong;
}

// Every input back on the output of its name, with its parameters.
static int echo(DoraNode node) {
  bool begun = false;
  each_input(node, [&](auto event) {
    auto input = event_as_input_with_metadata(std::move(event));
    const rust::Slice<const uint8_t> data{input.data.data(), input.data.size()};
    ensure(send_output_with_metadata(node.send_output, input.id, data, std::move(input.metadata)));
    if (!std::exchange(begun, true)) say_pid();
    return true;
  });
  return 0;
}

// Says its inputs, with their length, and leaves after COUNT of them.
static int timer(DoraNode node) {
  long left = number("COUNT", -1);
  ensure(log_message(node.send_output, "info", "at work"));
  each_input(node, [&](auto event) {
    const auto input = event_as_input(std::move(event));
    std::cout << R"({"event":"INPUT","id":")" << text(input.id) << R"(","length":)" << input.data.size() << "}" << std::endl;
    return --left != 0;
  });
  return 0;
}

int main(int count, char **arguments) {
  const std::map<std::string, int (*)(DoraNode)> roles = {
      {"bytes", bytes}, {"check", check}, {"echo", echo}, {"timer", timer}};
  const auto role = roles.find(count > 1 ? arguments[1] : "");
  if (role == roles.end()) {
    std::cerr << "no such node" << std::endl;
    return 2;
  }
  try {
    return role->second(init_dora_node());
  } catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return 1;
  }
}
