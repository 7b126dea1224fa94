// The loader's whole work: from the Start frame to the Finish frame, for one run of one order.
//
// Nothing is fetched with a key before the attestor has attested the session, and nothing is
// started before every part is open. Whatever happens, one Finish frame says it; once there is an
// attestation it holds a signed receipt.
#pragma once

#include <functional>

#include "loader/container.hpp"
#include "loader/window_client.hpp"
#include "loader/workspace.hpp"
#include "prove/prover.hpp"

namespace sp::loader {

struct LoaderSettings {
  std::string runtime = "runc";
  std::string cgroup;  ///< group for the workload, relative to the hierarchies' roots
  /// Makes the workspace for an order with that many bytes of disk.
  std::function<Result<Workspace>(std::uint64_t)> make_workspace;
  /// Runs the container; tests may pass another.
  std::function<Result<ContainerEnd>(const ContainerRun&, const Clock&)> run = run_container;
};

/// Runs the order and returns the Finish frame to send. `window` has received `start`.
api::Finish run_order(const api::Start& start, WindowClient& window, prove::Prover& prover,
                      const LoaderSettings& settings, const Clock& clock, Random& random);

}  // namespace sp::loader
