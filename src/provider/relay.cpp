#include "provider/relay.hpp"

#include <deque>
#include <utility>

#include "base/codec.hpp"
#include "base/crash_point.hpp"
#include "base/sync.hpp"
#include "net/patience.hpp"
#include "net/problem.hpp"
#include "store/mirror_store.hpp"

namespace sp::provider {
namespace {

// The loader tries again by itself what this doesn't see through, and waits a minute for an answer.
constexpr net::Patience kBrokerPatience{std::chrono::milliseconds(10'000),
                                        std::chrono::milliseconds(200), 1};
constexpr std::string_view kBrokerMethods[] = {"nonce", "attest", "release"};

bool is_broker_method(const std::string& method) {
  return std::find(std::begin(kBrokerMethods), std::end(kBrokerMethods), method) !=
         std::end(kBrokerMethods);
}

}  // namespace

Result<Bytes> CallForwarder::forward(const api::Call& call) {
  const auto found = services_.find(call.address);
  if (found == services_.end()) {
    return Error{Errc::not_found, "this provider doesn't know the service " + call.address.hex0x()};
  }
  switch (call.service) {
    case api::ServiceKind::broker:
      return call_broker(found->second, call);
    case api::ServiceKind::store:
      return call_store(found->second, call);
    case api::ServiceKind::provider:
      break;  // answered by the relay itself
  }
  return Error{Errc::not_found, "no such service"};
}

Status CallForwarder::check_services(const api::Terms& terms) const {
  for (std::size_t part = api::Terms::kSolution; part < terms.parts.size(); ++part) {
    const Address& store = terms.parts[part].store;
    if (knows(store)) continue;
    return Error{Errc::refused, "this provider doesn't know the store " + store.hex0x()};
  }
  for (const Address& broker : terms.brokers_in_order()) {
    if (knows(broker)) continue;
    return Error{Errc::refused, "this provider doesn't know the broker " + broker.hex0x()};
  }
  return {};
}

Result<Bytes> CallForwarder::call_broker(const std::string& url, const api::Call& call) {
  if (!is_broker_method(call.method)) return Error{Errc::not_found, "brokers know no such call"};
  const std::string target = url + "/v1/" + call.method;
  const bool patient = writes_.clock != nullptr && writes_.random != nullptr;
  const CrashEffect effect(CrashSite::provider_relay);
  auto response = patient ? net::call_patiently(client_, *writes_.clock, *writes_.random,
                                                kBrokerPatience, "POST", target, call.body)
                          : client_.call("POST", target, call.body);
  if (!response) return response.error();
  if (response->status != 200) return net::problem_from(*response, "the broker");
  return std::move(response->body);
}

Result<Bytes> CallForwarder::call_store(const std::string& url, const api::Call& call) {
  store::StoreAccess access = writes_;
  access.store = call.address;
  store::HttpStore store(client_, url, access);
  Reader reader(call.body);
  const auto id = reader.fixed<store::BlobId>();
  if (call.method == "get") {
    const std::size_t size_max = reader.u32();
    SP_TRY(reader.finish());
    return get_blob(url, call.address, id, std::min(size_max, store::kBlobSizeMax));
  }
  if (call.method == "put") {
    const ByteView bytes = reader.raw(reader.remaining());
    SP_TRY(reader.finish());
    SP_TRY(store.put(id, bytes));
    return Bytes{};
  }
  if (call.method == "receipt") {
    const std::uint64_t until = reader.u64();
    SP_TRY(reader.finish());
    SP_ASSIGN(const store::StorageReceipt receipt,
              store.request_receipt(id, static_cast<std::int64_t>(until)));
    return receipt.encode();
  }
  return Error{Errc::not_found, "stores know no such call"};
}

// From wherever it is: a blob is believed by its digest alone.
Result<Bytes> CallForwarder::get_blob(const std::string& url, const Address& store,
                                      const store::BlobId& id, std::size_t size_max) {
  std::deque<store::HttpStore> places;
  places.emplace_back(client_, url);
  if (mirrors_ != nullptr) {
    if (const auto more = mirrors_->find(store); more != mirrors_->end()) {
      for (const std::string& other : more->second) places.emplace_back(client_, other);
    }
  }
  std::vector<store::BlobStore*> all;
  for (store::HttpStore& place : places) all.push_back(&place);
  return store::MirrorStore(std::move(all), 1).get(id, size_max);
}

// Runs the loader's calls on a few threads. The destructor lets running calls end and drops waiting
// ones.
class Relay::Workers {
 public:
  explicit Workers(std::function<void(const api::Call&)> run) : run_(std::move(run)) {
    for (unsigned i = 0; i < kRelayWorkers; ++i) threads_.emplace_back([this] { work(); });
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (Thread& thread : threads_) thread.join();
  }

