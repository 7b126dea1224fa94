#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <thread>

#include "base/testing/processes.hpp"
#include "loader/container.hpp"
#include "testing/fixture.hpp"

namespace sp::testing {
namespace {

using api::LimitHit;
using api::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Sploader, RunsTheImagesOwnCommand) {
  const api::Start start = world->start_for({});
  const RunReport report = world->run(start);
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::success) << report.finish->failure << world->log_text();
  EXPECT_TRUE(receipt.started);
  EXPECT_EQ(receipt.exit_code, 0);
  EXPECT_EQ(receipt.opened, 0b1111U);
  const std::string log = text_of(result_of(report) / "log.txt");
  EXPECT_THAT(log, HasSubstr("argument by image\n"));
  EXPECT_THAT(log, HasSubstr("variable KEPT=yes\n"));
  EXPECT_THAT(log, HasSubstr("user 1000 group 100 folder /etc\n"));
  std::cout << "loader started at " << report.started.count() / 1000 << " us, finished at "
            << report.finished.count() / 1000 << " us, gone at " << report.whole.count() / 1000
            << " us\n";
  for (const auto& [stage, time] : report.stages) {
    std::cout << "  " << api::stage_name(stage) << " at " << time.count() / 1000 << " us\n";
  }
}

TEST_F(Sploader, ArgumentsReplaceTheCommandAndAddVariables) {
  const api::Start start = world->start_for({{"echo", "a b", ""}, {{"MODE", "order"}}});
  const RunReport report = world->run(start);
  EXPECT_EQ(receipt_of(start, report).outcome, Outcome::success);
  const std::string log = text_of(result_of(report) / "log.txt");
  EXPECT_THAT(log, HasSubstr("argument echo\nargument a b\nargument \n"));
  EXPECT_THAT(log, HasSubstr("variable MODE=order\n"));
  EXPECT_THAT(log, Not(HasSubstr("by image")));
}

struct EndCase {
  std::vector<std::string> arguments;
  Outcome outcome;
  int exit_code;
  LimitHit limit;
  std::string log;
};

TEST_F(Sploader, StopsAtEveryLimit) {
  const std::vector<EndCase> cases = {
      {{"exit", "42"}, Outcome::workload, 42, LimitHit::none, ""},
      // The first process of a pid namespace survives SIGABRT; libc then makes it fault.
      {{"abort"}, Outcome::workload, 139, LimitHit::none, ""},
      {{"memory"}, Outcome::workload, 137, LimitHit::memory, ""},
      {{"disk", "/sp/output/full"}, Outcome::workload, 7, LimitHit::disk, "error 28"},
      {{"disk", "/tmp/full"}, Outcome::workload, 7, LimitHit::disk, "error 28"},
      {{"flood"}, Outcome::workload, 137, LimitHit::log, "all work and no play"},
      {{"loop"}, Outcome::workload, 137, LimitHit::time, ""},
      {{"fork"}, Outcome::workload, 6, LimitHit::none, "error 11"},
  };
  for (const EndCase& wanted : cases) {
    SCOPED_TRACE(wanted.arguments.front());
    api::Start start = world->start_for({wanted.arguments, {}});
    if (wanted.limit == LimitHit::time) start.terms.ordered_seconds = 1;
    const RunReport report = world->run(start);
    const api::Receipt receipt = receipt_of(start, report);
    std::cout << wanted.arguments.front() << " ran " << receipt.duration_ms << " ms of "
              << report.whole.count() / 1'000'000 << " ms\n";
    EXPECT_EQ(receipt.outcome, wanted.outcome) << report.finish->failure;
    EXPECT_EQ(receipt.exit_code, wanted.exit_code);
    EXPECT_EQ(receipt.limit, wanted.limit) << api::limit_name(receipt.limit);
    EXPECT_TRUE(receipt.started);
    EXPECT_EQ(receipt.opened, 0b1111U);
    EXPECT_FALSE(receipt.result.is_zero());
    if (wanted.limit == LimitHit::time) {
      EXPECT_GE(receipt.duration_ms, 1000U);
    }
    const std::string log = text_of(result_of(report) / "log.txt");
    EXPECT_LE(log.size(), loader::kLogSizeMax);
    if (wanted.limit == LimitHit::log) {
      EXPECT_EQ(log.size(), loader::kLogSizeMax);
    }
    EXPECT_THAT(log, HasSubstr(wanted.log));
  }
}

