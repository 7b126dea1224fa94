// A reader of DER (ITU-T X.690), strict and bounded: one encoding per value, nothing read past the
// end, nothing built up in memory. It walks over a view, which must outlive it.
//
// What is refused as Errc::malformed: indefinite lengths, lengths or tags in a longer form than
// needed, lengths over the rest of the input, integers with needless leading bytes, booleans other
// than 00 and ff. What is refused as Errc::too_large: nesting over kDerDepthMax. A reader belongs
// to one thread; after an error its position is unspecified.
#pragma once

#include <string>

#include "base/bytes.hpp"

namespace sp::crypto {

inline constexpr std::size_t kDerDepthMax = 16;
inline constexpr std::size_t kDerLengthBytesMax = 4;  ///< after the first: values below 4 GiB
inline constexpr std::size_t kDerOidSizeMax = 64;     ///< bytes of an encoded object identifier

/// First bytes of the elements that certificates and signatures are made of (X.690 section 8).
/// Class and the "constructed" bit are part of it; context-specific ones: der_context().
enum class DerTag : std::uint8_t {
  boolean = 0x01,
  integer = 0x02,
  bit_string = 0x03,
  octet_string = 0x04,
  null = 0x05,
  oid = 0x06,
  enumerated = 0x0a,
  utf8_string = 0x0c,
  sequence = 0x30,
  set = 0x31,
};

/// The tag [number] of context-specific class, constructed (explicit) or not; number below 31.
constexpr DerTag der_context(std::uint8_t number, bool constructed) {
  return static_cast<DerTag>(0x80U | (constructed ? 0x20U : 0U) | (number & 0x1fU));
}

struct DerElement {
  DerTag tag;
  ByteView content;
  ByteView whole;  ///< tag and length included
};

class DerReader {
 public:
  explicit DerReader(ByteView input) : rest_(input) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  /// Whether the next element has this tag; false at the end.
  [[nodiscard]] bool next_is(DerTag tag) const;
  /// The next element, whatever it is. Tags over 30 (in several bytes) are Errc::unsupported.
  Result<DerElement> next();
  /// The content of the next element. Errc::malformed where its tag is another.
  Result<ByteView> read(DerTag tag);
  /// A reader of the content of the next element. Errc::malformed where its tag is another.
  Result<DerReader> enter(DerTag tag);
  /// A number that is not negative, big-endian without leading zeros (zero: one zero byte), of at
  /// most `size_max` bytes. Errc::malformed, Errc::too_large.
  Result<ByteView> unsigned_integer(std::size_t size_max);
  /// A number from 0 to 2^64 - 1. Errc::malformed, Errc::too_large.
  Result<std::uint64_t> number();
  Result<bool> boolean();
  /// An object identifier as dotted text: "1.2.840.10045.2.1". Errc::malformed, Errc::too_large
  /// (over kDerOidSizeMax bytes, or an arc over 2^32 - 1).
  Result<std::string> oid();
  /// Errc::malformed where bytes are left.
  [[nodiscard]] Status finish() const;

 private:
  DerReader(ByteView input, std::size_t depth) : rest_(input), depth_(depth) {}

  ByteView rest_;
  std::size_t depth_ = 0;
};

/// r || s, each of `number_size` bytes, of a DER signature SEQUENCE {INTEGER r, INTEGER s} (RFC
/// 3279 section 2.2.3). Errc::malformed for anything that isn't the one encoding of two numbers
/// that fit; whether they are below the group's order is for the verifier.
Result<Bytes> ecdsa_raw_from_der(ByteView der, std::size_t number_size);

/// The DER of r || s, an even number of bytes, at most 2 * 66 (CHECK).
Bytes ecdsa_der_from_raw(ByteView raw);

}  // namespace sp::crypto
