#include "chain/follower.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/durable.hpp"
#include "base/log.hpp"
#include "crypto/hash.hpp"

namespace sp::chain {
namespace {

constexpr std::string_view kTag = "SPfollow";
constexpr std::uint8_t kVersion = 3;
constexpr std::size_t kCursorSizeMax = 1024 + 40 * (kReorgDepthMax + 1);

}  // namespace

Follower::Follower(Chain& chain, Files& files, Options options)
    : chain_(&chain),
      files_(&files),
      options_(std::move(options)),
      next_(options_.start_block),
      proven_(next_) {}

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
  const std::string where = "damaged cursor " + options_.cursor.string();
  if (file->size() < Digest32::kSize) return Error{Errc::malformed, where + ": truncated"};
  const std::size_t body_size = file->size() - Digest32::kSize;
  const ByteView body = ByteView(*file).first(body_size);
  Reader reader(*file);
  if (as_text(reader.raw(kTag.size())) != kTag) reader.fail(Errc::malformed, "not a cursor");
  const std::uint8_t version = reader.u8();
  if (version != kVersion) reader.fail(Errc::malformed, "unknown version");
  const auto file_subject = reader.fixed<Digest32>();
  const std::uint64_t next = reader.u64();
  const std::uint64_t proven = reader.u64();
  if (proven > next) reader.fail(Errc::malformed, "what is proven wasn't read");
  std::deque<Mark> marks;
  const std::size_t count = reader.u16();
  if (count > kReorgDepthMax + 1) reader.fail(Errc::malformed, "too many blocks");
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    const std::uint64_t number = reader.u64();
    const bool behind = marks.empty() || marks.back().number < number;
    if (!behind || number >= next) reader.fail(Errc::malformed, "blocks out of order");
    marks.push_back({number, reader.fixed<BlockHash>()});
  }
  const auto checksum = reader.fixed<Digest32>();
  if (!reader.failed() && checksum != crypto::sha256(body)) {
    reader.fail(Errc::malformed, "the checksum is wrong");
  }
  if (const Status status = reader.finish(); !status) return status.error().in(where);
  if (file_subject != subject()) {
    return Error{Errc::mismatch, "cursor " + options_.cursor.string() +
                                     ": belongs to another contract or other topics"};
  }
  next_ = next;
  proven_ = proven;
  marks_ = std::move(marks);
  return {};
}

Status Follower::save() {
  Writer writer;
  writer.raw(as_bytes(kTag)).u8(kVersion).raw(subject().view()).u64(next_);
  writer.u64(proven_).u16(static_cast<std::uint16_t>(marks_.size()));
  for (const Mark& mark : marks_) writer.u64(mark.number).raw(mark.hash.view());
  const Digest32 checksum = crypto::sha256(writer.bytes());
  writer.raw(checksum.view());
  SP_TRY(keep(*files_, CrashSite::follower_cursor, options_.cursor, writer.bytes(),
              FileMode::owner_only));
  saved_ = next_;
  return {};
}

// The newest block lies before the cursor. Where the endpoint still has the last block that was
// read, who answered first is only behind who answers now. Where the newest block is one that was
// read, the endpoint is behind or the chain has lost blocks, and only who reads again anyway
// needn't know which; otherwise the chain is another one, which is shorter for now.
Status Follower::check_shorter(const Block& newest) {
  const auto read = std::find_if(marks_.begin(), marks_.end(), [&](const Mark& mark) {
    return mark.number == newest.number && mark.hash == newest.hash;
  });
  const auto last = stands(marks_.back());
  if ((last && *last) || (read != marks_.end() && options_.rewind == 0)) {
    return Error{Errc::unavailable, "the endpoint's newest block " + std::to_string(newest.number) +
                                        " is before block " + std::to_string(next_ - 1) +
                                        ", which was read already"};
  }
  while (!marks_.empty() && marks_.back().number > newest.number) marks_.pop_back();
  return go_back();
}

// That the block before the cursor is still the one that was read; otherwise goes back.
Status Follower::check_cursor(const Block& newest) {
  if (marks_.empty() || next_ == 0) return {};
  if (newest.number + 1 < next_) return check_shorter(newest);
  const Mark& last = marks_.back();
  bool same = false;
  if (newest.number + 1 == next_) {
    same = newest.hash == last.hash;
  } else if (newest.number == next_) {
    same = newest.parent == last.hash;
  } else {
    SP_ASSIGN(same, stands(last));
  }
  return same ? Status() : go_back();
}

Result<bool> Follower::stands(const Mark& mark) {
  SP_ASSIGN(const Block block, chain_->block({mark.number}));
  return block.hash == mark.hash;
}

// To behind the newest block that was read and still stands. Where one stands all before it do.
Status Follower::go_back() {
  std::size_t standing = 0, replaced = marks_.size();
  while (standing < replaced) {
    const std::size_t middle = (standing + replaced) / 2;
    SP_ASSIGN(const bool same, stands(marks_[middle]));
    if (same) {
      standing = middle + 1;
    } else {
      replaced = middle;
    }
  }
  const std::uint64_t floor = next_ > kReorgDepthMax ? next_ - kReorgDepthMax : 0;
  if (standing == 0 && !marks_.empty() && marks_.front().number < floor) {
    return Error{Errc::mismatch,
                 "block " + std::to_string(marks_.front().number) + " was " +
                     marks_.front().hash.hex0x() +
                     " and isn't any more: the chain was reorganised by more than " +
                     std::to_string(kReorgDepthMax) + " blocks"};
  }
  const std::uint64_t was = next_;
  marks_.resize(standing);
  // Between the last mark that stands and the first that doesn't, all is read again.
  next_ = marks_.empty() ? std::max(options_.start_block, floor) : marks_.back().number + 1;
  next_ = std::max(options_.start_block, next_ - std::min(next_, options_.rewind));
  while (!marks_.empty() && marks_.back().number >= next_) marks_.pop_back();
  proven_ = std::min(proven_, next_);
  handed_.erase(handed_.lower_bound(next_), handed_.end());
  handled_.reset();
  log(LogLevel::warning, "chain_reorganised",
      {{"block", std::to_string(was - 1)}, {"read_again_from", std::to_string(next_)}});
  return save();
}

