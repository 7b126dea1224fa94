#include "spctl/interrupts.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace sp::spctl {
namespace {

// When the first came, in nanoseconds of the monotonic clock; 0: none has.
std::atomic<std::int64_t> first = 0;
static_assert(std::atomic<std::int64_t>::is_always_lock_free);  // a signal handler uses it
std::atomic<bool> handled = false;

std::int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void on_signal(int) {
  const std::int64_t at = now();
  std::int64_t before = 0;
  if (first.compare_exchange_strong(before, at)) return;
  if (std::chrono::nanoseconds(at - before) >= kSamePress) ::_exit(kExitInterrupted);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return first != 0 && !handled; }

void interrupt_is_handled() { handled = first != 0; }

}  // namespace sp::spctl