  /// False where api::kCallsInFlightMax calls wait.
  bool add(api::Call call) {
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() >= api::kCallsInFlightMax) return false;
      waiting_.push_back(std::move(call));
    }
    wake_.notify_one();
    return true;
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      const api::Call call = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      run_(call);
    }
  }

  std::function<void(const api::Call&)> run_;
  Mutex mutex_;  // guards waiting_ and stopping_
  Condition wake_;
  std::deque<api::Call> waiting_;
  bool stopping_ = false;
  std::vector<Thread> threads_;
};

Relay::Relay(ByteStream& window, CallForwarder& forwarder, Options options)
    : forwarder_(forwarder), options_(std::move(options)), window_(window), stream_(window) {}

Status Relay::write(const api::Frame& frame) {
  {
    std::unique_lock lock(write_mutex_);
    written_.wait(lock, [this] { return !writing_; });
    writing_ = true;
  }
  return write_in_turn(frame);
}

// Whoever has the turn writes the cancel that was asked for meanwhile as well.
Status Relay::write_in_turn(const api::Frame& frame) {
  Status written = stream_.write(frame);
  std::unique_lock lock(write_mutex_);
  while (std::exchange(cancel_next_, false)) {
    lock.unlock();
    if (written) written = stream_.write({api::FrameType::cancel, {}});
    lock.lock();
  }
  // Half a frame may be out, so nothing can follow it. serve() sees the end.
  if (!written) window_.shut_down();
  writing_ = false;
  lock.unlock();
  written_.notify_one();
  return written;
}

void Relay::cancel() {
  {
    const std::lock_guard lock(write_mutex_);
    if (std::exchange(writing_, true)) {
      cancel_next_ = true;
      return;
    }
  }
  // A loader that is gone already needs no cancel.
  [[maybe_unused]] const Status sent = write_in_turn({api::FrameType::cancel, {}});
}

Result<Bytes> Relay::accept(const api::Call& call) {
  if (call.method != "accept") return Error{Errc::not_found, "the relay knows no such call"};
  SP_ASSIGN(const Address session, Address::from(call.body));
  const std::lock_guard lock(accept_mutex_);
  if (accepted_ && *accepted_ != session) {
    return Error{Errc::refused, "this loader has had its one session accepted"};
  }
  accepted_ = session;
  const CrashEffect effect(CrashSite::provider_accept);
  const api::Start& start = options_.start;
  const api::Acceptance acceptance{
      {start.terms.order_id(start.market), start.attempt, start.replica}, session};
  return to_bytes(options_.action.sign(acceptance.digest(start.market)).view());
}

void Relay::answer(const api::Call& call) {
  auto result =
      call.service == api::ServiceKind::provider ? accept(call) : forwarder_.forward(call);
  if (call.service == api::ServiceKind::broker) {
    const Errc code = result ? Errc::io : result.error().code;
    const bool may_pass =
        code == Errc::unavailable || code == Errc::timed_out || code == Errc::not_found;
    // A broker that the settings don't name stays unknown.
    broker_said_ = may_pass && forwarder_.knows(call.address) ? code : Errc::io;
  }
  api::Reply reply{call.id, std::nullopt, {}};
  if (result) {
    reply.body = std::move(*result);
  } else {
    reply.error = result.error().code;
    reply.body = to_bytes(as_bytes(result.error().message));
  }
  // Where the loader is gone, serve() sees it.
  [[maybe_unused]] const Status sent = write({api::FrameType::reply, reply.encode()});
}

Result<api::Finish> Relay::serve() {
  SP_TRY(write({api::FrameType::start, options_.start.encode()}));
  Workers workers([this](const api::Call& call) { answer(call); });
  for (;;) {
    SP_ASSIGN(const api::Frame frame, stream_.read());
    switch (frame.type) {
      case api::FrameType::call: {
        SP_ASSIGN(api::Call call, api::Call::decode(frame.body));
        if (!workers.add(std::move(call))) {
          return Error{Errc::too_large, "the loader has too many calls at once"};
        }
        break;
      }
      case api::FrameType::stage: {
        Reader reader(frame.body);
        const std::uint8_t stage = reader.u8();
        const std::string text = reader.text(api::kStageTextMax);
        SP_TRY(reader.finish());
        options_.on_stage(static_cast<api::Stage>(stage), text);
        break;
      }
      case api::FrameType::finish: {
        SP_ASSIGN(api::Finish finish, api::Finish::decode(frame.body));
        options_.on_finish(finish);
        return finish;
      }
      case api::FrameType::start:
      case api::FrameType::reply:
      case api::FrameType::cancel:
        return Error{Errc::malformed, "the loader sent a frame that only relays send"};
    }
  }
}

}  // namespace sp::provider
