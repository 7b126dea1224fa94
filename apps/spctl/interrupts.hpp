// Ctrl-C: the first asks to stop, the second leaves at once. One per process.
#pragma once

namespace sp::spctl {

inline constexpr int kExitInterrupted = 130;

/// From now on SIGINT and SIGTERM are counted; the second ends the process with kExitInterrupted.
void catch_interrupts();
/// Whether one has come. Safe to call from any thread.
bool interrupted();

}  // namespace sp::spctl
