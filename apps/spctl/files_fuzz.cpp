// What spctl reads of its own folder after damage, and of its command line: order files, notes,
// keystores' addresses, sizes, cores, variables, argument rules. The first byte says which.
#include <nlohmann/json.hpp>

#include "api/testing/fuzz_terms.hpp"
#include "base/testing/memory_files.hpp"
#include "crypto/random.hpp"
#include "spctl/contract_deploy.hpp"
#include "spctl/key_ring.hpp"
#include "spctl/offer_policy.hpp"
#include "spctl/order_files.hpp"
#include "spctl/order_plan.hpp"

namespace sp::spctl {
namespace {

using sp::testing::FuzzInput;
using sp::testing::MemoryFiles;

void check_one_encoding(ByteView bytes) {
  const auto record = OrderRecord::decode(bytes);
  if (record) SP_CHECK(std::ranges::equal(record->encode().reveal(), bytes));
}

void check_record(FuzzInput& input) {
  check_one_encoding(input.rest());
  OrderRecord record;
  record.market = api::testing::any_market(input);
  record.key_name = input.text(kKeyNameMax);
  record.arguments = SecretBytes(input.bytes(40));
  for (std::size_t i = input.below(3); i > 0; --i) {
    record.own_keys.push_back({input.fixed<Digest32>(), Secret32()});
  }
  record.terms = api::testing::any_terms(input);
  const SecretBytes encoding = record.encode();
  SP_CHECK(OrderRecord::decode(encoding.reveal()).value().terms == record.terms);
  check_one_encoding(input.spoiled(to_bytes(encoding.reveal())));
}

void check_note(ByteView bytes) {
  MemoryFiles files;
  OrderFiles orders(files, "orders");
  const api::OrderId id;
  SP_CHECK(files.write_atomic(orders.file(id, "created.json"), bytes, FileMode::everyone).ok());
  const auto note = orders.created(id);
  if (!note) return;
  SP_CHECK(orders.save_created(id, *note).ok());
  SP_CHECK(orders.created(id)->tx == note->tx && orders.created(id)->block == note->block);
}

void check_deployment(ByteView bytes) {
  MemoryFiles files;
  SP_CHECK(files.write_atomic("deployment.json", bytes, FileMode::everyone).ok());
  const auto deployment = Deployment::load(files, "deployment.json");
  if (!deployment) return;
  SP_CHECK(deployment->save(files, "again.json").ok());
  SP_CHECK(Deployment::load(files, "again.json")->steps.size() == deployment->steps.size());
}

void check_keys(ByteView bytes) {
  static crypto::SystemRandom random;
  MemoryFiles files;
  SP_CHECK(files.write_atomic("keys/me.json", bytes, FileMode::owner_only).ok());
  SP_CHECK(files.write_atomic("keys/me.x25519", bytes, FileMode::owner_only).ok());
  KeyRing ring(files, random, "keys", "");
  SP_CHECK(ring.list().ok() == ring.info("me").ok());
  SP_CHECK(ring.load_result_key("me").ok() == (bytes.size() == Secret32::kSize));
  SP_CHECK(ring.info(std::string(as_text(bytes))).ok() == false || as_text(bytes) == "me");
}

void check_options(ByteView bytes) {
  const std::string text(as_text(bytes));
  if (const auto mib = parse_mib(text)) {
    SP_CHECK(parse_mib(std::to_string(*mib) + "M").value() == *mib);
  }
  if (const auto cpus = parse_cpus(text)) {
    SP_CHECK(parse_cpus(Amount(*cpus).tokens(3)).value() == *cpus);
  }
  if (const auto variables = parse_environment({text})) {
    SP_CHECK(variables->size() == 1 &&
             variables->front().first + "=" + variables->front().second == text);
    SP_CHECK(!parse_environment({text, text}).ok());
  }
  PolicyWishes wishes;
  wishes.arguments = text;
  apps::Network network;
  network.loader_tee = attest::AppraisalPolicy::standard();
  const auto policy = make_offer_policy(network, wishes);
  if (policy) SP_CHECK(broker::ReleasePolicy::parse(policy->to_json()).ok());
}

}  // namespace
}  // namespace sp::spctl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::spctl;
  if (size == 0) return 0;
  const sp::ByteView bytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0: {
      FuzzInput input(bytes);
      check_record(input);
      break;
    }
    case 1:
      check_deployment({data, size});
      check_note(bytes);
      break;
    case 2:
      check_keys(bytes);
      break;
    default:
      check_options(bytes);
  }
  return 0;
}
