// An operator in C++: adds up numbers, and sends the sum.
#include "dora_operator.h"
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

namespace {
struct Sum {
  double total = 0;

  void add(Input_t &input) {
    ArrowArray array;
    if (!dora_take_array(&input, &array)) return;
    const std::unique_ptr<ArrowArray, void (*)(ArrowArray *)> owner(&array, array.release);
    if (std::string(input.schema.format) != "g") throw std::invalid_argument("doubles only, not " + std::string(input.schema.format));
    const double *values = static_cast<const double *>(array.buffers[1]) + array.offset;
    for (int64_t i = 0; i < array.length; i++) total += values[i];
  }
};
} // namespace

extern "C" DoraInitResult_t dora_init_operator() { return {{nullptr}, new Sum}; }

extern "C" DoraResult_t dora_drop_operator(void *context) {
  delete static_cast<Sum *>(context);
  return {nullptr};
}

extern "C" OnEventResult_t dora_on_event(RawEvent_t *event, const SendOutput_t *send_output, void *context) {
  Sum &sum = *static_cast<Sum *>(context);
  try {
    if (event->stop) return {{nullptr}, DORA_STATUS_STOP};
    if (!event->input) return {{nullptr}, DORA_STATUS_CONTINUE};
    sum.add(*event->input);
    return {dora_send_operator_elements(send_output, "out", "g", &sum.total, 1, sizeof sum.total), DORA_STATUS_CONTINUE};
  } catch (const std::exception &error) {
    return {dora_error(error.what()), DORA_STATUS_STOP};
  }
}
