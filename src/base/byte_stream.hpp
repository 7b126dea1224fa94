// Connected byte streams: a socket, or what a simulation puts in its place.
#pragma once

#include "base/bytes.hpp"

namespace sp {

/// One end of a stream. One thread reads and one writes at a time; shut_down() may be called from
/// any.
class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Writes all of it. Errc::unavailable where the other side is gone.
  virtual Status write(ByteView bytes) = 0;
  /// Waits for some bytes and returns how many; 0 at the end of the stream. Errc::unavailable.
  virtual Result<std::size_t> read(MutableByteView out) = 0;
  /// Ends the stream both ways; a read that waits returns 0. What has been written still arrives.
  virtual void shut_down() = 0;
};

/// A connected stream socket, which stays the caller's.
class SocketStream final : public ByteStream {
 public:
  explicit SocketStream(int descriptor) : descriptor_(descriptor) {}
  Status write(ByteView bytes) override;
  Result<std::size_t> read(MutableByteView out) override;
  void shut_down() override;

 private:
  int descriptor_;
};

}  // namespace sp
