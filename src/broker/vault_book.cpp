#include "broker/vault_book.hpp"

namespace sp::broker {

Status VaultBook::admits(const std::string& name, const VaultRecord& record) const {
  Share own;
  if (const auto found = owners_.find(record.owner); found != owners_.end()) own = found->second;
  std::size_t records = records_.size();
  std::uint64_t bytes = bytes_;
  if (const auto there = records_.find(name); there != records_.end()) {
    // A name says whose it is, so the owner is the same.
    own = {own.records - 1, own.bytes - there->second.size};
    records -= 1;
    bytes -= there->second.size;
  }
  if (own.records >= limits_.records_per_owner ||
      own.bytes + record.size > limits_.bytes_per_owner) {
    return Error{Errc::conflict, "this broker keeps " + std::to_string(own.records) +
                                     " secrets of " + record.owner.hex0x() +
                                     ", as much as of one account; room is made when policies end"};
  }
  if (records >= limits_.records || bytes + record.size > limits_.bytes) {
    return Error{Errc::io, "this broker's vault is full; room is made when policies end"};
  }
  return {};
}

void VaultBook::put(const std::string& name, const VaultRecord& record) {
  remove(name);
  records_[name] = record;
  by_end_.emplace(record.until, name);
  Share& own = owners_[record.owner];
  own.records += 1;
  own.bytes += record.size;
  bytes_ += record.size;
}

void VaultBook::remove(const std::string& name) {
  const auto there = records_.find(name);
  if (there == records_.end()) return;
  const auto own = owners_.find(there->second.owner);
  own->second.records -= 1;
  own->second.bytes -= there->second.size;
  bytes_ -= there->second.size;
  if (own->second.records == 0) owners_.erase(own);
  by_end_.erase({there->second.until, name});
  records_.erase(there);
}

std::vector<std::string> VaultBook::take_ended(std::int64_t now, std::size_t most) {
  std::vector<std::string> ended;
  // Compared without a sum: a policy may end at the end of all time.
  while (ended.size() < most && !by_end_.empty() &&
         by_end_.begin()->first < now - kEndedKeptSeconds) {
    ended.push_back(by_end_.begin()->second);
    remove(ended.back());
  }
  return ended;
}

}  // namespace sp::broker
