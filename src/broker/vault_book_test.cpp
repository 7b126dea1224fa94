#include "broker/vault_book.hpp"

#include "broker/remote.hpp"
#include "broker/testing/broker_fixture.hpp"
#include "net/patience.hpp"

namespace sp::broker {
namespace {

constexpr VaultLimits kSmall{2, 100, 3, 250};
constexpr std::int64_t kFar = 1'000'000'000'000;

VaultRecord record(std::uint8_t owner, std::uint64_t size, std::int64_t until = kFar) {
  return {filled<Address>(owner), size, until};
}

Errc refusal(const VaultBook& book, const std::string& name, const VaultRecord& what) {
  const Status admitted = book.admits(name, what);
  return admitted ? Errc::usage : admitted.error().code;
}

TEST(VaultBook, AnAccountHasItsShare) {
  VaultBook book(kSmall);
  book.put("a", record(1, 50));
  EXPECT_EQ(refusal(book, "b", record(1, 51)), Errc::conflict);
  EXPECT_EQ(refusal(book, "b", record(1, 50)), Errc::usage);
  book.put("b", record(1, 10));
  EXPECT_EQ(refusal(book, "c", record(1, 1)), Errc::conflict);
  EXPECT_EQ(refusal(book, "c", record(2, 1)), Errc::usage);
  // In the place of what is there.
  EXPECT_EQ(refusal(book, "b", record(1, 50)), Errc::usage);
  EXPECT_EQ(refusal(book, "b", record(1, 51)), Errc::conflict);
}

TEST(VaultBook, TheVaultHasAnEnd) {
  VaultBook book(kSmall);
  book.put("a", record(1, 100));
  book.put("b", record(2, 100));
  EXPECT_EQ(refusal(book, "c", record(3, 51)), Errc::io);
  book.put("c", record(3, 50));
  EXPECT_EQ(refusal(book, "d", record(4, 0)), Errc::io);
}

TEST(VaultBook, WhatEndedLongAgoMakesRoom) {
  VaultBook book(kSmall);
  book.put("a", record(1, 10, 1000));
  book.put("b", record(1, 10, 1001));
  EXPECT_TRUE(book.take_ended(1000 + kEndedKeptSeconds, 9).empty());
  EXPECT_EQ(book.take_ended(1001 + kEndedKeptSeconds, 9), std::vector<std::string>{"a"});
  EXPECT_EQ(refusal(book, "c", record(1, 90)), Errc::usage);
  EXPECT_EQ(refusal(book, "c", record(1, 91)), Errc::conflict);
}

TEST(VaultBook, TheOldestEndedGoFirstAndNoMoreThanAsked) {
  VaultBook book({9, 1000, 9, 1000});
  book.put("a", record(1, 10, 3));
  book.put("b", record(2, 10, 1));
  book.put("c", record(3, 10, 2));
  book.put("b", record(2, 10, 4));  // brought again, for longer
  using Names = std::vector<std::string>;
  EXPECT_EQ(book.take_ended(kFar, 2), (Names{"c", "a"}));
  EXPECT_EQ(book.take_ended(kFar, 2), Names{"b"});
  EXPECT_EQ(book.take_ended(kFar, 2), Names{});
}

class VaultLimitsTest : public BrokerTest {
 protected:
  // A broker over the same folder, with little room.
  void limit(VaultLimits limits) {
    small_.emplace(files_, folder_, keys_.vault.clone(), random_, limits);
    broker_.emplace(keys_, view_, *small_, prover_, clock_, random_, Broker::Options{accepting()});
  }
  net::HttpResponse deposit(const crypto::EthKey& owner, std::uint8_t digest,
                            std::int64_t until = 4'000'000'000) {
    ReleasePolicy ending = policy();
    ending.until = until;
    net::HttpRequest request;
    request.method = "POST";
    request.path = "/v1/deposits";
    request.body = signed_deposit(owner, digest, later(), ending).encode();
    return handle_broker_request(*broker_, request);
  }

