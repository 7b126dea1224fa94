#include "spctl/interrupts.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace sp::spctl {
namespace {

volatile sig_atomic_t count = 0;
std::atomic<bool> handled = false;

void on_signal(int) {
  if (count != 0) ::_exit(kExitInterrupted);
  count = 1;
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return count != 0 && !handled; }

void interrupt_is_handled() { handled = count != 0; }

}  // namespace sp::spctl
