// A loader at work, as the controller's threads see it.
#pragma once

#include "provider/controller.hpp"

namespace sp::provider {

struct Controller::Running {
  std::unique_ptr<tee::RunningTee> tee;
  std::unique_ptr<Relay> relay;
  // Guarded by Controller::mutex_, as copies of its pointer are.
  std::chrono::nanoseconds deadline{};
  bool began = false;    // the workload
  bool stopped = false;  // told to, at the deadline or the provider's stop
  bool ended = false;    // its last word has come
  // These belong to the following thread.
  bool cancel_sent = false;
  int gone_looks = 0;
};

}  // namespace sp::provider
