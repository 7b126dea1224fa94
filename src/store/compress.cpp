#include "store/compress.hpp"

#include <zstd.h>

#include <bit>

namespace sp::store {
namespace {

constexpr int kLevel = 3;
constexpr std::size_t kInputSize = 128 << 10;  // of plain or compressed bytes at a time

class Compressor final : public ByteSource {
 public:
  explicit Compressor(ByteSource& plain)
      : plain_(plain), context_(ZSTD_createCCtx()), buffer_(kInputSize) {
    SP_CHECK(context_ != nullptr);
    SP_CHECK(
        !ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel)));
  }

  Result<std::size_t> read(MutableByteView out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0 && !finished_ && !out.empty()) {
      if (input_.pos == input_.size && !plain_ended_) SP_TRY(refill());
      const std::size_t left = ZSTD_compressStream2(context_.get(), &output, &input_,
                                                    plain_ended_ ? ZSTD_e_end : ZSTD_e_continue);
      SP_CHECK(!ZSTD_isError(left));
      finished_ = plain_ended_ && left == 0;
    }
    return output.pos;
  }

 private:
  Status refill() {
    SP_ASSIGN(const std::size_t got, plain_.read(buffer_));
    input_ = {buffer_.data(), got, 0};
    plain_ended_ = got == 0;
    return {};
  }

  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  ByteSource& plain_;
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  Bytes buffer_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool plain_ended_ = false;
  bool finished_ = false;
};

enum class Frames : std::uint8_t { one, all };

class Decompressor final : public ByteSource {
 public:
  Decompressor(std::unique_ptr<ByteSource> stored, std::size_t window_max, Frames frames)
      : stored_(std::move(stored)),
        frames_(frames),
        context_(ZSTD_createDCtx()),
        buffer_(kInputSize) {
    SP_CHECK(context_ != nullptr && std::has_single_bit(window_max));
    SP_CHECK(!ZSTD_isError(
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, std::countr_zero(window_max))));
  }

  Result<std::size_t> read(MutableByteView out) override {
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos == 0 && !finished_ && !out.empty()) {
      // What the decoder holds back comes out before more is read: a full output says so.
      if (input_.pos == input_.size && !maybe_more_) {
        SP_TRY(refill());
        if (input_.size == 0) return Error{Errc::malformed, "the compressed stream is cut"};
      }
      const std::size_t left = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(left)) {
        return Error{Errc::malformed,
                     std::string("the compressed stream is broken: ") + ZSTD_getErrorName(left)};
      }
      maybe_more_ = output.pos == output.size;
      if (left == 0) SP_TRY(end_frame());
    }
    return output.pos;
  }

 private:
  Status refill() {
    SP_ASSIGN(const std::size_t got, stored_->read(buffer_));
    input_ = {buffer_.data(), got, 0};
    return {};
  }

  Status end_frame() {
    if (input_.pos == input_.size) SP_TRY(refill());
    const bool all_read = input_.pos == input_.size;
    finished_ = all_read || frames_ == Frames::one;
    if (all_read || frames_ == Frames::all) return {};
    return Error{Errc::malformed, "bytes behind the compressed stream"};
  }

  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ByteSource> stored_;
  const Frames frames_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  Bytes buffer_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool maybe_more_ = false;
  bool finished_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> zstd_compressed(ByteSource& plain) {
  return std::make_unique<Compressor>(plain);
}

std::unique_ptr<ByteSource> zstd_decompressed(std::unique_ptr<ByteSource> frame,
                                              std::size_t window_max) {
  return std::make_unique<Decompressor>(std::move(frame), window_max, Frames::one);
}

std::unique_ptr<ByteSource> zstd_frames_decompressed(std::unique_ptr<ByteSource> frames,
                                                     std::size_t window_max) {
  return std::make_unique<Decompressor>(std::move(frames), window_max, Frames::all);
}

}  // namespace sp::store
