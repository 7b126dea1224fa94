#include "store/mirror_store.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include "crypto/hash.hpp"

namespace sp::store {
namespace {

/// Passes bytes on, hashes them, and tells what was the sink's own fault.
class PassingSink final : public ByteSink {
 public:
  explicit PassingSink(ByteSink& sink) : sink_(sink) {}
  Status write(ByteView bytes) override {
    Status written = sink_.write(bytes);
    if (written) {
      passed_ += bytes.size();
      hasher_.update(bytes);
    } else {
      failed_ = true;
    }
    return written;
  }
  [[nodiscard]] std::uint64_t passed() const { return passed_; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] BlobId digest() { return *BlobId::from(hasher_.finish()); }

 private:
  ByteSink& sink_;
  crypto::Hasher hasher_{crypto::Hasher::Kind::sha256};
  std::uint64_t passed_ = 0;
  bool failed_ = false;
};

}  // namespace

MirrorStore::MirrorStore(std::vector<BlobStore*> stores, std::size_t copies) : copies_(copies) {
  SP_CHECK(!stores.empty() && stores.size() <= kMirrorsMax);
  SP_CHECK(copies >= 1 && copies <= stores.size());
  for (BlobStore* store : stores) sources_.emplace_back(store);
}

std::vector<MirrorStore::Source*> MirrorStore::in_order() {
  struct Rank {
    State state;
    unsigned blamed;
    Source* source;
  };
  std::vector<Rank> ranks;  // as they are now: other threads go on changing them
  for (Source& source : sources_) ranks.push_back({source.state, source.blamed, &source});
  std::stable_sort(ranks.begin(), ranks.end(), [](const Rank& a, const Rank& b) {
    return std::tie(a.state, a.blamed) < std::tie(b.state, b.blamed);
  });
  std::vector<Source*> order;
  for (const Rank& rank : ranks) order.push_back(rank.source);
  return order;
}

// Asks one after the other until one answers. What is told where none does: that somebody couldn't
// be asked before that somebody lied, since another time cures that alone, and that nobody has it
// only where all say so.
Status MirrorStore::ask(const BlobId& id, const std::function<Status(Source&)>& question) {
  std::optional<Error> worst;
  const auto weight = [](Errc code) {
    if (code == Errc::unavailable || code == Errc::timed_out) return 3;
    return code == Errc::mismatch ? 2 : code != Errc::not_found;
  };
  for (Source* source : in_order()) {
    const Status answer = question(*source);
    if (answer) {
      State failing = State::failing;
      source->state.compare_exchange_strong(failing, State::good);
      return {};
    }
    const Errc code = answer.error().code;
    if (code == Errc::mismatch) source->blame();
    if (code == Errc::unavailable || code == Errc::timed_out) {
      State good = State::good;
      source->state.compare_exchange_strong(good, State::failing);
    }
    if (!worst || weight(code) > weight(worst->code)) worst = answer.error();
  }
  if (sources_.size() == 1) return *worst;
  return worst->in("none of " + std::to_string(sources_.size()) + " stores gave blob " + id.hex());
}

Status MirrorStore::put(const BlobId& id, ByteView bytes) {
  std::size_t kept = 0;
  std::optional<Error> failure;
  for (Source& source : sources_) {
    const Status done = source.store->put(id, bytes);
    if (done) {
      if (++kept == copies_) return {};
    } else {
      failure = done.error();
    }
  }
  return failure->in("only " + std::to_string(kept) + " of " + std::to_string(copies_) +
                     " copies were kept");
}

Status MirrorStore::remove(const BlobId& id) {
  Status all;
  for (Source& source : sources_) {
    if (Status done = source.store->remove(id); !done) all = std::move(done);
  }
  return all;
}

Result<Bytes> MirrorStore::get(const BlobId& id, std::size_t size_max) {
  std::optional<Bytes> found;
  SP_TRY(ask(id, [&](Source& source) -> Status {
    SP_ASSIGN(Bytes bytes, source.store->get_unverified(id, size_max));
    if (blob_id(bytes) != id) {
      return Error{Errc::mismatch, "the store gave other bytes for blob " + id.hex()};
    }
    found = std::move(bytes);
    return {};
  }));
  return std::move(*found);
}

Result<Bytes> MirrorStore::get_unverified(const BlobId& id, std::size_t size_max) {
  return get(id, size_max);
}

Status MirrorStore::stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                                      ByteSink& sink) {
  PassingSink passing(sink);
  std::vector<Source*> gave;
  Source* last = nullptr;
  std::optional<Error> own;  // the sink's: no store's fault
  bool disproved = false;    // what was given before, by a store that has the blob
  const Status asked = ask(id, [&](Source& source) -> Status {
    last = &source;
    const std::uint64_t at = offset + passing.passed();
    Status streamed = source.store->stream_unverified(id, at, size_max, passing);
    if (offset + passing.passed() > at) gave.push_back(&source);
    if (!streamed && passing.failed()) {
      own = streamed.error();
      return {};
    }
    if (streamed || at == 0 || streamed.error().code != Errc::mismatch) return streamed;
    const std::uint64_t end = offset + passing.passed();
    SP_ASSIGN(const Bytes blob, prove(source, id, size_max));
    disproved = blob.size() < end;
    if (disproved) return {};
    source.blame();  // it has what it denies
    const Status rest = passing.write(ByteView(blob).subspan(static_cast<std::size_t>(end)));
    if (!rest) own = rest.error();
    return {};
  });
  if (own) return *own;
  const bool whole = offset == 0 && !disproved && passing.digest() == id;
  if (!asked) return whole ? Status{} : asked;
  if (!disproved && (offset > 0 || whole)) return {};
  if (!disproved && (gave.empty() || gave == std::vector<Source*>{last})) last->blame();
  for (Source* source : gave) {
    if (source != last || disproved) source->blame();
  }
  return Error{Errc::mismatch, "the store gave other bytes for blob " + id.hex()};
}

// A store says that a blob ends before what others gave of it: it has to show the blob, or else it
// is the liar, and what they gave may be right.
Result<Bytes> MirrorStore::prove(Source& source, const BlobId& id, std::size_t size_max) {
  SP_ASSIGN(Bytes bytes, source.store->get_unverified(id, size_max));
  if (blob_id(bytes) == id) return bytes;
  source.blame();
  return Error{Errc::unavailable, "the store has other bytes for blob " + id.hex()};
}

Result<std::uint64_t> MirrorStore::size(const BlobId& id) {
  std::uint64_t size = 0;
  SP_TRY(ask(id, [&](Source& source) -> Status {
    SP_ASSIGN(size, source.store->size(id));
    return {};
  }));
  return size;
}

}  // namespace sp::store
