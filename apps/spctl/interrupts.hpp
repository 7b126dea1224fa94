// Ctrl-C: the first asks to stop, the second leaves at once. One per process.
#pragma once

namespace sp::spctl {

inline constexpr int kExitInterrupted = 130;

/// From now on SIGINT and SIGTERM are counted; the second ends the process with kExitInterrupted.
void catch_interrupts();
/// Whether one has come that nobody has acted upon. Safe to call from any thread.
bool interrupted();
/// What the one that has come asked for is done: it stops nothing more. Another still ends the
/// process. Safe to call from any thread.
void interrupt_is_handled();

}  // namespace sp::spctl
