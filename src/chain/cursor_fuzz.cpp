// A follower's cursor file, whose checksum is made right first; what opens says what the file says.
#include <nlohmann/json.hpp>

#include "base/codec.hpp"
#include "base/testing/fuzz_input.hpp"
#include "base/testing/memory_files.hpp"
#include "chain/follower.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

// Nobody is asked for anything: opening a follower reads its file alone.
class SilentEndpoint final : public RpcEndpoint {
 public:
  Result<Json> call(const std::string& method, const Json& /*params*/) override {
    return Error{Errc::unavailable, method + " isn't asked here"};
  }
};

Follower::Options options(testing::FuzzInput& input) {
  Follower::Options made;
  made.contract = input.fixed<Address>();
  made.topics = {input.flag() ? std::optional<Digest32>() : input.fixed<Digest32>()};
  made.cursor = "cursor";
  return made;
}

// The file as the follower's comment lays it out.
Bytes cursor(const Follower::Options& of, std::uint64_t next, const BlockHash& last) {
  Writer subject;
  subject.raw(of.contract.view()).u16(static_cast<std::uint16_t>(of.topics.size()));
  for (const auto& topic : of.topics) {
    subject.u8(topic ? 1 : 0);
    if (topic) subject.raw(topic->view());
  }
  Writer writer;
  writer.raw(as_bytes("SPfollow")).u8(3).raw(crypto::sha256(subject.bytes()).view());
  writer.u64(next).u64(next - next / 2).u16(next > 0 ? 1 : 0);
  if (next > 0) writer.u64(next - 1).raw(last.view());
  return std::move(writer).take();
}

Result<Follower> open(testing::MemoryFiles& files, const Follower::Options& of, Bytes body,
                      bool summed) {
  static SilentEndpoint endpoint;
  static Chain chain(endpoint);
  if (summed) append(body, crypto::sha256(body).view());
  SP_CHECK(files.write_atomic("cursor", body, FileMode::owner_only).ok());
  return Follower::open(chain, files, of);
}

}  // namespace
}  // namespace sp::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::chain;
  sp::testing::MemoryFiles files;
  sp::testing::FuzzInput input({data, size});
  const Follower::Options of = options(input);
  const auto next = input.number<std::uint64_t>();
  const sp::Bytes body = cursor(of, next, input.fixed<BlockHash>());
  const auto good = open(files, of, body, true);
  SP_CHECK(good.ok() && good->next_block() == next);
  const sp::Bytes spoiled = input.spoiled(body);
  const auto other = open(files, of, spoiled, true);
  constexpr std::size_t kWithoutMarks = 8 + 1 + 32 + 8 + 8 + 2;
  SP_CHECK(!other || spoiled.size() >= kWithoutMarks);
  SP_CHECK(!open(files, of, sp::to_bytes({data, size}), false).ok());
  return 0;
}
