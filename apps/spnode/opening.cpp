#include "opening.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace sp::apps {
namespace {

bool may_pass(Errc code) { return code == Errc::unavailable || code == Errc::timed_out; }

}  // namespace

Opening::Opening(std::vector<Door> doors) : doors_(std::move(doors)) {}

Opening::~Opening() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Status Opening::first_tries() {
  for (std::size_t i = 0; i < doors_.size(); ++i) threads_.emplace_back([this, i] { work(i); });
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kFirstAnswers, [this] { return tried_ == doors_.size() || !wrong_; });
  return wrong_;
}

void Opening::work(std::size_t index) {
  const Door& door = doors_[index];
  std::chrono::milliseconds pause = kOpenPauseFirst;
  for (bool first = true;; first = false) {
    const Status opened = door.open();
    std::unique_lock lock(mutex_);
    if (first) ++tried_;
    const bool passes = opened || may_pass(opened.error().code);
    if (!passes && wrong_) wrong_ = opened.error().in("market " + door.name);
    wake_.notify_all();
    if (opened) {
      log(LogLevel::info, "market_open", {{"market", door.name}});
      return;
    }
    // Two events, since a chain that is away comes back by itself, and nothing else does.
    log(passes ? LogLevel::warning : LogLevel::error, passes ? "market_closed" : "market_unusable",
        {{"market", door.name}, {"reason", opened.error().message}});
    if (wake_.wait_for(lock, pause, [this] { return stopping_; })) return;
    pause = std::min(pause * 2, kOpenPauseMax);
  }
}

}  // namespace sp::apps