  std::optional<Vault> small_;
};

TEST_F(VaultLimitsTest, ADepositBeyondALimitIsToldWhenToTryAgain) {
  const auto other = crypto::EthKey::generate(random_);
  limit({3, 1 << 20, 4, 1 << 20});  // the fixture's own deposit, of before this broker, counts
  EXPECT_EQ(deposit(owner_, 10).status, 201U);
  EXPECT_EQ(deposit(owner_, 11).status, 201U);
  const auto full = deposit(owner_, 12);
  EXPECT_EQ(full.status, 429U);
  EXPECT_EQ(net::retry_after(full.headers), kFullRetryAfter);
  EXPECT_NE(as_text(full.body).find("try again in 3600 s"), std::string_view::npos);
  EXPECT_EQ(deposit(owner_, 11).status, 201U);  // again, in its own place
  EXPECT_EQ(deposit(other, 10).status, 201U);
  const auto whole = deposit(other, 11);
  EXPECT_EQ(whole.status, 507U);
  EXPECT_EQ(net::retry_after(whole.headers), kFullRetryAfter);
  EXPECT_NE(as_text(whole.body).find("vault is full"), std::string_view::npos);
}

// Without any need for room: what can't be released any more isn't kept for a thief. One whose end
// is before its deposit revokes an earlier one, which may be sent again for a while.
TEST_F(VaultLimitsTest, WhatEndedLongAgoIsErasedByALaterDeposit) {
  limit({});
  constexpr std::int64_t kNow = 1'000'000'000;
  const auto put = [&](std::uint8_t digest, std::int64_t time, std::int64_t until) {
    const Deposited deposited{owner_.address(),
                              filled<Digest32>(digest),
                              static_cast<std::uint64_t>(time),
                              policy().to_json(),
                              {}};
    EXPECT_TRUE(small_->put(deposited, until, kNow).ok());
  };
  const auto held = [&](std::uint8_t digest) {
    return small_->has(owner_.address(), filled<Digest32>(digest));
  };
  put(20, 1, kNow - kEndedKeptSeconds - 1);
  put(21, 1, kNow - kEndedKeptSeconds);
  put(22, kNow, 1);
  put(23, 1, kNow);
  EXPECT_FALSE(held(20));
  EXPECT_TRUE(held(21));
  EXPECT_TRUE(held(22));
}

TEST_F(VaultLimitsTest, ADamagedSecretKeepsNobodyOut) {
  const auto other = crypto::EthKey::generate(random_);
  limit({});
  ASSERT_EQ(deposit(owner_, 10).status, 201U);
  ASSERT_EQ(deposit(other, 11).status, 201U);
  const Path file =
      folder_.path() /
      ("secret-" + crypto::sha256({other.address().view(), filled<Digest32>(11).view()}).hex());
  Bytes record = files_.read(file, kRecordSizeMax).value();
  record.back() ^= 1;
  ASSERT_TRUE(files_.write_atomic(file, record, FileMode::owner_only));
  limit({});
  EXPECT_EQ(deposit(owner_, 12).status, 201U);
  EXPECT_TRUE(small_->get(owner_.address(), filled<Digest32>(10)));
  EXPECT_EQ(small_->get(other.address(), filled<Digest32>(11)).error().code, Errc::bad_signature);
  EXPECT_EQ(deposit(other, 11).status, 201U);
  EXPECT_TRUE(small_->get(other.address(), filled<Digest32>(11)));
}

// As the system's: with the names of folders.
class FailingFiles final : public Files {
 public:
  Result<Bytes> read(const Path& path, std::size_t size_max) const override {
    if (reads_fail) return failure("read", path);
    return files_.read(path, size_max);
  }
  Result<Bytes> read_range(const Path& path, std::uint64_t, std::size_t) const override {
    return failure("read", path);
  }
  Result<std::uint64_t> size(const Path& path) const override { return files_.size(path); }
  Status write_atomic(const Path& path, ByteView, FileMode) override {
    return failure("write", path);
  }
  Status make_folder(const Path& path) override { return failure("mkdir", path); }
  Status remove(const Path& path) override { return failure("unlink", path); }
  Result<std::vector<std::string>> list(const Path& folder) const override {
    return files_.list(folder);
  }

  bool reads_fail = false;

 private:
  static Error failure(const std::string& doing, const Path& path) {
    return {Errc::io, doing + " " + path.string() + ": Input/output error"};
  }

  PosixFiles files_;
};

TEST_F(VaultLimitsTest, ADiskThatFailsTellsStrangersNoFolder) {
  FailingFiles failing;
  small_.emplace(failing, folder_, keys_.vault.clone(), random_, VaultLimits{});
  broker_.emplace(keys_, view_, *small_, prover_, clock_, random_, Broker::Options{accepting()});
  for (const bool reads_fail : {false, true}) {
    failing.reads_fail = reads_fail;
    const auto failed = deposit(owner_, 10);
    EXPECT_EQ(failed.status, 507U);
    EXPECT_NE(as_text(failed.body).find("the broker's disk failed"), std::string_view::npos);
    EXPECT_EQ(as_text(failed.body).find('/'), std::string_view::npos) << as_text(failed.body);
  }
}

TEST_F(VaultLimitsTest, NoncesTakeNoMemoryAndHoldForOneSession) {
  NonceBook book(clock_, random_);
  const api::NonceRequest one{{filled<api::OrderId>(1), 0, 0}, filled<Address>(1)};
  const api::NonceRequest two{{filled<api::OrderId>(1), 0, 0}, filled<Address>(2)};
  const api::Nonce nonce = book.issue(one);
  EXPECT_NE(nonce, book.issue(one));
  EXPECT_TRUE(book.check(nonce, one).ok());
  EXPECT_EQ(book.check(nonce, two).error().code, Errc::expired);
  for (std::size_t i = 0; i < nonce.data.size(); ++i) {
    api::Nonce flipped = nonce;
    flipped.data.at(i) ^= 1;
    EXPECT_EQ(book.check(flipped, one).error().code, Errc::expired) << i;
  }
  EXPECT_EQ(NonceBook(clock_, random_).check(nonce, one).error().code, Errc::expired);
}

// A clock that a test moves.
class MovedClock final : public Clock {
 public:
  std::int64_t unix_seconds() const override { return 0; }
  std::chrono::nanoseconds monotonic() const override { return now; }
  void sleep_for(std::chrono::nanoseconds) const override {}
  std::chrono::nanoseconds now{std::chrono::seconds(1000)};
};

TEST_F(VaultLimitsTest, ANonceLivesAsLongAsItSays) {
  MovedClock clock;
  NonceBook book(clock, random_);
  const api::NonceRequest request{{filled<api::OrderId>(1), 0, 0}, filled<Address>(1)};
  const api::Nonce nonce = book.issue(request);
  clock.now += std::chrono::seconds(api::kNonceLifetimeSeconds) - std::chrono::nanoseconds(1);
  EXPECT_TRUE(book.check(nonce, request).ok());
  clock.now += std::chrono::nanoseconds(1);
  EXPECT_EQ(book.check(nonce, request).error().code, Errc::expired);
}

}  // namespace
}  // namespace sp::broker
