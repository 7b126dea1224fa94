#include "store/remote/receipt_turns.hpp"

#include <algorithm>

namespace sp::store {

bool ReceiptTurns::begin(const Address& account) {
  const std::lock_guard lock(mutex_);
  if (running_.contains(account)) return false;
  const auto now = clock_.monotonic();
  std::erase_if(waiting_, [&](const Place& place) { return now - place.seen > kReceiptPlaceKept; });
  const auto own = std::ranges::find(waiting_, account, &Place::account);
  const auto before = static_cast<std::size_t>(own - waiting_.begin());
  if (running_.size() + before < kLargeReceiptsAtOnce) {
    if (own != waiting_.end()) waiting_.erase(own);
    running_.insert(account);
    return true;
  }
  if (own != waiting_.end()) {
    own->seen = now;
  } else if (waiting_.size() < kLargeReceiptsWaiting) {
    waiting_.push_back({account, now});
  }
  return false;
}

void ReceiptTurns::end(const Address& account) {
  const std::lock_guard lock(mutex_);
  running_.erase(account);
}

}  // namespace sp::store
