// The window's stream: cut into pieces anywhere it gives the same frames and the same error as in
// one piece, and good frames come out as they went in.
#include "api/testing/fuzz_terms.hpp"

namespace sp::api {
namespace {

using sp::testing::FuzzInput;

struct Heard {
  std::vector<Frame> frames;
  std::optional<Errc> error;
  bool operator==(const Heard&) const = default;
};

void take(FrameParser& parser, Heard& heard) {
  while (!heard.error) {
    auto frame = parser.next();
    if (!frame) {
      heard.error = frame.error().code;
    } else if (*frame) {
      heard.frames.push_back(std::move(**frame));
    } else {
      return;
    }
  }
}

Heard hear(ByteView stream, std::size_t piece_max) {
  FrameParser parser;
  Heard heard;
  while (!stream.empty()) {
    const std::size_t piece = std::min(stream.size(), piece_max);
    parser.feed(stream.first(piece));
    stream = stream.subspan(piece);
    take(parser, heard);
  }
  return heard;
}

std::vector<Frame> any_frames(FuzzInput& input) {
  std::vector<Frame> frames(input.below(5));
  for (Frame& frame : frames) {
    frame.type = static_cast<FrameType>(1 + input.below(6));
    frame.body = to_bytes(input.bytes(200));
  }
  return frames;
}

}  // namespace
}  // namespace sp::api

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::api;
  sp::testing::FuzzInput input({data, size});
  const std::size_t piece = 1 + input.below(16);
  const std::vector<Frame> frames = any_frames(input);
  sp::Bytes stream;
  for (const Frame& frame : frames) sp::append(stream, frame.encode());
  const Heard good = hear(stream, piece);
  SP_CHECK(!good.error && good.frames == frames);
  stream = input.spoiled(std::move(stream));
  sp::append(stream, input.rest());
  SP_CHECK(hear(stream, piece) == hear(stream, stream.size() + 1));
  return 0;
}