// What a broker signed for is as it was deposited.
TEST_F(Sploader, ArgumentsThatTheTermsDoNotCommitToAreTheCustomersFault) {
  api::Start start = world->start_for({{"echo"}, {}});
  start.terms.parts[0].digest.data[0] ^= 1;
  const RunReport report = world->run(start);
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::input) << report.finish->failure;
  EXPECT_EQ(receipt.fault_part, 0);
  EXPECT_FALSE(receipt.started);
  EXPECT_EQ(receipt.opened, 0U);
}

TEST_F(Sploader, AForkBombStaysWithinItsProcesses) {
  const api::Start start = world->start_for({{"fork"}, {}});
  const RunReport report = world->run(start);
  const std::string log = text_of(result_of(report) / "log.txt");
  EXPECT_THAT(log, HasSubstr("children 31 error 11"));
}

TEST_F(Sploader, ReachesNeitherNetworkNorHost) {
  for (const char* what : {"network", "escape"}) {
    const api::Start start = world->start_for({{what}, {}});
    const RunReport report = world->run(start);
    EXPECT_EQ(receipt_of(start, report).outcome, Outcome::success) << what;
    const std::string log = text_of(result_of(report) / "log.txt");
    EXPECT_THAT(log, Not(HasSubstr("ALLOWED"))) << log;
    EXPECT_GE(std::count(log.begin(), log.end(), '\n'), 4) << log;
  }
}

TEST_F(Sploader, AProgramThatIsNotThereIsTheWorkloadsEnd) {
  const Path root = world->folder() / "bare";
  write_text(root / "etc" / "hello", "hello");
  const Path image = world->folder() / "bare-image";
  make_oci_layout(image, root,
                  R"({"architecture":"amd64","os":"linux","config":{"Cmd":["/nowhere"]}})", true);
  const SealedPart kept = world->use_solution(world->seal(image));
  const api::Start start = world->start_for({});
  const RunReport report = world->run(start);
  static_cast<void>(world->use_solution({kept.package, kept.key.clone()}));
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::workload) << report.finish->failure;
  EXPECT_EQ(receipt.exit_code, 127);
  EXPECT_THAT(text_of(result_of(report) / "log.txt"), HasSubstr("no such program"));
}

bool runs(const std::string& command_line) {
  const auto processes = process_ids();
  return std::any_of(processes.begin(), processes.end(), [&](pid_t process) {
    return process_text(process, "cmdline") == command_line;
  });
}

TEST_F(Sploader, ACancelStopsTheWorkloadAndStoresWhatThereIs) {
  const api::Start start = world->start_for({{"loop"}, {}});
  Mischief mischief;
  mischief.on_stage = [](api::Stage stage, api::FrameStream& window) {
    if (stage == api::Stage::running) {
      const auto up = std::string("/workload") + '\0' + "loop" + '\0';
      for (int looks = 0; !runs(up) && looks < 1000; ++looks) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      EXPECT_TRUE(window.write({api::FrameType::cancel, {}}).ok());
    }
  };
  const RunReport report = world->run(start, mischief);
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::cancelled) << report.finish->failure;
  EXPECT_TRUE(receipt.started);
  EXPECT_EQ(receipt.opened, 0b1111U);
  result_of(report);
}

