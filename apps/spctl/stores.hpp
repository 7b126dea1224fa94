// Stores as commands name them: the network's own, one at a URL ("https://store.example:8301"), a
// bucket ("s3://bucket/prefix"), and several of these as one.
#pragma once

#include <optional>

#include "spctl/context.hpp"
#include "store/mirror_store.hpp"
#include "store/remote/http_store.hpp"
#include "store/remote/s3_store.hpp"

namespace sp::spctl {

/// How often a request to a store is made before a command gives up.
inline constexpr unsigned kStoreAttempts = 8;
inline constexpr unsigned kMirrorAttempts = 2;  ///< where another store can be asked instead

/// A store with all that it stands on. Safe to call from any thread.
class OpenStore {
 public:
  OpenStore(const OpenStore&) = delete;
  OpenStore& operator=(const OpenStore&) = delete;

  [[nodiscard]] store::BlobStore& blobs() { return *blobs_; }
  /// How many places it stands for.
  [[nodiscard]] std::size_t places() const { return stores_.size(); }
  /// For people and journals: its URLs.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  friend Result<std::unique_ptr<OpenStore>> open_stores(Context& context,
                                                        const std::vector<std::string>& urls,
                                                        const std::optional<Address>& account,
                                                        const std::string& key_name);
  OpenStore() = default;
  Status add(Context& context, const std::string& url, const std::optional<Address>& account,
             const store::Backoff& backoff);

  std::optional<crypto::EthKey> signer_;
  std::vector<std::unique_ptr<store::BlobStore>> stores_;
  std::unique_ptr<store::MirrorStore> mirror_;
  store::BlobStore* blobs_ = nullptr;
  std::string name_;
};

/// The stores at some URLs, one after the other where one fails; what is written goes to the first
/// that takes it, signed by the key. `account` is what HTTP stores sign with; where it isn't given
/// each is asked. An empty `key_name` is for reading. The context must outlive it. Errc::usage.
Result<std::unique_ptr<OpenStore>> open_stores(Context& context,
                                               const std::vector<std::string>& urls,
                                               const std::optional<Address>& account,
                                               const std::string& key_name);

/// The stores that a command names with --store, or the network's where it names none.
Result<std::unique_ptr<OpenStore>> chosen_stores(Context& context,
                                                 const std::vector<std::string>& urls,
                                                 const std::string& key_name);

}  // namespace sp::spctl
