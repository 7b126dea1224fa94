// Two endpoints' answers, as they are compared: two JSON texts with a line break between. Comparing
// is symmetric, the form that is compared is its own form, and two answers that say the same read
// the same where they read at all.
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "chain/quorum_answer.hpp"
#include "chain/rpc_json.hpp"

namespace sp::chain {
namespace {

constexpr std::size_t kSizeMax = 1 << 16;
const std::string kMethods[] = {"eth_getBlockByNumber", "eth_getLogs", "eth_getTransactionReceipt",
                                "eth_call"};

bool same_block(const Result<Block>& a, const Result<Block>& b) {
  if (!a || !b) return a.ok() == b.ok();
  return a->number == b->number && a->hash == b->hash && a->parent == b->parent &&
         a->time == b->time;
}

// Answers that say the same of a block read as the same block.
void check_reading(const std::string& method, const Json& a, const Json& b) {
  if (method == "eth_getBlockByNumber") SP_CHECK(same_block(parse_block(a), parse_block(b)));
}

void check(const std::string& method, const Json& a, const Json& b) {
  const auto first = comparable(method, a);
  const auto second = comparable(method, b);
  SP_CHECK(first.ok() && second.ok() && same_answer(first, first));
  SP_CHECK(same_answer(first, second) == same_answer(second, first));
  SP_CHECK(same_answer(comparable(method, *first), first));
  SP_CHECK(answer_words(first).size() <= 400);
  if (same_answer(first, second)) check_reading(method, *first, *second);
}

}  // namespace
}  // namespace sp::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp;
  const std::string_view text = as_text({data, size});
  const std::size_t end = std::min(text.find('\n'), text.size());
  const auto a = parse_json(text.substr(0, end), chain::kSizeMax);
  const auto b = parse_json(text.substr(std::min(text.size(), end + 1)), chain::kSizeMax);
  if (!a) return 0;
  for (const std::string& method : chain::kMethods) chain::check(method, *a, b ? *b : *a);
  for (const Errc code : {Errc::refused, Errc::unavailable}) {
    const Result<Json> refusal(Error{code, std::string(text)});
    SP_CHECK(chain::same_answer(refusal, refusal) == chain::is_refusal(refusal.error()));
    for (const char c : chain::answer_words(refusal)) SP_CHECK(c >= 0x20 && c < 0x7f);
  }
  return 0;
}