TEST_F(Sploader, ACancelBeforeTheStartIsNobodysRun) {
  const api::Start start = world->start_for({});
  Mischief mischief;
  mischief.on_stage = [](api::Stage stage, api::FrameStream& window) {
    if (stage == api::Stage::fetching) {
      EXPECT_TRUE(window.write({api::FrameType::cancel, {}}).ok());
    }
  };
  const RunReport report = world->run(start, mischief);
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::provider);
  EXPECT_FALSE(receipt.started);
  EXPECT_TRUE(receipt.result.is_zero());
}

// Terms that a host swaps: with other terms the order is another, so no attestation, no key.
TEST_F(Sploader, SwappedTermsStartNothing) {
  const api::Start honest = world->start_for({{"echo"}, {}});
  const api::OrderId order = honest.terms.order_id(honest.market);
  Address stranger;
  stranger.data.fill(9);
  using Swap = std::function<void(api::Start&)>;
  const std::vector<std::pair<std::string, Swap>> swaps = {
      {"solution", [](auto& s) { s.terms.parts[1].digest.data[0] ^= 1; }},
      {"arguments", [](auto& s) { s.terms.parts[0].digest.data[0] ^= 1; }},
      {"data", [](auto& s) { s.terms.parts[2].digest.data[0] ^= 1; }},
      {"result key", [](auto& s) { s.terms.result_key.data[0] ^= 1; }},
      {"broker", [&](auto& s) { s.terms.parts[1].brokers = {stranger}; }},
      {"attestor", [&](auto& s) { s.terms.attestor = stranger; }},
      {"store", [&](auto& s) { s.terms.parts[3].store = stranger; }},
      {"market", [](auto& s) { s.market.chain_id = 1; }},
      {"chip", [](auto& s) { s.terms.choices[0].chip.data[0] ^= 1; }},
      {"kind", [](auto& s) { s.terms.choices[0].kind = attest::EvidenceKind::sev_snp; }},
      {"attempt", [](auto& s) { s.attempt = 3; }},
      {"replicas", [](auto& s) { s.terms.replicas = 2; }},
      {"egress", [](auto& s) { s.terms.egress = {"example.org:443"}; }},
  };
  for (const auto& [name, swap] : swaps) {
    SCOPED_TRACE(name);
    api::Start start = honest;
    swap(start);
    Mischief mischief;
    // The attestor reads the terms from the chain: it knows the honest order alone.
    mischief.on_attestation = [&](api::Attestation& word) { word.run.order = order; };
    const RunReport report = world->run(start, mischief);
    ASSERT_TRUE(report.finish);
    EXPECT_FALSE(report.finish->attestation);
    EXPECT_FALSE(report.finish->receipt);
    EXPECT_NE(report.finish->failure, "");
    EXPECT_THAT(report.calls, Not(::testing::Contains("release")));
    EXPECT_THAT(report.calls, Not(::testing::Contains("get")));
  }
}

TEST_F(Sploader, AnAttestationAboutAnythingElseIsRefused) {
  using Change = std::function<void(api::Attestation&)>;
  const std::vector<std::pair<std::string, Change>> changes = {
      {"another run", [](auto& a) { a.run.attempt ^= 1; }},
      {"another session", [](auto& a) { a.session.data[0] ^= 1; }},
      {"another acceptance", [](auto& a) { a.acceptance.data[0] ^= 1; }},
      {"another kind", [](auto& a) { a.vendor = attest::Vendor::amd; }},
      {"another chip", [](auto& a) { a.chip.data[0] ^= 1; }},
      {"another program", [](auto& a) { a.measurement.data[0] ^= 1; }},
      {"no time", [](auto& a) { a.time = 0; }},
  };
  const api::Start start = world->start_for({});
  for (const auto& [name, change] : changes) {
    SCOPED_TRACE(name);
    Mischief mischief;
    mischief.on_attestation = change;
    const RunReport report = world->run(start, mischief);
    ASSERT_TRUE(report.finish);
    EXPECT_FALSE(report.finish->attestation);
    EXPECT_FALSE(report.finish->receipt);
    EXPECT_THAT(report.finish->failure, HasSubstr(name));
    EXPECT_THAT(report.calls, Not(::testing::Contains("release")));
  }
}

