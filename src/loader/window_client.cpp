#include "loader/window_client.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/codec.hpp"

namespace sp::loader {
namespace {

constexpr int kDamagedBlobTriesMax = 3;
constexpr std::size_t kErrorTextMax = 512;

// Which errors of a relay may pass for what they say; see WindowStore.
Error store_error(Error error) {
  switch (error.code) {
    case Errc::not_found:
    case Errc::too_large:
    case Errc::timed_out:
    case Errc::cancelled:
    case Errc::unavailable:
      return error;
    default:
      return {Errc::unavailable, "the store or the relay failed: " + error.message};
  }
}

}  // namespace

WindowClient::WindowClient(ByteStream& stream, CallLimits limits)
    : bytes_(stream),
      limits_(limits),
      stream_(stream),
      cancel_event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  SP_CHECK(cancel_event_.valid());
}

WindowClient::~WindowClient() {
  if (!reader_.joinable()) return;
  bytes_.shut_down();
  reader_.join();
}

Result<api::Start> WindowClient::receive_start() {
  SP_ASSIGN(const api::Frame frame, stream_.read());
  if (frame.type != api::FrameType::start) {
    return Error{Errc::malformed, "the first frame of a window must be Start"};
  }
  auto start = api::Start::decode(frame.body);
  SP_CHECK(!reader_.joinable());
  reader_ = Thread([this] { read_frames(); });
  return start;
}

void WindowClient::read_frames() {
  for (;;) {
    const auto frame = stream_.read();
    if (!frame) break;
    take_frame(*frame);
  }
  raise_cancel(lost_);
}

void WindowClient::take_frame(const api::Frame& frame) {
  if (frame.type == api::FrameType::cancel) return raise_cancel(cancelled_);
  if (frame.type != api::FrameType::reply) return;
  auto reply = api::Reply::decode(frame.body);
  if (!reply) return;  // its caller runs into its time limit
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(reply->id);
  // Nobody waits: late, or made up.
  if (found == waiting_.end() || found->second.reply) return;
  found->second.reply = std::move(*reply);
  changed_.notify_all();
}

void WindowClient::raise_cancel(std::atomic<bool>& flag) {
  {
    const std::lock_guard lock(mutex_);
    flag = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(cancel_event_.get(), &one, sizeof one);
  changed_.notify_all();
}

Status WindowClient::write(const api::Frame& frame) {
  const std::lock_guard lock(write_mutex_);
  return stream_.write(frame);
}

Status WindowClient::may_go_on(OnCancel on_cancel) const {
  if (lost_) return Error{Errc::unavailable, "the window is closed"};
  if (cancelled_ && on_cancel == OnCancel::stop) return Error{Errc::cancelled, "cancelled"};
  return {};
}

Result<Bytes> WindowClient::call_once(const CallTarget& target, std::string_view method,
                                      ByteView body, OnCancel on_cancel) {
  api::Call call;
  call.service = target.service;
  call.address = target.address;
  call.method = method;
  call.body = to_bytes(body);
  const auto ended = [&] { return !may_go_on(on_cancel).ok(); };
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended() || waiting_.size() < api::kCallsInFlightMax; });
  SP_TRY(may_go_on(on_cancel));
  call.id = next_id_++;
  Waiting& waiting = waiting_[call.id];
  lock.unlock();
  const Status written = write({api::FrameType::call, call.encode()});
  lock.lock();
  if (written) {
    changed_.wait_for(lock, limits_.answer_within,
                      [&] { return ended() || waiting.reply.has_value(); });
  }
  const std::optional<api::Reply> reply = std::move(waiting.reply);
  waiting_.erase(call.id);
  changed_.notify_all();
  SP_TRY(written);
  if (!reply) {
    SP_TRY(may_go_on(on_cancel));
    return Error{Errc::timed_out, "no answer to " + std::string(method) + " within " +
                                      std::to_string(limits_.answer_within.count()) + " ms"};
  }
  if (!reply->error) return reply->body;
  return Error{*reply->error, std::string(as_text(reply->body).substr(0, kErrorTextMax))};
}

