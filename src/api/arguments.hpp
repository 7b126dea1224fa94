// A workload's arguments, how they are committed to, and the conditions that owners set on them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/json.hpp"
#include "base/secret.hpp"

namespace sp::api {

inline constexpr std::size_t kArgumentsSizeMax = 64 * 1024;  ///< encoded
inline constexpr std::size_t kArgumentsMax = 1024;           ///< argv, and variables, each
inline constexpr std::size_t kConditionsMax = 64;

/// What the workload is started with, besides what its image says.
struct Arguments {
  std::vector<std::string>
      argv;  ///< behind the image's entry point; empty = the image's own command
  std::vector<std::pair<std::string, std::string>> environment;  ///< sorted by name, no name twice

  [[nodiscard]] Bytes encode() const;
  /// Errc::malformed (a name with '=' or NUL, a text with NUL, names out of order or twice),
  /// Errc::too_large.
  static Result<Arguments> decode(ByteView bytes);
  bool operator==(const Arguments&) const = default;
};

/// HMAC-SHA-256(order secret, canonical arguments): what the terms say of the arguments.
Digest32 argument_commitment(const Secret32& order_secret, const Arguments& arguments);

/// An owner's rule on arguments, which the loader enforces before it starts anything.
struct ArgumentRule {
  std::string name;  ///< "argv[0]", "argv.count", "env.count", or "env." and a variable's name
  std::vector<std::string> allowed;  ///< the values that it may have
  bool operator==(const ArgumentRule&) const = default;
};

/// Errc::refused where an argument isn't one of the allowed values (an absent one reads as "").
Status check_arguments(const Arguments& arguments, const std::vector<ArgumentRule>& rules);

/// {"argv[0]": ["a", "b"], "env.MODE": ["fast"]}.
Result<std::vector<ArgumentRule>> argument_rules_from_json(const Json& json,
                                                           const std::string& where);
Json argument_rules_to_json(const std::vector<ArgumentRule>& rules);

/// What a broker holds and releases for a part. Secret as a whole.
struct PartSecret {
  Secret32 key;           ///< the content key of a package; for the arguments, the order secret
  SecretBytes arguments;  ///< encoded Arguments; empty for packages

  /// Encoded into memory that is wiped.
  [[nodiscard]] SecretBytes encode() const;
  static Result<PartSecret> decode(ByteView bytes);
};

/// What is sealed to a session: the secret and the conditions on its use.
struct ReleasedSecret {
  PartSecret secret;
  std::vector<ArgumentRule> conditions;

  [[nodiscard]] SecretBytes encode() const;
  static Result<ReleasedSecret> decode(ByteView bytes);
};

inline constexpr std::size_t kSecretSizeMax = kArgumentsSizeMax + 256;

}  // namespace sp::api
