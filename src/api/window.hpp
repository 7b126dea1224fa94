// The window: the one byte stream between a loader and its provider's relay, cut into frames
// (FORMATS.md section 6).
//
//   frame = u32 length of the rest | u8 type | body
//
// The relay is the host's, so everything that comes through the window is hostile to the loader,
// and everything from the loader is hostile to the relay. What must be secret is sealed above it.
// Frames and messages are values; a FrameStream belongs to one reader and one writer thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/broker.hpp"
#include "base/byte_stream.hpp"

namespace sp::api {

enum class FrameType : std::uint8_t {
  start = 1,
  call = 2,
  reply = 3,
  stage = 4,
  cancel = 5,
  finish = 6
};

inline constexpr std::size_t kFrameSizeMax = 42 << 20;  ///< a manifest and its message around it
inline constexpr std::size_t kCallsInFlightMax = 64;    ///< a relay refuses more
inline constexpr std::size_t kCallMethodMax = 32;
inline constexpr std::size_t kCallBodyMax = 41 << 20;
inline constexpr std::size_t kStageTextMax = 256;

struct Frame {
  FrameType type = FrameType::start;
  Bytes body;
  [[nodiscard]] Bytes encode() const;
  bool operator==(const Frame&) const = default;
};

/// Cuts a stream into frames. Errc::too_large, Errc::unsupported for an unknown type.
class FrameParser {
 public:
  void feed(ByteView bytes);
  /// The next whole frame, or nothing yet.
  Result<std::optional<Frame>> next();

 private:
  Bytes buffer_;
  std::size_t start_ = 0;
};

/// First frame to the loader: which order to run.
struct Start {
  Eip712Domain market;
  Terms terms;
  std::uint16_t attempt = 0;
  std::uint8_t replica = 0;
  [[nodiscard]] Bytes encode() const;
  static Result<Start> decode(ByteView bytes);
};

enum class ServiceKind : std::uint8_t { broker = 1, store = 2, provider = 3 };

/// The loader calls a service by its signing address; the relay knows where that is.
///   broker: "nonce", "attest", "release"   store: "get" {id 32, u32 max}, "put" {id 32, bytes},
///   "receipt" {id 32, u64 until} provider: "accept" {session 20} -> acceptance signature 65
struct Call {
  std::uint32_t id = 0;
  ServiceKind service = ServiceKind::provider;
  Address address;
  std::string method;
  Bytes body;
  [[nodiscard]] Bytes encode() const;
  static Result<Call> decode(ByteView bytes);
  bool operator==(const Call&) const = default;
};

struct Reply {
  std::uint32_t id = 0;
  std::optional<Errc> error;  ///< empty = success; then `body` is the answer, else its message
  Bytes body;
  [[nodiscard]] Bytes encode() const;
  static Result<Reply> decode(ByteView bytes);
  bool operator==(const Reply&) const = default;
};

/// How far the loader is; for people, never believed.
enum class Stage : std::uint8_t {
  attesting = 1,
  fetching = 2,
  running = 3,
  sealing = 4,
  storing = 5
};
std::string_view stage_name(Stage stage);

/// The loader's last frame.
struct Finish {
  std::optional<SessionProof> proof;  ///< absent only where no attestation was reached
  std::optional<Signed<Attestation>> attestation;
  std::optional<Signed<Receipt>> receipt;  ///< absent: nothing that could be settled
  Digest32 c;                              ///< C; zero = none
  std::string failure;                     ///< why, where it didn't succeed; at most 1024 bytes
  [[nodiscard]] Bytes encode() const;
  static Result<Finish> decode(ByteView bytes);
};

/// Blocking frames over a stream that the caller owns.
class FrameStream {
 public:
  explicit FrameStream(ByteStream& stream) : stream_(stream) {}
  /// Errc::unavailable where the other side is gone; Errc::too_large.
  Status write(const Frame& frame);
  /// The next frame. Errc::unavailable at the end of the stream, and for a stream that ends in the
  /// middle of a frame.
  Result<Frame> read();

 private:
  ByteStream& stream_;
  FrameParser parser_;
};

}  // namespace sp::api
