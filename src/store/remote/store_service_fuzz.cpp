// A store's service, and requests of any making: by accounts that may write and one that may not,
// signed as they should be, or otherwise in one thing, or made of the input as it comes. What isn't
// signed well changes nothing; what is kept is there, and what is promised is there and stays.
#include "store/remote/store_service.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/codec.hpp"
#include "base/log.hpp"
#include "base/testing/fuzz_json.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/testing/fixed_keys.hpp"
#include "store/remote/testing/set_clock.hpp"
#include "store/testing/test_support.hpp"

namespace sp::store {
namespace {

using crypto::testing::eth_key;
using net::HttpRequest;
using net::HttpResponse;
using sp::testing::FuzzInput;

constexpr std::size_t kRequestsMax = 10;
constexpr std::size_t kSealedChunk = kChunkSizeMin + crypto::kGcmTagSize;
constexpr std::array<const char*, 4> kWords{"any", "0x", "1800000100", "package"};
constexpr std::array<const char*, 6> kMethods{"GET", "HEAD", "PUT", "DELETE", "POST", "TRACE"};
constexpr std::array<const char*, 5> kPaths{"/v1/blobs/", "/v1/receipts", "/v1/identity", "/health",
                                            "/"};
constexpr std::array<const char*, 6> kFields{"authorization", "range",    "if-range",
                                             "if-none-match", "if-match", "content-type"};

const crypto::EthKey& store_key() {
  static const crypto::EthKey key = eth_key(5);
  return key;
}

/// Of two who may write, and one who may not.
const std::array<crypto::EthKey, 3>& accounts() {
  static const std::array<crypto::EthKey, 3> keys{eth_key(6), eth_key(7), eth_key(8)};
  return keys;
}

/// Two chunks, and the manifests of three packages of them; of the last one chunk is nowhere.
const std::vector<Bytes>& contents() {
  static const std::vector<Bytes> made = [] {
    std::vector<Bytes> blobs{Bytes(kSealedChunk, 1), Bytes(kSealedChunk, 2)};
    const BlobId first = blob_id(blobs[0]);
    const BlobId second = blob_id(blobs[1]);
    for (const std::vector<BlobId>& chunks :
         {std::vector{first}, std::vector{first, second}, std::vector{second, BlobId{}}}) {
      Manifest manifest;
      manifest.chunk_size = kChunkSizeMin;
      manifest.stream_size = chunks.size() * kChunkSizeMin;
      manifest.chunks = chunks;
      blobs.push_back(manifest.encode());
    }
    return blobs;
  }();
  return made;
}

/// What is in the way of a request: as many of its account as may be at once, or a bucket that is
/// away.
enum class Trouble : std::uint8_t { none, busy, away };

class Bucket final : public RangedStore {
 public:
  explicit Bucket(RangedStore& blobs) : blobs_(blobs) {}
  Status put(const BlobId& id, ByteView bytes) override {
    SP_TRY(away);
    return blobs_.put(id, bytes);
  }
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override {
    SP_TRY(away);
    return blobs_.get(id, size_max);
  }
  Result<std::uint64_t> size(const BlobId& id) override {
    SP_TRY(away);
    return blobs_.size(id);
  }
  Status remove(const BlobId& id) override {
    SP_TRY(away);
    return blobs_.remove(id);
  }
  Result<Bytes> get_range_unverified(const BlobId& id, std::uint64_t offset,
                                     std::size_t size) override {
    SP_TRY(away);
    return blobs_.get_range_unverified(id, offset, size);
  }
  [[nodiscard]] Result<std::uint64_t> total_size() const override { return blobs_.total_size(); }

  Status away;

 private:
  RangedStore& blobs_;
};

/// What a request may change.
struct State {
  std::vector<AccountBook::Usage> used;
  std::vector<bool> there;
  std::vector<std::int64_t> promised;
  bool operator==(const State&) const = default;
};

/// A store that is empty at first.
class Shop {
 public:
  explicit Shop(const StoreService::Options& options) : options_(options) { open(); }

