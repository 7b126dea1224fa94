// Fetching, opening and checking an order's result.
//
// The functions block and belong to one thread; they use several inside.
#pragma once

#include "spctl/watch.hpp"

namespace sp::spctl {

inline constexpr std::size_t kLogShownMax =
    64 * 1024;  ///< bytes of a workload's log that are shown

struct OpenedResult {
  Path folder;             ///< holds output/, log.txt and outcome.json
  Digest32 output;         ///< digest of the canonical tree of output/
  std::uint64_t size = 0;  ///< bytes in the folder
  std::string log_tail;
};

/// Opens the result of a settled order into `out`, which must not exist or be empty, and checks
/// that its output is what the receipt commits to. Nothing stays in `out` on an error.
/// Errc::not_found (no result), Errc::conflict (out isn't empty), Errc::mismatch (not what the
/// receipt says), Errc::unavailable.
Result<OpenedResult> open_result(Context& context, Session& session, const OrderRecord& record,
                                 const Watched& watched, const Path& out);

/// Errc::conflict where a result can't be opened into this path.
Status check_out(const Path& out);

/// Who was paid what, a line each; JSON with the same.
std::string payment_lines(const apps::Network& network, const OrderRecord& record,
                          const market::SettledEvent& settled);
Json payment_json(const OrderRecord& record, const market::SettledEvent& settled);

}  // namespace sp::spctl
