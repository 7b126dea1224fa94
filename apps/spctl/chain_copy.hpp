// The copy of the development chain that each `spctl up` keeps.
//
// Anvil writes its state each second over the file that it had, so that one killed in the middle
// leaves half a file, with which it never starts again. The copy is what the chain goes back to
// then. Belongs to one thread.
#pragma once

#include "base/files.hpp"
#include "chain/rpc.hpp"
#include "spctl/daemon.hpp"

namespace sp::spctl {

/// Anvil's state file, in its state folder.
inline constexpr const char* kChainStateFile = "chain.json";

/// Bytes of the copy: gzip as hexadecimal digits. A chain beyond that isn't copied.
inline constexpr std::size_t kChainCopySizeMax = chain::kRpcResponseMax;

class ChainCopy {
 public:
  /// Of the chain that `daemon` runs. Both stay the caller's.
  ChainCopy(Files& files, const Daemon& daemon);

  /// Removes a state file that anvil was killed in writing. For a chain that doesn't run. Errc::io.
  Status remove_torn_state();
  /// Replaces the copy by the state that the chain has now, whole or not at all.
  /// Errc::unavailable, Errc::malformed, Errc::io; Errc::refused by an endpoint that isn't anvil.
  Status take(chain::RpcEndpoint& endpoint);
  /// Gives the chain the state of the copy. Errc::not_found where there is none; Errc::unavailable,
  /// Errc::refused, Errc::io.
  Status restore(chain::RpcEndpoint& endpoint);

 private:
  Files& files_;
  const Path state_;
  const Path copy_;
};

}  // namespace sp::spctl