  /// As after a restart, where it served before.
  void open() {
    StoreAccounts allowed;
    allowed.quotas = {{accounts()[0].address(), 3 * kSealedChunk},
                      {accounts()[1].address(), kSealedChunk}};
    book_ = AccountBook::open(files_, folder_ / "owners", allowed, clock.now,
                              [this](const BlobId& id, std::uint64_t size) {
                                const auto held = blobs_.size(id);
                                return held && *held == size;
                              })
                .value();
    promises_ = PromiseBook::open(files_, folder_ / "promises", clock.now).value();
    // A record may have been left of what isn't there, or is no package.
    readable_ = promises_->recall(blobs_, clock.now).ok();
    service_ = std::make_unique<StoreService>(bucket_, store_key(), clock, book_.get(),
                                              promises_.get(), options_);
  }

  /// A whole record of any content at the end of a book's file.
  void leave_record(const char* book, const Bytes& content) {
    std::ofstream file(folder_ / book, std::ios::binary | std::ios::app);
    const Bytes check =
        to_bytes(crypto::sha256(content).view().first(kRecordSize - content.size()));
    file << as_text(content) << as_text(check);
  }

  HttpResponse handle(const HttpRequest& request) { return service_->handle(request); }
  HttpResponse handle(const HttpRequest& request, Trouble trouble, const Address& account) {
    if (trouble == Trouble::away) bucket_.away = Error{Errc::unavailable, "the bucket is away"};
    const std::size_t others = trouble == Trouble::busy ? kAccountPutsMax : 0;
    for (std::size_t i = 0; i < others; ++i) SP_CHECK(book_->enter(account));
    HttpResponse answer = handle(request);
    for (std::size_t i = 0; i < others; ++i) book_->leave(account);
    bucket_.away = {};
    SP_CHECK(answer.status != 429 || trouble == Trouble::busy);
    const bool unread = !readable_ && request.method == "DELETE";
    SP_CHECK(answer.status != 503 || trouble == Trouble::away || unread);
    return answer;
  }

  [[nodiscard]] State state() {
    State now;
    for (const auto& key : accounts()) now.used.push_back(book_->usage(key.address()));
    for (const Bytes& content : contents()) {
      const BlobId id = blob_id(content);
      now.there.push_back(blobs_.size(id).ok());
      now.promised.push_back(promises_->held_until(id));
    }
    return now;
  }
  [[nodiscard]] bool owns(const Address& account, const BlobId& id) const {
    return book_->share(account, id) != AccountBook::Share::none;
  }
  [[nodiscard]] bool holds(const BlobId& id) { return blobs_.size(id).ok(); }

  testing::SetClock clock;