Result<Bytes> WindowClient::call(const CallTarget& target, std::string_view method, ByteView body,
                                 OnCancel on_cancel) {
  auto pause = limits_.first_pause;
  for (int i = 1;; ++i) {
    auto answer = call_once(target, method, body, on_cancel);
    if (answer) return answer;
    const Errc code = answer.error().code;
    const bool later = code == Errc::unavailable || code == Errc::timed_out;
    if (!later || lost_ || i >= limits_.tries_max) {
      // What a relay calls a cancel of its own isn't ours.
      if (code == Errc::cancelled && may_go_on(on_cancel).ok()) {
        return Error{Errc::unavailable, answer.error().message}.in(method);
      }
      return answer.error().in(method);
    }
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, pause, [&] { return !may_go_on(on_cancel).ok(); });
    pause = std::min(pause * 2, limits_.longest_pause);
  }
}

void WindowClient::tell_stage(api::Stage stage, std::string_view text) {
  Writer writer;
  writer.u8(static_cast<std::uint8_t>(stage)).text(text.substr(0, api::kStageTextMax));
  // A window that is gone shows at the next call.
  static_cast<void>(write({api::FrameType::stage, std::move(writer).take()}).ok());
}

Status WindowClient::finish(const api::Finish& finish) {
  return write({api::FrameType::finish, finish.encode()});
}

Result<api::Nonce> WindowBroker::nonce(const api::NonceRequest& request) {
  SP_ASSIGN(const Bytes answer, window_.call(target_, "nonce", request.encode(), OnCancel::stop));
  return api::Nonce::from(answer);
}

Result<api::Signed<api::Attestation>> WindowBroker::attest(const api::SessionProof& proof) {
  SP_ASSIGN(const Bytes answer, window_.call(target_, "attest", proof.encode(), OnCancel::stop));
  return api::Signed<api::Attestation>::decode(answer);
}

Result<api::ReleaseAnswer> WindowBroker::release(const api::ReleaseRequest& request) {
  SP_ASSIGN(const Bytes answer, window_.call(target_, "release", request.encode(), OnCancel::stop));
  return api::ReleaseAnswer::decode(answer);
}

Status WindowStore::put(const store::BlobId& id, ByteView bytes) {
  Writer writer;
  writer.raw(id.view()).raw(bytes);
  auto answer = window_.call(target_, "put", writer.bytes(), on_cancel_);
  if (!answer) return store_error(answer.error());
  return {};
}

Result<Bytes> WindowStore::get(const store::BlobId& id, std::size_t size_max) {
  Writer writer;
  writer.raw(id.view()).u32(static_cast<std::uint32_t>(std::min(size_max, store::kBlobSizeMax)));
  for (int i = 1;; ++i) {
    auto answer = window_.call(target_, "get", writer.bytes(), on_cancel_);
    if (!answer) return store_error(answer.error());
    if (store::blob_id(*answer) == id) {
      if (answer->size() <= size_max) return answer;
      return Error{Errc::too_large, "blob " + id.hex() + " has " + std::to_string(answer->size()) +
                                        " bytes, at most " + std::to_string(size_max)};
    }
    if (i == kDamagedBlobTriesMax) {
      return Error{Errc::mismatch, "the store gave other bytes for blob " + id.hex()};
    }
  }
}

Result<std::uint64_t> WindowStore::size(const store::BlobId& /*id*/) {
  return Error{Errc::unsupported, "a window doesn't tell the size of blobs"};
}

Result<store::StorageReceipt> WindowStore::storage_receipt(const store::PackageId& package,
                                                           std::int64_t until) {
  SP_CHECK(until >= 0);
  Writer writer;
  writer.raw(package.view()).u64(static_cast<std::uint64_t>(until));
  auto answer = window_.call(target_, "receipt", writer.bytes(), on_cancel_);
  if (!answer) return store_error(answer.error());
  SP_ASSIGN(store::StorageReceipt receipt, store::StorageReceipt::decode(*answer));
  SP_TRY(receipt.verify(target_.address));
  if (receipt.package != package) {
    return Error{Errc::mismatch, "a storage receipt for another package"};
  }
  return receipt;
}

Result<crypto::EthSignature> ask_acceptance(WindowClient& window, const api::Acceptance& acceptance,
                                            const crypto::Eip712Domain& market) {
  SP_ASSIGN(const Bytes answer, window.call({api::ServiceKind::provider, {}}, "accept",
                                            acceptance.session.view(), OnCancel::stop));
  SP_ASSIGN(const auto signature, crypto::EthSignature::from(answer));
  const auto signer = crypto::recover(acceptance.digest(market), signature);
  if (!signer) return signer.error().in("the provider's acceptance");
  return signature;
}

}  // namespace sp::loader
