// A broker's own files after damage: its keys, its checkpoint, and the vault's records, which are
// sealed anew over what the input says, so that what lies behind the seal is reached.
#include <nlohmann/json.hpp>

#include "api/testing/fuzz_terms.hpp"
#include "base/codec.hpp"
#include "base/testing/memory_files.hpp"
#include "broker/service.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace sp::broker {
namespace {

using sp::testing::FuzzInput;
using sp::testing::MemoryFiles;

void check_keys(ByteView bytes) {
  const auto keys = BrokerKeys::decode(bytes);
  if (keys) SP_CHECK(std::ranges::equal(keys->encode().reveal(), bytes));
}

// Nobody is asked for anything.
class SilentEndpoint final : public chain::RpcEndpoint {
 public:
  Result<Json> call(const std::string& method, const Json& /*params*/) override {
    return Error{Errc::unavailable, method + " isn't asked here"};
  }
};

bool loads(ByteView checkpoint) {
  SilentEndpoint endpoint;
  chain::Chain chain(endpoint);
  market::MarketClient client(chain, {});
  MemoryFiles files;
  SP_CHECK(files.write_atomic("checkpoint", checkpoint, FileMode::owner_only).ok());
  return MarketView(client, files, {0, "checkpoint"}).load().ok();
}

// As it is, and with its checksum made right.
void check_checkpoint(ByteView bytes) {
  const bool bare = bytes.size() == 16;  // as it was before it had a checksum
  const ByteView body = bytes.first(bytes.size() - std::min(bytes.size(), Digest32::kSize));
  const bool right = std::ranges::equal(bytes.subspan(body.size()), crypto::sha256(body).view());
  SP_CHECK(loads(bytes) ? bare || right : !bare);
  Bytes summed = to_bytes(bytes);
  append(summed, crypto::sha256(bytes).view());
  const bool tagged = as_text(bytes).starts_with("SPnewest\1");
  SP_CHECK(loads(summed) == (tagged && bytes.size() == 25));
}

// As the vault seals: the nonce, then the record, bound to its name.
Bytes sealed(const Secret32& key, const std::string& name, ByteView plaintext) {
  Writer header;
  header.raw(as_bytes("SPVR")).u16(1).text(name);
  Bytes record(crypto::kGcmNonceSize + plaintext.size() + crypto::kGcmTagSize);
  crypto::Aes256Gcm(key).seal({}, header.bytes(), plaintext,
                              MutableByteView(record).subspan(crypto::kGcmNonceSize));
  return record;
}

Bytes request_list(FuzzInput& input, const api::OrderId& order, std::size_t count) {
  Writer writer;
  writer.u16(static_cast<std::uint16_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    api::Signed<api::KeyRequest> request;
    request.statement.run.order = order;
    request.statement.part = input.byte();
    writer.var(api::testing::any_attestation(input).encode()).var(request.encode());
  }
  return std::move(writer).take();
}

void check_requests(FuzzInput& input) {
  static crypto::SystemRandom random;
  const Secret32 key;
  const api::OrderId order = input.fixed<api::OrderId>();
  const std::string name = "requests-" + order.hex();
  const std::size_t count = input.below(3);
  MemoryFiles files;
  Vault vault(files, "vault", key.clone(), random);
  const auto put = [&](ByteView record) {
    SP_CHECK(files.write_atomic(Path("vault") / name, record, FileMode::owner_only).ok());
  };
  const Bytes list = request_list(input, order, count);
  put(sealed(key, name, list));
  SP_CHECK(vault.requests(order).value().size() == count);
  const Bytes spoiled = input.spoiled(list);
  const Bytes record = sealed(key, name, spoiled);
  put(record);
  const auto read = vault.requests(order);
  SP_CHECK(read.ok() || spoiled != list);
  const Bytes broken = input.spoiled(record);
  put(broken);
  SP_CHECK(broken == record || !vault.requests(order).ok());
}

// A secret that is there already, damaged or not, keeps no other one out.
void check_secrets(FuzzInput& input) {
  static crypto::SystemRandom random;
  static const std::string policy = ReleasePolicy{}.to_json();
  const Secret32 key;
  const auto owner = input.fixed<Address>();
  const auto digest = input.fixed<Digest32>();
  const std::string name = "secret-" + crypto::sha256({owner.view(), digest.view()}).hex();
  Writer writer;
  writer.raw(owner.view()).raw(digest.view()).u64(input.below(9)).text(policy);
  writer.var(api::PartSecret{}.encode().reveal());
  const Bytes spoiled = input.spoiled(writer.bytes());
  MemoryFiles files;
  const Bytes record = sealed(key, name, spoiled);
  SP_CHECK(files.write_atomic(Path("vault") / name, record, FileMode::owner_only).ok());
  Vault vault(files, "vault", key.clone(), random);
  Digest32 other = digest;
  other.data[0] ^= 1;
  SP_CHECK(vault.put({owner, other, 1, policy, {}}, 1, 1).ok());
  SP_CHECK(vault.get(owner, other).value().policy == policy);
}

}  // namespace
}  // namespace sp::broker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      sp::broker::check_keys(bytes);
      break;
    case 1:
      sp::broker::check_checkpoint(bytes);
      break;
    case 2: {
      sp::testing::FuzzInput input(bytes);
      sp::broker::check_requests(input);
      break;
    }
    default: {
      sp::testing::FuzzInput input(bytes);
      sp::broker::check_secrets(input);
    }
  }
  return 0;
}
