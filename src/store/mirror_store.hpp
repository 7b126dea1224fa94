// One store made of several: what one doesn't have, another may. Each is believed only by digest,
// so it doesn't matter who they are.
//
// Reading asks them in the order given, one that hasn't failed before those that have. One that
// gave other bytes than were asked for is a liar: it is asked last from then on, and behind those
// that were blamed less often. Where several gave a part of what turned out wrong, nobody knows
// which of them lied: all but the one that ended it are blamed, so that whoever gives whole blobs
// never is for what others began. Where none gives a blob, the error is that of one that couldn't
// be asked (another time may cure that), else of a liar, and Errc::not_found where all say so.
// Writing goes to as many as were said, the first ones that take it.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <vector>

#include "store/blob.hpp"

namespace sp::store {

inline constexpr std::size_t kMirrorsMax = 8;

/// Safe to call from any thread.
class MirrorStore final : public BlobStore {
 public:
  enum class State : std::uint8_t { good, failing, lying };

  /// 1 to kMirrorsMax stores that outlive it, and 1 to that many copies (CHECK).
  MirrorStore(std::vector<BlobStore*> stores, std::size_t copies);

  /// Errors of the last store that was asked where fewer than `copies` took it.
  Status put(const BlobId& id, ByteView bytes) override;
  Result<Bytes> get(const BlobId& id, std::size_t size_max) override;
  /// Checks the digest as well: it has to know who lies.
  Result<Bytes> get_unverified(const BlobId& id, std::size_t size_max) override;
  /// Where one breaks off the next goes on. Errc::mismatch where what was given from the blob's
  /// beginning on isn't the blob, or a store shows the blob, and it ends before: the sink has had
  /// what was given, and the next call asks another store first.
  Status stream_unverified(const BlobId& id, std::uint64_t offset, std::size_t size_max,
                           ByteSink& sink) override;
  /// What the first that knows the blob says. Errc::not_found where all say so.
  Result<std::uint64_t> size(const BlobId& id) override;

  /// From all; the error of the last that failed.
  Status remove(const BlobId& id) override;

  [[nodiscard]] State state(std::size_t store) const { return sources_[store].state; }

 private:
  struct Source {
    explicit Source(BlobStore* one) : store(one) {}
    BlobStore* store;
    std::atomic<State> state = State::good;
    std::atomic<unsigned> blamed = 0;  // how often it lied, or may have
    void blame() {
      state = State::lying;
      ++blamed;
    }
  };
  [[nodiscard]] std::vector<Source*> in_order();
  Status ask(const BlobId& id, const std::function<Status(Source&)>& question);
  static Result<Bytes> prove(Source& source, const BlobId& id, std::size_t size_max);

  std::deque<Source> sources_;
  const std::size_t copies_;
};

}  // namespace sp::store
