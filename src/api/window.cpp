#include "api/window.hpp"

#include "base/codec.hpp"

namespace sp::api {
namespace {

constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::size_t kFailureTextMax = 1024;
constexpr std::uint8_t kErrcCount = static_cast<std::uint8_t>(Errc::usage) + 1;

void write_optional(Writer& writer, bool present, const Bytes& encoded) {
  writer.u8(present ? 1 : 0);
  if (present) writer.var(encoded);
}

template <class Value>
Result<std::optional<Value>> read_optional(Reader& reader, std::size_t size_max) {
  if (!reader.boolean()) return std::optional<Value>();
  const ByteView bytes = reader.var(size_max);
  if (reader.failed()) return std::optional<Value>();  // finish() tells the failure
  SP_ASSIGN(Value value, Value::decode(bytes));
  return std::optional<Value>(std::move(value));
}

}  // namespace

Bytes Frame::encode() const {
  SP_CHECK(body.size() < kFrameSizeMax);
  Writer writer;
  writer.u32(static_cast<std::uint32_t>(body.size() + 1)).u8(static_cast<std::uint8_t>(type));
  writer.raw(body);
  return std::move(writer).take();
}

void FrameParser::feed(ByteView bytes) {
  if (start_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(start_));
    start_ = 0;
  }
  append(buffer_, bytes);
}

Result<std::optional<Frame>> FrameParser::next() {
  const ByteView waiting = ByteView(buffer_).subspan(start_);
  if (waiting.size() < kLengthSize) return std::optional<Frame>();
  const std::size_t size = Reader(waiting.first(kLengthSize)).u32();
  if (size == 0) return Error{Errc::malformed, "a frame without a type"};
  if (size > kFrameSizeMax) {
    return Error{Errc::too_large, "a frame of " + std::to_string(size) + " bytes, at most " +
                                      std::to_string(kFrameSizeMax)};
  }
  if (waiting.size() < kLengthSize + size) return std::optional<Frame>();
  const ByteView rest = waiting.subspan(kLengthSize, size);
  if (rest[0] < 1 || rest[0] > 6) {
    return Error{Errc::unsupported, "unknown type of frame " + std::to_string(rest[0])};
  }
  start_ += kLengthSize + size;
  return std::optional<Frame>(Frame{static_cast<FrameType>(rest[0]), to_bytes(rest.subspan(1))});
}

Bytes Start::encode() const {
  Writer writer;
  writer.u64(market.chain_id).raw(market.contract.view()).var(terms.encode());
  writer.u16(attempt).u8(replica);
  return std::move(writer).take();
}

Result<Start> Start::decode(ByteView bytes) {
  Reader reader(bytes);
  Start start;
  start.market.chain_id = reader.u64();
  start.market.contract = reader.fixed<Address>();
  const ByteView terms = reader.var(kTermsSizeMax);
  start.attempt = reader.u16();
  start.replica = reader.u8();
  SP_TRY(reader.finish());
  SP_ASSIGN(start.terms, Terms::decode(terms));
  return start;
}

Bytes Call::encode() const {
  Writer writer;
  writer.u32(id).u8(static_cast<std::uint8_t>(service)).raw(address.view());
  writer.text(method).var(body);
  return std::move(writer).take();
}

Result<Call> Call::decode(ByteView bytes) {
  Reader reader(bytes);
  Call call;
  call.id = reader.u32();
  const std::uint8_t service = reader.u8();
  if (service < 1 || service > 3) reader.fail(Errc::unsupported, "unknown kind of service");
  call.service = static_cast<ServiceKind>(service);
  call.address = reader.fixed<Address>();
  call.method = reader.text(kCallMethodMax);
  call.body = to_bytes(reader.var(kCallBodyMax));
  SP_TRY(reader.finish());
  return call;
}

Bytes Reply::encode() const {
  Writer writer;
  writer.u32(id).u8(error ? static_cast<std::uint8_t>(static_cast<std::uint8_t>(*error) + 1) : 0);
  writer.var(body);
  return std::move(writer).take();
}

Result<Reply> Reply::decode(ByteView bytes) {
  Reader reader(bytes);
  Reply reply;
  reply.id = reader.u32();
  const std::uint8_t status = reader.u8();
  if (status > kErrcCount) reader.fail(Errc::unsupported, "unknown error code");
  if (status > 0) reply.error = static_cast<Errc>(status - 1);
  reply.body = to_bytes(reader.var(kCallBodyMax));
  SP_TRY(reader.finish());
  return reply;
}

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::attesting:
      return "attesting";
    case Stage::fetching:
      return "fetching";
    case Stage::running:
      return "running";
    case Stage::sealing:
      return "sealing";
    case Stage::storing:
      return "storing";
  }
  return "unknown";
}

Bytes Finish::encode() const {
  Writer writer;
  write_optional(writer, proof.has_value(), proof ? proof->encode() : Bytes{});
  write_optional(writer, attestation.has_value(), attestation ? attestation->encode() : Bytes{});
  write_optional(writer, receipt.has_value(), receipt ? receipt->encode() : Bytes{});
  writer.raw(c.view()).text(std::string_view(failure).substr(0, kFailureTextMax));
  return std::move(writer).take();
}

Result<Finish> Finish::decode(ByteView bytes) {
  Reader reader(bytes);
  Finish finish;
  SP_ASSIGN(finish.proof, read_optional<SessionProof>(reader, kSessionProofMax));
  SP_ASSIGN(finish.attestation, read_optional<Signed<Attestation>>(reader, kStatementSizeMax));
  SP_ASSIGN(finish.receipt, read_optional<Signed<Receipt>>(reader, kStatementSizeMax));
  finish.c = reader.fixed<Digest32>();
  finish.failure = reader.text(kFailureTextMax);
  SP_TRY(reader.finish());
  return finish;
}

Status FrameStream::write(const Frame& frame) { return stream_.write(frame.encode()); }

Result<Frame> FrameStream::read() {
  Bytes buffer(kReadSize);
  for (;;) {
    SP_ASSIGN(std::optional<Frame> frame, parser_.next());
    if (frame) return std::move(*frame);
    SP_ASSIGN(const std::size_t got, stream_.read(buffer));
    if (got == 0) return Error{Errc::unavailable, "the window is closed"};
    parser_.feed(ByteView(buffer).first(got));
  }
}

}  // namespace sp::api
