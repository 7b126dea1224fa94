// The result: what the workload left, sealed to the customer and kept by the store that the terms
// name.
#pragma once

#include "loader/container.hpp"
#include "loader/session.hpp"
#include "loader/window_client.hpp"
#include "loader/workspace.hpp"

namespace sp::loader {

/// How long a store is asked to keep a result, and the least that its receipt must say, both from
/// the attestation's time (whoever runs the loader can't move that).
inline constexpr std::int64_t kKeepSeconds = 30 * 24 * 3600;
inline constexpr std::int64_t kKeepSecondsMin = 7 * 24 * 3600;

struct WorkloadEnd {
  api::Outcome outcome = api::Outcome::success;
  ContainerEnd container;
};

struct StoredResult {
  store::PackageId package;
  Digest32 c;  ///< HMAC(order secret, output digest)
};

/// Seals output/, log.txt and outcome.json for the terms' result key, stores the package and has
/// its storage receipt. Errc::bad_signature or Errc::expired for a receipt that isn't one. An
/// output that no package can hold (its paths too long, its names too many, its files larger than
/// the order's disk by holes or hard links) is left out: then `end` is a workload's at its disk
/// limit, and no hashing or sealing takes longer than the disk's size asks for.
Result<StoredResult> store_result(const Session& session, WorkloadEnd& end,
                                  const Secret32& order_secret, const Workspace& workspace,
                                  WindowClient& window, Random& random);

/// HPKE info of the result's wrapped key: order id || attempt || replica.
Bytes result_context(const api::Run& run);

}  // namespace sp::loader
