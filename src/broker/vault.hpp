// The vault: deposited secrets with their policies, and what has been asked for, on disk.
//
// Each record is a file sealed under the broker's vault key (AES-256-GCM), named by a digest, so
// that names tell nothing. In a TEE the vault key comes from the platform's sealing; with dev
// evidence it lies in the state folder. Safe to call from any thread.
#pragma once

#include <array>

#include "api/broker.hpp"
#include "base/crash_point.hpp"
#include "base/files.hpp"
#include "base/sync.hpp"
#include "broker/policy.hpp"
#include "broker/vault_book.hpp"
#include "crypto/aead.hpp"

namespace sp::broker {

inline constexpr std::size_t kRecordSizeMax = 512 * 1024;
inline constexpr std::size_t kClaimsMax = 256;  ///< key requests kept of one order

/// A deposited secret.
struct Deposited {
  Address owner;
  Digest32 digest;
  std::uint64_t time = 0;  ///< of the deposit, as its owner signed it
  std::string policy;
  api::PartSecret secret;
};

/// A session's request for a key, as a part's owner needs it for a claim.
struct KeptRequest {
  api::Signed<api::Attestation> attestation;
  api::Signed<api::KeyRequest> request;
};

class Vault {
 public:
  Vault(Files& files, Path folder, Secret32 key, Random& random, VaultLimits limits = {});

  /// Keeps the secret of (owner, digest), whose policy ends at `until`, or replaces one of an
  /// earlier time, and erases some whose policies ended more than kEndedKeptSeconds before `now`.
  /// The same one again changes nothing. Errc::expired where there is another of that time or a
  /// later one, Errc::conflict where the owner has as many as an account may, Errc::io where the
  /// vault is full or the disk fails; what failed there is for the log alone. A damaged secret, of
  /// whomever, is said to the log and counts for nothing.
  Status put(const Deposited& deposited, std::int64_t until, std::int64_t now);
  /// Errc::not_found; Errc::bad_signature where the file was tampered with.
  Result<Deposited> get(const Address& owner, const Digest32& digest);
  /// Whether there is one, without opening it.
  [[nodiscard]] bool has(const Address& owner, const Digest32& digest) const;

  /// Keeps a key request before the key goes out; the same one again changes nothing. Errc::refused
  /// where `sessions_max` other sessions of the same attempt and part have been served.
  Status keep_request(const KeptRequest& kept, std::uint32_t sessions_max);
  /// All key requests of an order. Empty where there are none.
  Result<std::vector<KeptRequest>> requests(const api::OrderId& order);

 private:
  Status write_record(CrashSite site, const Path& name, ByteView plaintext);
  Result<SecretBytes> read_record(const Path& name);
  Result<std::vector<KeptRequest>> read_requests(const api::OrderId& order);
  Result<bool> is_kept(const Deposited& deposited);
  Result<VaultRecord> read_entry(const Path& name);
  Status count_secrets();
  Status make_room(const std::string& name, const VaultRecord& record, std::int64_t now);

  Files& files_;
  Path folder_;
  Secret32 key_;
  Random& random_;
  Mutex book_mutex_;               // guards the two below
  std::optional<VaultBook> book_;  // counted at the first put
  VaultLimits limits_;
  std::array<Mutex, 16> putting_;  // one secret after another, by its digest
  Mutex mutex_;                    // orders read-modify-write of request files
};

}  // namespace sp::broker
