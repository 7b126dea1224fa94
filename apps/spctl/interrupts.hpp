// Ctrl-C: the first asks to stop, the second leaves at once. One per process.
#pragma once

#include <chrono>

namespace sp::spctl {

inline constexpr int kExitInterrupted = 130;
/// What comes so soon after the first is the same press told twice: timeout(1) and other wrappers
/// send a signal to the process and to its group.
inline constexpr std::chrono::milliseconds kSamePress{500};

/// From now on SIGINT and SIGTERM are counted; the second ends the process with kExitInterrupted.
void catch_interrupts();
/// Whether one has come that nobody has acted upon. Safe to call from any thread.
bool interrupted();
/// What the one that has come asked for is done: it stops nothing more. Another still ends the
/// process. Safe to call from any thread.
void interrupt_is_handled();

}  // namespace sp::spctl