void Follower::remember(const Mark& mark) {
  marks_.push_back(mark);
  // One block beyond the limit stays: it tells a reorganisation that is too deep from one that
  // isn't.
  while (marks_.size() > 1 && marks_[1].number + kReorgDepthMax < next_) marks_.pop_front();
}

// The first block to ask for together with those that are new.
std::uint64_t Follower::read_from() const {
  const std::uint64_t floor = next_ > kFollowBehindMax ? next_ - kFollowBehindMax : 0;
  return std::max({proven_, floor, std::min(options_.start_block, next_)});
}

// The logs of the blocks from `first` to `last`, and that last block; empty where the answer was
// too large and a shorter range is to be asked for. The block is the same before and after the
// logs, so both are of one chain.
Result<std::optional<std::vector<Log>>> Follower::read_range(std::uint64_t first,
                                                             std::uint64_t last,
                                                             const Block& newest, Block& end) {
  end = newest;
  if (last != newest.number) {
    SP_ASSIGN(end, chain_->block({last}));
  }
  auto logs = chain_->logs({options_.contract, options_.topics, first, last});
  if (!logs) {
    const Errc code = logs.error().code;
    const bool too_much = code == Errc::too_large || code == Errc::refused;
    if (!too_much || last == first) return logs.error();
    range_max_ = (last - first + 1) / 2;
    return std::optional<std::vector<Log>>();
  }
  range_max_ = std::min(range_max_ * 2, kFollowBlocksMax);
  SP_ASSIGN(const Block after, chain_->block({last}));
  if (after.hash != end.hash) {
    return Error{Errc::unavailable, "the chain was reorganised while it was read"};
  }
  return std::optional<std::vector<Log>>(std::move(*logs));
}

Result<std::size_t> Follower::poll(const Handler& handler) {
  SP_ASSIGN(const Block newest, chain_->block());
  SP_TRY(check_cursor(newest));
  if (newest.number < options_.confirmations - 1) return std::size_t{0};
  const std::uint64_t safe = newest.number - (options_.confirmations - 1);
  if (next_ > safe) return std::size_t{0};
  std::size_t count = 0;
  std::uint64_t first = proven_ = read_from();
  while (first <= safe) {
    const std::uint64_t last = first + std::min(safe - first, range_max_ - 1);
    Block end;
    SP_ASSIGN(const auto logs, read_range(first, last, newest, end));
    if (!logs) continue;
    SP_ASSIGN(const std::size_t handed, hand_on(*logs, end, handler));
    count += handed;
    note_proven(first, *logs, end, newest);
    if (handed != 0 || next_ - saved_ >= kFollowSaveBlocks) SP_TRY(save());
    first = last + 1;
  }
  return count;
}

// Hands on the logs of the blocks up to `end` that weren't handed on, then moves the cursor behind
// them.
Result<std::size_t> Follower::hand_on(const std::vector<Log>& logs, const Block& end,
                                      const Handler& handler) {
  const bool replaced =
      !logs.empty() && logs.back().block_number == end.number && logs.back().block_hash != end.hash;
  if (replaced) return Error{Errc::unavailable, "the chain was reorganised while it was read"};
  // What was handed on before an error is there still, and with it all before it; or the chain has
  // changed since, and all is handed on again.
  const auto handled = std::find_if(logs.begin(), logs.end(), [this](const Log& entry) {
    return handled_ && entry.block_hash == handled_->hash && entry.index == handled_->index;
  });
  std::size_t count = 0;
  for (auto entry = handled == logs.end() ? logs.begin() : handled + 1; entry != logs.end();
       ++entry) {
    const auto before = handed_.find(entry->block_number);
    if (before != handed_.end() && before->second == entry->block_hash) continue;
    SP_TRY(handler(*entry));
    handled_ = Position{entry->index, entry->block_hash};
    ++count;
  }
  for (const Log& entry : logs) handed_[entry.block_number] = entry.block_hash;
  handled_.reset();
  if (end.number < next_) return count;
  next_ = end.number + 1;
  remember({end.number, end.hash});
  return count;
}

// What the answer to the range from `first` on proves. Where something before it isn't proven,
// nothing is; what lies deeper than any node is behind is taken for proven.
void Follower::note_proven(std::uint64_t first, const std::vector<Log>& logs, const Block& end,
                           const Block& newest) {
  if (first > proven_) return;
  if (!logs.empty()) proven_ = std::max(proven_, logs.back().block_number + 1);
  const std::uint64_t deep = newest.number + 1 - std::min(newest.number + 1, kFollowBehindMax);
  proven_ = std::max(proven_, std::min(end.number + 1, deep));
  handed_.erase(handed_.begin(), handed_.lower_bound(proven_));
}

}  // namespace sp::chain