 private:
  const StoreService::Options options_;
  const sp::testing::TemporaryFolder folder_{sp::testing::memory_path()};
  PosixFiles files_;
  DirectoryStore blobs_{files_, folder_ / "blobs"};
  Bucket bucket_{blobs_};
  std::unique_ptr<AccountBook> book_;
  std::unique_ptr<PromiseBook> promises_;
  std::unique_ptr<StoreService> service_;
  bool readable_ = true;  // all that is promised, at the start
};

/// Signs for `key`, in one thing otherwise where the input says so: then true.
bool sign(FuzzInput& input, const crypto::EthKey& key, std::int64_t now, HttpRequest& request) {
  StoreRequest what{store_key().address(), request.method, request.path,
                    crypto::sha256(request.body), now};
  const std::size_t wrong = input.byte() % 16;
  if (wrong == 1) what.store.data[0] ^= 1;
  if (wrong == 2) what.method = request.method == "PUT" ? "DELETE" : "PUT";
  if (wrong == 3) what.path = "/v1/blobs/";
  if (wrong == 4) what.content.data[0] ^= 1;
  if (wrong == 5) what.time += kRequestClockWindow + 1;
  if (wrong == 6) what.time -= kRequestClockWindow + 1;
  const std::string good = sign_request(key, what);
  std::string& field = request.headers["authorization"] = good;
  if (wrong == 7) {  // for whom he isn't
    auto signature = RequestSignature::parse(good).value();
    signature.account = accounts()[0].address();
    field = signature.text();
    return signature.account != key.address();
  }
  if (wrong == 8) field = as_text(input.spoiled(to_bytes(as_bytes(good))));
  return (wrong > 0 && wrong < 7) || field != good;
}

/// Every answer is one of those that the protocol knows, and an error says what it is.
void check_form(const HttpRequest& request, const HttpResponse& answer) {
  constexpr std::array kKnown{200U, 201U, 204U, 206U, 304U, 400U, 401U, 403U, 404U,
                              405U, 409U, 412U, 413U, 416U, 425U, 429U, 503U, 507U};
  SP_CHECK(std::ranges::find(kKnown, answer.status) != kKnown.end());
  SP_CHECK(answer.status != 507 || request.method == "PUT" || request.method == "POST");
  if (answer.status < 400 || answer.status == 412) return;
  const Json problem = parse_json(as_text(answer.body), 1 << 16).value();
  SP_CHECK(problem.at("error").is_string() && problem.at("message").is_string());
  if (answer.status != 429 && answer.status != 503) return;
  const std::string words = "; try again in " + answer.headers.at("retry-after") + " s";
  SP_CHECK(problem.at("message").get<std::string>().ends_with(words));
}

void check_receipt(Shop& shop, const HttpResponse& answer, const Json& asked) {
  const auto receipt = StorageReceipt::decode(answer.body).value();
  SP_CHECK(receipt.verify(store_key().address()).ok());
  SP_CHECK(receipt.package == PackageId::from_hex(asked.at("package").get<std::string>()).value());
  SP_CHECK(receipt.until == asked.at("until").get<std::int64_t>());
  SP_CHECK(receipt.until > shop.clock.now && shop.holds(receipt.package));
  for (const Bytes& content : contents()) {
    if (blob_id(content) != receipt.package) continue;
    const Manifest manifest = Manifest::decode(content).value();
    for (const BlobId& chunk : manifest.chunks) SP_CHECK(shop.holds(chunk));
  }
}

void check_kept(Shop& shop, const Address& account, const BlobId& id, const Bytes& content) {
  SP_CHECK(shop.owns(account, id));
  const HttpResponse got = shop.handle({"GET", "/v1/blobs/" + id.hex(), {}, {}, {}});
  SP_CHECK(got.status == 200 && got.body == content);
}

void ask_for_receipt(FuzzInput& input, Shop& shop, const crypto::EthKey& key, Trouble trouble) {
  const std::int64_t until = shop.clock.now + input.number<std::uint16_t>() - 99;
  Json json{{"package", blob_id(input.flag() ? contents()[2 + input.below(3)] : Bytes{}).hex()},
            {"until", until}};
  if (input.byte() % 4 == 1) spoil_json(input, json, kWords);
  HttpRequest request{"POST", kPaths[1], {}, {}, {}};
  request.body = to_bytes(as_bytes(sp::testing::json_text(json)));
  const State before = shop.state();
  const bool wrong = sign(input, key, shop.clock.now, request);
  const HttpResponse answer = shop.handle(request, trouble, key.address());
  check_form(request, answer);
  if (answer.status == 200) {
    SP_CHECK(!wrong);
    check_receipt(shop, answer, json);
  } else {
    SP_CHECK(answer.status >= 400 && shop.state() == before);
  }
}

void ask_for_blob(FuzzInput& input, Shop& shop, const crypto::EthKey& key, Trouble trouble) {
  const std::string method = input.one_of(std::array<const char*, 3>{"PUT", "DELETE", "HEAD"});
  const Bytes& content = contents()[input.below(contents().size())];
  const BlobId id = blob_id(content);
  HttpRequest request{method, kPaths[0] + id.hex(), {}, {}, {}};
  if (method == "PUT") request.body = content;
  if (input.byte() % 8 == 1) request.body = input.spoiled(std::move(request.body));
  if (input.flag()) request.headers["if-none-match"] = "*";
  const Address account = key.address();
  const bool owned = shop.owns(account, id);
  const State before = shop.state();
  const bool wrong = sign(input, key, shop.clock.now, request);
  const HttpResponse answer = shop.handle(request, trouble, key.address());
  check_form(request, answer);
  const bool done = answer.status < 400 || (answer.status == 412 && method == "PUT");
  if (wrong) SP_CHECK(!done);
  if (!done || method == "HEAD") {
    // What nobody owned any longer may have gone meanwhile.
    SP_CHECK(shop.state().used == before.used && (!wrong || shop.state() == before));
    SP_CHECK(shop.owns(account, id) == owned);
  } else if (method == "PUT") {
    SP_CHECK(request.body == content);
    check_kept(shop, account, id, content);
  } else {
    SP_CHECK(!shop.owns(account, id));
  }
}

/// Who owns something owns what is there, whatever the books' files say.
void check_books(const Shop& shop, const State& state) {
  for (std::size_t i = 0; i < accounts().size(); ++i) {
    std::uint64_t owned = 0;
    for (std::size_t j = 0; j < contents().size(); ++j) {
      const bool owns = shop.owns(accounts()[i].address(), blob_id(contents()[j]));
      SP_CHECK(!owns || state.there[j]);
      owned += owns ? 1U : 0U;
    }
    SP_CHECK(state.used[i].blobs == owned);
  }
}

void restart(FuzzInput& input, Shop& shop) {
  shop.clock.now += input.number<std::uint16_t>();
  const auto used = shop.state().used;
  const bool damaged = input.flag();
  if (damaged) {
    const Bytes& blob = contents()[input.below(contents().size())];
    const std::uint64_t ended = std::uint64_t{1} << 63 | blob.size();
    Writer writer;
    writer.raw(accounts()[input.below(accounts().size())].address().view());
    writer.raw(blob_id(blob).view());
    writer.u64(input.one_of(std::array<std::uint64_t, 3>{blob.size(), ended, 1'900'000'000}));
    Bytes content = std::move(writer).take();
    if (input.flag()) content = input.spoiled(std::move(content));
    content.resize(kRecordContentSize);
    content[kRecordOwnByte] = 0;
    shop.leave_record(input.flag() ? "owners" : "promises", content);
  }
  shop.open();
  SP_CHECK(damaged || shop.state().used == used);
  check_books(shop, shop.state());
}

/// Nobody signs it.
void ask_anything(FuzzInput& input, Shop& shop) {
  HttpRequest request{input.one_of(kMethods), input.one_of(kPaths), {}, {}, {}};
  if (input.flag()) request.path += blob_id(contents()[input.below(contents().size())]).hex();
  if (input.byte() % 4 == 1) request.path += input.text(70);
  for (std::size_t i = input.below(3); i > 0; --i) {
    request.headers[input.one_of(kFields)] =
        input.flag() ? "bytes=" + std::to_string(input.byte()) + "-" : input.text(100);
  }
  request.body = to_bytes(input.bytes(100));
  const State before = shop.state();
  const HttpResponse answer = shop.handle(request);
  check_form(request, answer);
  SP_CHECK(shop.state() == before);
}

}  // namespace
}  // namespace sp::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::store;
  sp::testing::FuzzInput input({data, size});
  StoreService::Options options;
  if (input.flag()) options.bytes_max = input.number<std::uint16_t>();
  options.keep_seconds_max = 50'000;
  sp::set_log_level(sp::LogLevel::error);  // of what is cut
  Shop shop(options);
  for (std::size_t i = 0; i < kRequestsMax && !input.empty(); ++i) {
    const auto& key = accounts()[input.below(accounts().size())];
    const std::uint8_t what = input.byte();
    const std::size_t way = what / 8 % 4;
    const Trouble trouble = way == 1 ? Trouble::busy : way == 2 ? Trouble::away : Trouble::none;
    switch (what % 8) {
      case 0:
        ask_anything(input, shop);
        break;
      case 1:
      case 2:
        ask_for_receipt(input, shop, key, trouble);
        break;
      case 3:
        restart(input, shop);
        break;
      default:
        ask_for_blob(input, shop, key, trouble);
    }
  }
  return 0;
}