// A relay knows nonce and session key, so it can seal a key of its own; it can't sign the release.
TEST_F(Sploader, AKeyThatTheRelaySealedItselfIsTheProvidersFault) {
  Mischief mischief;
  mischief.on_reply = [](const api::Call& call, api::Reply& reply) {
    if (call.method != "release") return true;
    const auto request = api::ReleaseRequest::decode(call.body);
    auto answer = api::ReleaseAnswer::decode(reply.body);
    const auto& context = request->proof.context;
    const Bytes info = api::release_info(context.nonces[0], request->request.statement.run,
                                         request->request.statement.part);
    crypto::SystemRandom random;
    api::ReleasedSecret wrong;
    wrong.secret.key = *Secret32::from(Bytes(32, 0x66));
    answer->sealed =
        *crypto::hpke_seal(random, context.session_key, info, {}, wrong.encode().reveal());
    reply.body = answer->encode();
    return true;
  };
  const RunReport report = world->run(world->start_for({}), mischief);
  ASSERT_TRUE(report.finish && report.finish->receipt);
  EXPECT_EQ(report.finish->receipt->statement.outcome, api::Outcome::provider);
  EXPECT_THAT(report.finish->failure, HasSubstr("signature"));
}

TEST_F(Sploader, EveryFlippedAnswerIsNoticed) {
  const api::Start start = world->start_for({});
  // Answers that come before the attestation end the session; later ones are the provider's fault.
  for (const std::string method : {"accept", "nonce", "attest", "release", "get", "receipt"}) {
    SCOPED_TRACE(method);
    Mischief mischief;
    mischief.on_reply = [&](const api::Call& call, api::Reply& reply) {
      if (call.method == method) reply.body.at(reply.body.size() / 2) ^= 0x10;
      return true;
    };
    const RunReport report = world->run(start, mischief);
    ASSERT_TRUE(report.finish);
    EXPECT_NE(report.finish->failure, "");
    const bool attested = method == "release" || method == "get" || method == "receipt";
    EXPECT_EQ(report.finish->receipt.has_value(), attested);
    if (!attested) continue;
    const api::Receipt receipt = receipt_of(start, report);
    EXPECT_EQ(receipt.outcome, Outcome::provider);
    EXPECT_EQ(receipt.started, method == "receipt");
    EXPECT_TRUE(receipt.result.is_zero());
    EXPECT_EQ(receipt.opened & 0b1000U, 0U);
  }
}

TEST_F(Sploader, ARelayThatFailsForAWhileIsAskedAgain) {
  const api::Start start = world->start_for({});
  std::map<std::string, int> seen;
  Mischief mischief;
  mischief.on_reply = [&](const api::Call& call, api::Reply& reply) {
    if (seen[call.method]++ == 0) {
      reply.error = Errc::unavailable;
      reply.body.clear();
    }
    return true;
  };
  const RunReport report = world->run(start, mischief);
  EXPECT_EQ(receipt_of(start, report).outcome, Outcome::success) << report.finish->failure;
}

TEST_F(Sploader, ASignedRefusalIsTheParts) {
  for (std::uint8_t part = 0; part < 3; ++part) {
    const api::Start start = world->start_for({});
    Mischief mischief;
    mischief.refusals[part] = api::RefusalReason::policy;
    const RunReport report = world->run(start, mischief);
    const api::Receipt receipt = receipt_of(start, report);
    EXPECT_EQ(receipt.outcome, Outcome::input);
    EXPECT_EQ(receipt.fault_part, part);
    EXPECT_FALSE(receipt.started);
    EXPECT_EQ(receipt.opened & (1U << part), 0U);
  }
}

