// Logs of many blocks, asked for in pieces that public endpoints answer.
#pragma once

#include <functional>
#include <vector>

#include "chain/rpc.hpp"

namespace sp::chain {

/// Blocks that a search asks for at once; fewer from where an endpoint finds that too much.
inline constexpr std::uint64_t kSearchBlocksMax = 10'000;

enum class SearchOrder : std::uint8_t { oldest_first, newest_first };

/// Hands on the logs of the filter's blocks piece by piece, each in the chain's order, until
/// `enough` says so or all are seen. Nothing where to_block is before from_block. The first error
/// that a shorter piece doesn't mend.
Status search_logs(Chain& chain, const LogFilter& filter, SearchOrder order,
                   const std::function<bool(const std::vector<Log>&)>& enough);

}  // namespace sp::chain
