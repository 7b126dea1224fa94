// Intel quotes: layout, PCK chain, SGX extension and TCB level of what reads.
#include <nlohmann/json.hpp>

#include "attest/intel.hpp"
#include "attest/intel_chain.hpp"
#include "attest/intel_status.hpp"
#include "crypto/hash.hpp"

namespace sp::attest {
namespace {

constexpr std::int64_t kNow = 1'750'550'400;

Json level(Json tcb, const char* status) {
  return {{"tcb", std::move(tcb)}, {"tcbDate", "2024-03-13T00:00:00Z"}, {"tcbStatus", status}};
}

Json components(int svn) {
  Json list = Json::array();
  for (int i = 0; i < 16; ++i) list.push_back({{"svn", svn}});
  return list;
}

// TCB info of TDX with two levels and one module.
const intel::TcbInfo& tcb_info() {
  static const intel::TcbInfo info = [] {
    const Json versions =
        Json::array({level({{"isvsvn", 4}}, "UpToDate"), level({{"isvsvn", 2}}, "OutOfDate")});
    const Json signer = {{"mrsigner", std::string(96, '0')},
                         {"attributes", std::string(16, '0')},
                         {"attributesMask", std::string(16, 'F')}};
    Json module = signer;
    module["id"] = "TDX_01";
    module["tcbLevels"] = versions;
    Json levels = Json::array();
    for (const int svn : {4, 0}) {
      levels.push_back(level({{"sgxtcbcomponents", components(svn)},
                              {"tdxtcbcomponents", components(svn)},
                              {"pcesvn", svn}},
                             svn == 0 ? "OutOfDate" : "UpToDate"));
    }
    const Json json = {{"version", 3},
                       {"id", "TDX"},
                       {"issueDate", "2025-06-19T10:16:03Z"},
                       {"nextUpdate", "2025-07-19T10:16:03Z"},
                       {"fmspc", "000000000000"},
                       {"pceId", "0000"},
                       {"tcbType", 0},
                       {"tcbEvaluationDataNumber", 1},
                       {"tdxModule", signer},
                       {"tdxModuleIdentities", Json::array({module})},
                       {"tcbLevels", levels}};
    return intel::read_tcb_info(json.dump()).value();
  }();
  return info;
}

void judge(const intel::Quote& quote, const intel::PckFacts& facts) {
  intel::QeIdentity qe;
  qe.levels = {{1, {TcbStatus::up_to_date, "", {}}}};
  const auto outcome = intel::tcb_outcome(quote, facts, tcb_info(), qe);
  if (outcome) SP_CHECK(!tcb_name(outcome->status).empty());
}

// The chain's own last certificate as its anchor, so that what follows is reached.
void walk(const intel::Quote& quote) {
  const auto chain = crypto::Certificate::from_pem(as_text(quote.pck_chain));
  if (!chain) return;
  const Digest48 anchor = crypto::sha384(chain->back().public_key_info());
  intel::CertificateStore store;
  const auto verified = intel::read_chain(intel::kPckChain, quote.pck_chain, {&anchor, 1}, store);
  if (verified) SP_CHECK(verified->certificates.size() == 3 && verified->anchor == anchor);
  const auto extension = chain->front().extension(intel::kSgxExtensionOid);
  if (!extension) return;
  if (const auto facts = intel::read_pck_facts(*extension)) judge(quote, *facts);
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;  // NOLINT(google-build-using-namespace)
  const sp::ByteView input(data, size);
  const auto quote = intel::read_quote(input);
  if (!quote) return 0;
  SP_CHECK(quote->signed_part.size() <= size && quote->report_data().size() == 64);
  SP_CHECK(intel_quote_kind(input).value() == quote->kind());
  SP_CHECK(show_intel(quote->kind(), input, Anchors::vendors(), kNow).ok());
  walk(*quote);
  judge(*quote, {});
  return 0;
}
