// Chains and revocation lists of an authority of our own, spoiled before they are signed, so that
// what lies behind lengths and signatures is reached. What is accepted keeps the rules.
#include "base/check.hpp"
#include "crypto/crl.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/testing/spoiled_recipes.hpp"

namespace sp::crypto {
namespace {

using sp::testing::FuzzInput;
using testing::CertificateRecipe;
using testing::CrlRecipe;
using testing::SigningKey;

constexpr std::int64_t kFrom = 1'577'836'800;
constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kUntil = 2'493'072'000;

struct Keys {
  Keys()
      : root(SigningKey::ec(Curve::p384, random)),
        middle(SigningKey::ec(Curve::p384, random)),
        leaf(SigningKey::ec(Curve::p256, random)) {}
  SystemRandom random;
  SigningKey root, middle, leaf;
};

const Keys& keys() {
  static const Keys kMade;
  return kMade;
}

CertificateRecipe recipe(const std::string& subject, const std::string& issuer, bool ca) {
  CertificateRecipe made;
  made.subject = testing::common_name(subject);
  made.issuer = testing::common_name(issuer);
  made.from = kFrom;
  made.to = kUntil;
  if (ca) made.ca = true;
  if (ca) made.key_usage = testing::kKeyCertSign | testing::kCrlSign;
  return made;
}

// What verify_chain promises of a chain that it accepts.
void check_accepted(const std::vector<Certificate>& chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    SP_CHECK(chain[i].not_before() <= kNow && kNow <= chain[i].not_after());
    if (i == 0) continue;
    SP_CHECK(chain[i].is_ca());
    SP_CHECK(std::ranges::equal(chain[i - 1].issuer_der(), chain[i].subject_der()));
    SP_CHECK(!chain[i].path_length() || *chain[i].path_length() >= i - 1);
  }
  SP_CHECK(sha384(chain.back().public_key_info()) == sha384(keys().root.public_key_info()));
}

void check_list(ByteView der, const CrlRecipe& made, const Certificate& issuer, bool whole) {
  const auto list = Crl::from_der(der);
  SP_CHECK(list.ok() || !whole);
  if (!list) return;
  SP_CHECK(list->this_update() <= list->next_update() && list->size() <= made.revoked.size());
  const Status signed_by = list->verify_issued_by(issuer);
  SP_CHECK(signed_by.ok() || !whole);
  if (signed_by) SP_CHECK(std::ranges::equal(list->issuer_der(), issuer.subject_der()));
  for (const auto& entry : made.revoked) {
    const auto first = std::ranges::find_if(entry.serial, [](auto byte) { return byte != 0; });
    Bytes serial(first, entry.serial.end());
    if (serial.empty()) serial.push_back(0);
    SP_CHECK(list->contains(serial));
  }
}

}  // namespace
}  // namespace sp::crypto

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::crypto;
  FuzzInput input({data, size});
  const bool whole = input.empty();
  std::array<CertificateRecipe, 3> recipes{recipe("leaf", "middle", false),
                                           recipe("middle", "root", true),
                                           recipe("root", "root", true)};
  CrlRecipe list;
  list.issuer = recipes[1].subject;
  list.this_update = kFrom;
  list.next_update = kUntil;
  testing::spoil(input, list);
  for (CertificateRecipe& one : recipes) testing::spoil(input, one);

  const std::array<const SigningKey*, 3> own{&keys().leaf, &keys().middle, &keys().root};
  std::vector<Certificate> chain;
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    const SigningKey& issuer = *own[std::min<std::size_t>(i + 1, 2)];
    const auto made =
        Certificate::from_der(testing::issue(recipes[i], own[i]->public_key_info(), issuer));
    SP_CHECK(made.ok() || !whole);
    if (made) chain.push_back(*made);
  }
  const sp::Digest48 root = sha384(keys().root.public_key_info());
  const sp::Status accepted = verify_chain(chain, root, kNow);
  SP_CHECK(accepted.ok() || !whole);
  if (accepted) check_accepted(chain);
  if (chain.size() == recipes.size()) {
    check_list(testing::issue_crl(list, keys().middle), list, chain[1], whole);
  }
  return 0;
}
