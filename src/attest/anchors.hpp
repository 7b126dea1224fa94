// Whom a verifier believes at the root: SHA-384 of the vendors' public keys. A test vendor's root
// is injected by making another Anchors; nothing compiled in but the vendors' own.
#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace sp::attest {

inline constexpr std::string_view kForeignAnchorWarning =
    "the root of trust is not a hardware vendor's: worth as much as whoever holds its key";

/// SHA-384 of the DER SubjectPublicKeyInfo of each accepted root.
struct Anchors {
  std::vector<Digest48> amd;    ///< ARK of each family
  std::vector<Digest48> intel;  ///< the SGX root CA

  /// AMD's ARKs (Milan, Genoa, Turin) and Intel's SGX root CA.
  static const Anchors& vendors();
  /// Whether `root` is one of the vendors' own: what isn't is shown in every output.
  static bool is_vendor(const Digest48& root);
};

}  // namespace sp::attest
