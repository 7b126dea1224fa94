// What verified collateral is made of, and the PCK chains that were verified against it. Private to
// attest/intel*.cpp.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "attest/intel.hpp"
#include "attest/intel_chain.hpp"
#include "attest/intel_tcb.hpp"

namespace sp::attest::intel {

inline constexpr std::size_t kPckChainsMax = 1024;  ///< that one collateral remembers

/// A PCK chain that holds against one collateral, but for its times.
struct Pck {
  Chain chain;
  PckFacts facts;
};

/// Remembers PCK chains by the SHA-256 of their PEM. Safe from any thread; never grows beyond
/// kPckChainsMax: a full one forgets all.
class PckCache {
 public:
  std::shared_ptr<const Pck> find(const Digest32& digest) const;
  void add(const Digest32& digest, std::shared_ptr<const Pck> pck) const;

 private:
  mutable std::mutex mutex_;
  mutable std::map<Digest32, std::shared_ptr<const Pck>> chains_;  // by mutex_
};

struct VerifiedCollateral {
  Digest48 anchor;
  CertificateStore store;  ///< with every certificate of the collateral
  std::optional<crypto::Crl> root_crl, pck_crl;
  TcbInfo tcb_info;
  QeIdentity qe_identity;
  Bytes pck_chain;                 ///< PEM; empty: the quote's own
  std::vector<Validity> validity;  ///< of every piece
  PckCache pck_cache;
};

}  // namespace sp::attest::intel
