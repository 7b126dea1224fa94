// Streams of bytes: a source that is read to its end, and a sink. Each belongs to one thread at a
// time.
#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "base/files.hpp"

namespace sp::store {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills the front of `out` and returns how many bytes; 0 only at the end (or for an empty
  /// `out`).
  virtual Result<std::size_t> read(MutableByteView out) = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status write(ByteView bytes) = 0;
};

/// Reads from memory that outlives it.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> read(MutableByteView out) override;

 private:
  ByteView rest_;
};

/// Collects in memory, up to `size_max` (Errc::too_large).
class MemorySink final : public ByteSink {
 public:
  explicit MemorySink(std::size_t size_max) : size_max_(size_max) {}
  Status write(ByteView bytes) override;
  [[nodiscard]] Bytes& bytes() { return bytes_; }

 private:
  std::size_t size_max_;
  Bytes bytes_;
};

/// Reads a file from its beginning. Errc::not_found, Errc::io.
Result<std::unique_ptr<ByteSource>> open_file_source(const Path& path);

/// Reads an open file from where it stands; `path` is for the words of errors.
std::unique_ptr<ByteSource> fd_source(Fd file, const Path& path);

/// Reads until `out` is full or the source ends; returns how many bytes.
Result<std::size_t> read_full(ByteSource& source, MutableByteView out);

/// Moves everything from source to sink; returns how many bytes.
Result<std::uint64_t> copy_stream(ByteSource& source, ByteSink& sink);

}  // namespace sp::store
