// How much lies in the vault, by account: limits keep one account from filling it, and all together
// from filling the disk. A value; not safe for several threads at once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace sp::broker {

/// How long a secret is kept after its policy's end, seconds: clocks of broker and chain differ.
inline constexpr std::int64_t kEndedKeptSeconds = 24 * 3600;

struct VaultLimits {
  std::size_t records_per_owner = 4096;
  std::uint64_t bytes_per_owner = std::uint64_t{64} << 20;
  std::size_t records = 131'072;  ///< in all; some 400 bytes of memory each
  std::uint64_t bytes = std::uint64_t{4} << 30;
};

struct VaultRecord {
  Address owner;
  std::uint64_t size = 0;
  std::int64_t until = 0;  ///< the policy's end or the deposit's time, seconds of Unix time
};

class VaultBook {
 public:
  explicit VaultBook(const VaultLimits& limits) : limits_(limits) {}

  /// Whether the record may be put under this name, in the place of what is there. Errc::conflict
  /// where the owner has as much as an account may, Errc::io where the vault is full.
  [[nodiscard]] Status admits(const std::string& name, const VaultRecord& record) const;
  void put(const std::string& name, const VaultRecord& record);
  /// Takes out what ended more than kEndedKeptSeconds ago, the oldest first and at most `most`, and
  /// names it.
  std::vector<std::string> take_ended(std::int64_t now, std::size_t most);

 private:
  struct Share {
    std::size_t records = 0;
    std::uint64_t bytes = 0;
  };
  void remove(const std::string& name);

  VaultLimits limits_;
  std::map<std::string, VaultRecord> records_;
  std::set<std::pair<std::int64_t, std::string>> by_end_;  // of all records, until and name
  std::map<Address, Share> owners_;
  std::uint64_t bytes_ = 0;
};

}  // namespace sp::broker
