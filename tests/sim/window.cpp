#include "sim/window.hpp"

#include <cstring>

namespace sp::sim {

std::pair<std::unique_ptr<PipeEnd>, std::unique_ptr<PipeEnd>> PipeEnd::pair(Tasks& tasks) {
  auto one = std::make_shared<Flow>();
  auto other = std::make_shared<Flow>();
  return {std::unique_ptr<PipeEnd>(new PipeEnd(tasks, one, other)),
          std::unique_ptr<PipeEnd>(new PipeEnd(tasks, other, one))};
}

Status PipeEnd::write(ByteView bytes) {
  tasks_.pass();
  tasks_.live_or_end();
  if (out_->closed) return Error{Errc::unavailable, "the window is closed"};
  append(out_->bytes, bytes);
  tasks_.wake(out_.get(), true);
  return {};
}

Result<std::size_t> PipeEnd::read(MutableByteView out) {
  while (in_->bytes.empty()) {
    if (in_->closed) return std::size_t{0};
    tasks_.block(in_.get(), std::nullopt, Scheduler::AtEnd::may_end);
  }
  const std::size_t size = std::min(out.size(), in_->bytes.size());
  std::memcpy(out.data(), in_->bytes.data(), size);
  in_->bytes.erase(in_->bytes.begin(), in_->bytes.begin() + static_cast<std::ptrdiff_t>(size));
  return size;
}

void PipeEnd::shut_down() {
  for (const auto& flow : {in_, out_}) {
    flow->closed = true;
    tasks_.wake(flow.get(), true);
  }
}

}  // namespace sp::sim