TEST_F(Sploader, AnUnsignedRefusalIsTheProviders) {
  const api::Start start = world->start_for({});
  Mischief mischief;
  mischief.refusals[1] = api::RefusalReason::policy;
  mischief.on_reply = [&](const api::Call& call, api::Reply& reply) {
    if (call.method == "release" && !reply.body.empty() && reply.body[0] == 1) {
      reply.body.back() ^= 1;
    }
    return true;
  };
  const RunReport report = world->run(start, mischief);
  EXPECT_EQ(receipt_of(start, report).outcome, Outcome::provider);
}

TEST_F(Sploader, AnOwnersConditionOnArgumentsHolds) {
  Mischief mischief;
  mischief.conditions[2] = {{"argv[0]", {"echo"}}};
  const api::Start allowed = world->start_for({{"echo"}, {}});
  EXPECT_EQ(receipt_of(allowed, world->run(allowed, mischief)).outcome, Outcome::success);
  const api::Start refused = world->start_for({{"exit", "0"}, {}});
  const api::Receipt receipt = receipt_of(refused, world->run(refused, mischief));
  EXPECT_EQ(receipt.outcome, Outcome::input);
  EXPECT_EQ(receipt.fault_part, 2);
  EXPECT_FALSE(receipt.started);
}

TEST_F(Sploader, ContentThatDoesNotOpenIsThePartsFault) {
  const SealedPart kept = world->use_data({world->data().package, world->data().key.clone()});
  SealedPart wrong{kept.package, kept.key.clone()};
  wrong.key.writable()[0] ^= 1;
  static_cast<void>(world->use_data(std::move(wrong)));
  const api::Start start = world->start_for({});
  const RunReport report = world->run(start);
  static_cast<void>(world->use_data({kept.package, kept.key.clone()}));
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::input) << report.finish->failure;
  EXPECT_EQ(receipt.fault_part, 2);
  EXPECT_EQ(receipt.opened, 0b0011U);
}

TEST_F(Sploader, WhatIsNoImageIsTheSolutionsFault) {
  const Path folder = world->folder() / "no-image";
  write_text(folder / "readme", "not an image");
  const SealedPart kept = world->use_solution(world->seal(folder));
  const api::Start start = world->start_for({});
  const RunReport report = world->run(start);
  static_cast<void>(world->use_solution({kept.package, kept.key.clone()}));
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::input);
  EXPECT_EQ(receipt.fault_part, 1);
}

TEST_F(Sploader, InputsThatDoNotFitTheDiskAreSaidSo) {
  const Path folder = world->folder() / "large";
  write_text(folder / "large", std::string(3 << 20, 'x'));
  const SealedPart kept = world->use_data(world->seal(folder));
  api::Start start = world->start_for({});
  start.terms.disk_mib = 4;
  const RunReport report = world->run(start);
  static_cast<void>(world->use_data({kept.package, kept.key.clone()}));
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::input) << report.finish->failure;
}

TEST_F(Sploader, AStoreThatKeepsForTooShortATimeIsNoStore) {
  const api::Start start = world->start_for({});
  Mischief mischief;
  mischief.on_call = [](api::Call& call) {
    if (call.method != "receipt") return;
    for (std::size_t i = 32; i < 40; ++i) call.body[i] = 0;
    call.body[38] = 1;  // long ago
  };
  const RunReport report = world->run(start, mischief);
  const api::Receipt receipt = receipt_of(start, report);
  EXPECT_EQ(receipt.outcome, Outcome::provider);
  EXPECT_THAT(report.finish->failure, HasSubstr("too short"));
}

TEST_F(Sploader, NothingIsLeftBehind) {
  for (const char* controller : {"memory", "pids", "freezer", "unified", ""}) {
    const Path folder = Path("/sys/fs/cgroup") / controller / world->cgroup_parent();
    if (!std::filesystem::exists(folder)) continue;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      EXPECT_FALSE(entry.is_directory()) << entry.path();
    }
  }
}

}  // namespace
}  // namespace sp::testing
