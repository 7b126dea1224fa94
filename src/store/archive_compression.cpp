#include "store/archive_compression.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "store/compress.hpp"

namespace sp::store {
namespace {

constexpr std::size_t kInputSize = 128 << 10;  // of compressed bytes at a time
constexpr std::size_t kOutputMax = 1 << 30;    // zlib counts in 32 bits
constexpr int kGzipOnly = 16 + MAX_WBITS;      // as inflateInit2 has it
constexpr std::size_t kZstdWindowMax = 128 << 20;
constexpr std::array<std::uint8_t, 3> kGzip{0x1f, 0x8b, 0x08};
constexpr std::array<std::uint8_t, 4> kZstd{0x28, 0xb5, 0x2f, 0xfd};

bool begins_with(ByteView bytes, ByteView magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

/// A source whose beginning was looked at.
class Begun final : public ByteSource {
 public:
  Begun(Bytes beginning, std::unique_ptr<ByteSource> rest)
      : beginning_(std::move(beginning)), left_(beginning_), rest_(std::move(rest)) {}

  Result<std::size_t> read(MutableByteView out) override {
    if (left_.empty()) return rest_->read(out);
    const std::size_t size = std::min(out.size(), left_.size());
    std::copy_n(left_.begin(), size, out.begin());
    left_ = left_.subspan(size);
    return size;
  }

 private:
  const Bytes beginning_;
  ByteView left_;
  std::unique_ptr<ByteSource> rest_;
};

/// A source that may give so much and no more.
class Limited final : public ByteSource {
 public:
  Limited(std::unique_ptr<ByteSource> source, std::uint64_t size_max)
      : source_(std::move(source)), size_max_(size_max), left_(size_max) {}

  Result<std::size_t> read(MutableByteView out) override {
    SP_ASSIGN(const std::size_t got, source_->read(out));
    if (got > left_) {
      return Error{Errc::too_large, "more than " + std::to_string(size_max_) +
                                        " bytes come out of what is compressed"};
    }
    left_ -= got;
    return got;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  const std::uint64_t size_max_;
  std::uint64_t left_;
};

/// The content of gzip's members. zlib holds nothing of their headers, and checks their ends.
class Gunzipped final : public ByteSource {
 public:
  explicit Gunzipped(std::unique_ptr<ByteSource> stored) : stored_(std::move(stored)) {
    SP_CHECK(inflateInit2(&state_, kGzipOnly) == Z_OK);
  }
  ~Gunzipped() override { inflateEnd(&state_); }
  Gunzipped(const Gunzipped&) = delete;
  Gunzipped& operator=(const Gunzipped&) = delete;

  Result<std::size_t> read(MutableByteView out) override {
    out = out.first(std::min(out.size(), kOutputMax));
    state_.next_out = out.data();
    state_.avail_out = static_cast<uInt>(out.size());
    while (state_.avail_out == out.size() && !ended_ && !out.empty()) {
      if (state_.avail_in == 0) SP_TRY(refill());
      // What doesn't begin as a member is no part of it, as gzip(1) has it.
      if (between_ && (state_.avail_in == 0 || *state_.next_in != kGzip[0])) ended_ = true;
      if (!ended_) SP_TRY(inflate_some());
    }
    return out.size() - state_.avail_out;
  }

 private:
  Status refill() {
    SP_ASSIGN(const std::size_t got, stored_->read(buffer_));
    state_.next_in = buffer_.data();
    state_.avail_in = static_cast<uInt>(got);
    if (got == 0 && !between_) return Error{Errc::malformed, "gzip: cut before its end"};
    return {};
  }

  Status inflate_some() {
    between_ = false;
    const int code = ::inflate(&state_, Z_NO_FLUSH);
    // Where all input is used and nothing came out yet, there is no progress.
    if (code == Z_OK || code == Z_BUF_ERROR) return {};
    if (code != Z_STREAM_END) {
      const char* text = state_.msg == nullptr ? "broken" : state_.msg;
      return Error{Errc::malformed, std::string("gzip: ") + text};
    }
    between_ = true;
    SP_CHECK(inflateReset(&state_) == Z_OK);
    return {};
  }

  std::unique_ptr<ByteSource> stored_;
  Bytes buffer_ = Bytes(kInputSize);
  z_stream state_{};
  bool between_ = false;  // two members
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> undo_compression(std::unique_ptr<ByteSource> stored,
                                                     std::uint64_t plain_max) {
  Bytes beginning(std::max(kGzip.size(), kZstd.size()));
  SP_ASSIGN(const std::size_t size, read_full(*stored, beginning));
  beginning.resize(size);
  const bool gzip = begins_with(beginning, kGzip);
  const bool zstd = begins_with(beginning, kZstd);
  std::unique_ptr<ByteSource> whole =
      std::make_unique<Begun>(std::move(beginning), std::move(stored));
  if (!gzip && !zstd) return whole;
  std::unique_ptr<ByteSource> plain =
      zstd ? zstd_frames_decompressed(std::move(whole), kZstdWindowMax)
           : std::make_unique<Gunzipped>(std::move(whole));
  return std::unique_ptr<ByteSource>(std::make_unique<Limited>(std::move(plain), plain_max));
}

}  // namespace sp::store
