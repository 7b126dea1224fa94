#include "chain/follower.hpp"

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

constexpr std::string_view kTag = "SPfollow";
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCursorSizeMax = 1024;

}  // namespace

Follower::Follower(Chain& chain, Files& files, Options options)
    : chain_(&chain), files_(&files), options_(std::move(options)), next_(options_.start_block) {}

Result<Follower> Follower::open(Chain& chain, Files& files, const Options& options) {
  SP_CHECK(options.confirmations >= 1 && !options.cursor.empty());
  Follower follower(chain, files, options);
  SP_TRY(follower.read_cursor());
  follower.saved_ = follower.next_;
  return follower;
}

Digest32 Follower::subject() const {
  Writer writer;
  writer.raw(options_.contract.view());
  writer.u16(static_cast<std::uint16_t>(options_.topics.size()));
  for (const auto& topic : options_.topics) {
    writer.u8(topic ? 1 : 0);
    if (topic) writer.raw(topic->view());
  }
  return crypto::sha256(writer.bytes());
}

Status Follower::read_cursor() {
  const auto file = files_->read(options_.cursor, kCursorSizeMax);
  if (!file && file.error().code == Errc::not_found) return {};
  if (!file) return file.error().in("cursor " + options_.cursor.string());
  const std::string where = "cursor " + options_.cursor.string();
  if (file->size() < Digest32::kSize) return Error{Errc::malformed, where + ": truncated"};
  const std::size_t body_size = file->size() - Digest32::kSize;
  const ByteView body = ByteView(*file).first(body_size);
  Reader reader(*file);
  if (as_text(reader.raw(kTag.size())) != kTag) reader.fail(Errc::malformed, "not a cursor");
  const std::uint8_t version = reader.u8();
  if (version != kVersion) reader.fail(Errc::malformed, "unknown version");
  const auto file_subject = reader.fixed<Digest32>();
  const std::uint64_t next = reader.u64();
  const auto last_hash = reader.fixed<BlockHash>();
  const auto checksum = reader.fixed<Digest32>();
  if (!reader.failed() && checksum != crypto::sha256(body)) {
    reader.fail(Errc::malformed, "the checksum is wrong");
  }
  if (const Status status = reader.finish(); !status) return status.error().in(where);
  if (file_subject != subject()) {
    return Error{Errc::mismatch, where + ": belongs to another contract or other topics"};
  }
  next_ = next;
  last_hash_ = last_hash;
  return {};
}

Status Follower::save() {
  Writer writer;
  writer.raw(as_bytes(kTag)).u8(kVersion).raw(subject().view()).u64(next_).raw(last_hash_.view());
  const Digest32 checksum = crypto::sha256(writer.bytes());
  writer.raw(checksum.view());
  SP_TRY(keep(*files_, CrashSite::follower_cursor, options_.cursor, writer.bytes(),
              FileMode::owner_only));
  saved_ = next_;
  return {};
}

bool Follower::is_ahead_of(const Block& newest) const {
  return !last_hash_.is_zero() && next_ != 0 && newest.number + 1 < next_;
}

// Where the chain parted from what was read isn't known, so it is read again from well before.
void Follower::rewind(const Block& newest) {
  const std::uint64_t from = std::min(next_, newest.number + 1);
  const std::uint64_t back = from - std::min(from, options_.rewind);
  log(LogLevel::warning, "chain_read_again",
      {{"from", static_cast<std::int64_t>(std::max(back, options_.start_block))},
       {"read_to", static_cast<std::int64_t>(next_)}});
  next_ = std::max(back, options_.start_block);
  last_hash_ = {};
  handled_.reset();
}

// That the block before the cursor is still the one that was read.
Status Follower::check_cursor(const Block& newest) {
  if (last_hash_.is_zero() || next_ == 0) return {};
  if (is_ahead_of(newest)) {
    return Error{Errc::unavailable, "the endpoint's newest block " + std::to_string(newest.number) +
                                        " is before block " + std::to_string(next_ - 1) +
                                        ", which was read already"};
  }
  BlockHash found;
  if (newest.number + 1 == next_) {
    found = newest.hash;
  } else if (newest.number == next_) {
    found = newest.parent;
  } else {
    SP_ASSIGN(const Block block, chain_->block({next_ - 1}));
    found = block.hash;
  }
  if (found == last_hash_) return {};
  return Error{Errc::mismatch, "block " + std::to_string(next_ - 1) + " was " + last_hash_.hex0x() +
                                   " and is now " + found.hex0x() +
                                   ": the chain was reorganised beyond the confirmations"};
}

Result<std::size_t> Follower::poll(const Handler& handler) {
  SP_ASSIGN(const Block newest, chain_->block());
  if (const Status on_chain = check_cursor(newest); !on_chain) {
    const bool lost = is_ahead_of(newest) || on_chain.error().code == Errc::mismatch;
    if (options_.rewind == 0 || !lost) return on_chain.error();
    rewind(newest);
  }
  std::size_t count = 0;
  while (newest.number >= options_.confirmations - 1 &&
         next_ <= newest.number - (options_.confirmations - 1)) {
    const std::uint64_t safe = newest.number - (options_.confirmations - 1);
    const std::uint64_t last = next_ + std::min(safe - next_, range_max_ - 1);
    const auto logs = chain_->logs({options_.contract, options_.topics, next_, last});
    if (!logs) {
      const Errc code = logs.error().code;
      const bool too_much = code == Errc::too_large || code == Errc::refused;
      if (!too_much || last == next_) return logs.error();
      range_max_ = (last - next_ + 1) / 2;
      continue;
    }
    range_max_ = std::min(range_max_ * 2, kFollowBlocksMax);
    Block end = newest;
    if (last != newest.number) {
      SP_ASSIGN(end, chain_->block({last}));
    }
    SP_ASSIGN(const std::size_t handed, hand_on(*logs, end, handler));
    count += handed;
  }
  return count;
}

// Hands on the logs of the blocks from next_ to `end`, then moves the cursor behind them.
Result<std::size_t> Follower::hand_on(const std::vector<Log>& logs, const Block& end,
                                      const Handler& handler) {
  const bool replaced =
      !logs.empty() && logs.back().block_number == end.number && logs.back().block_hash != end.hash;
  if (replaced) return Error{Errc::unavailable, "the chain was reorganised while it was read"};
  std::size_t count = 0;
  for (const Log& entry : logs) {
    const Position position{entry.block_number, entry.index};
    if (handled_ && position <= *handled_) continue;
    SP_TRY(handler(entry));
    handled_ = position;
    ++count;
  }
  next_ = end.number + 1;
  last_hash_ = end.hash;
  handled_.reset();
  if (!logs.empty() || next_ - saved_ >= kFollowSaveBlocks) SP_TRY(save());
  return count;
}

}  // namespace sp::chain
