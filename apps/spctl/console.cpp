#include "spctl/console.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "common/output.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kBarWidth = 24;
constexpr std::string_view kClearLine = "\r\033[K";

// What standard error loses can be told nowhere.
void remark(std::string_view text) {
  (void)write_fully(STDERR_FILENO, as_bytes(text), "standard error");
}

}  // namespace

Console::Console(bool json) : json_(json), interactive_(::isatty(STDERR_FILENO) == 1) {}

void Console::clear_status() {
  if (shown_) remark(kClearLine);
  shown_ = false;
}

void Console::put_out(std::string_view text) {
  const Status written = apps::write_standard_output(text);
  if (!written) output_ = written;
}

Status Console::output() {
  const std::lock_guard lock(mutex_);
  return output_;
}

void Console::line(std::string_view text) { this->text(std::string(text) + "\n"); }

void Console::text(std::string_view text) {
  if (json_) return;
  const std::lock_guard lock(mutex_);
  clear_status();
  put_out(text);
}

void Console::result(const Json& json) {
  if (!json_) return;
  const std::lock_guard lock(mutex_);
  clear_status();
  put_out(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

void Console::note(std::string_view text) {
  const std::lock_guard lock(mutex_);
  clear_status();
  remark(std::string(text) + "\n");
}

void Console::status(std::string_view text) {
  if (!interactive_) return;
  const std::lock_guard lock(mutex_);
  clear_status();
  if (text.empty()) return;
  remark(text);
  shown_ = true;
}

void ProgressBar::update(std::uint64_t done, std::chrono::nanoseconds now) {
  if (!console_.interactive() || now - drawn_ < kBarPeriod) return;
  drawn_ = now;
  std::string text = what_ + " " + size_text(done);
  if (total_ != 0) {
    const std::uint64_t shown = std::min(done, total_);
    const auto filled = static_cast<std::size_t>(shown * kBarWidth / total_);
    text = what_ + " [" + std::string(filled, '#') + std::string(kBarWidth - filled, ' ') + "] " +
           size_text(shown) + " of " + size_text(total_);
  }
  console_.status(text);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    text += line + "\n";
  }
  return text;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  auto size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", size, kUnits[unit]);
  return text.data();
}

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) {
    return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
  }
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

Error failure(Errc code, std::string_view what, std::string_view why, std::string_view advice) {
  return {code, std::string(what) + ": " + std::string(why) + ". " + std::string(advice)};
}

}  // namespace sp::spctl
