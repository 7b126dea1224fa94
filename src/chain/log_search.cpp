#include "chain/log_search.hpp"

#include <algorithm>

namespace sp::chain {

Status search_logs(Chain& chain, const LogFilter& filter, SearchOrder order,
                   const std::function<bool(const std::vector<Log>&)>& enough) {
  std::uint64_t first = filter.from_block;
  std::uint64_t last = filter.to_block;
  std::uint64_t most = kSearchBlocksMax;
  while (first <= last) {
    const std::uint64_t more = std::min(last - first, most - 1);  // blocks beyond one
    LogFilter piece = filter;
    const bool oldest = order == SearchOrder::oldest_first;
    piece.from_block = oldest ? first : last - more;
    piece.to_block = oldest ? first + more : last;
    const auto logs = chain.logs(piece);
    if (!logs) {
      const Errc code = logs.error().code;
      if ((code != Errc::too_large && code != Errc::refused) || more == 0) return logs.error();
      most = (more + 1) / 2;
      continue;
    }
    if (enough(*logs)) return {};
    if (more == last - first) return {};
    if (oldest) {
      first = piece.to_block + 1;
    } else {
      last = piece.from_block - 1;
    }
  }
  return {};
}

}  // namespace sp::chain
