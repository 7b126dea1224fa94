// What a bar shows on a terminal, and that it shows nothing elsewhere.
#include "spctl/console.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "spctl/testing/other_standard_error.hpp"

namespace sp::spctl {
namespace {

using std::chrono::milliseconds;
using testing::OtherStandardError;

const std::string kClear = "\r\033[K";

TEST(ProgressBar, FillsUpToItsTotalAndGoesAway) {
  OtherStandardError terminal(OtherStandardError::Kind::terminal);
  Console console(false);
  ASSERT_TRUE(console.interactive());
  auto bar = std::make_unique<ProgressBar>(console, "moving", 2'000'000);
  bar->update(0, milliseconds(0));
  EXPECT_EQ(terminal.seen(), "moving [" + std::string(24, ' ') + "] 0 B of 2.0 MB");
  bar->update(1'000'000, milliseconds(100));
  const std::string half = std::string(12, '#') + std::string(12, ' ');
  EXPECT_EQ(terminal.seen(), kClear + "moving [" + half + "] 1.0 MB of 2.0 MB");
  // What goes beyond the total isn't told.
  bar->update(2'500'000, milliseconds(200));
  EXPECT_EQ(terminal.seen(), kClear + "moving [" + std::string(24, '#') + "] 2.0 MB of 2.0 MB");
  bar.reset();
  EXPECT_EQ(terminal.seen(), kClear);
}

TEST(ProgressBar, IsDrawnOncePerPeriod) {
  OtherStandardError terminal(OtherStandardError::Kind::terminal);
  Console console(false);
  ProgressBar bar(console, "moving", 0);
  bar.update(1'500'000, milliseconds(5000));
  EXPECT_EQ(terminal.seen(), "moving 1.5 MB") << "of an unknown total";
  for (int ms = 1; ms < 100; ++ms) bar.update(2'000'000, milliseconds(5000 + ms));
  EXPECT_EQ(terminal.seen(), "");
  bar.update(2'000'000, milliseconds(5100));
  EXPECT_EQ(terminal.seen(), kClear + "moving 2.0 MB");
  // A remark stands on a line of its own.
  console.note("a remark");
  EXPECT_EQ(terminal.seen(), kClear + "a remark\n");
}

TEST(ProgressBar, IsntShownWhereNobodyWatches) {
  OtherStandardError pipe(OtherStandardError::Kind::pipe);
  Console console(false);
  EXPECT_FALSE(console.interactive());
  {
    ProgressBar bar(console, "moving", 10);
    bar.update(5, milliseconds(0));
    bar.update(10, milliseconds(1000));
  }
  EXPECT_EQ(pipe.seen(), "");
  console.note("a remark");
  EXPECT_EQ(pipe.seen(), "a remark\n");
}

TEST(ConsoleText, SizesAndTimes) {
  EXPECT_EQ(size_text(999), "999 B");
  EXPECT_EQ(size_text(1000), "1.0 kB");
  EXPECT_EQ(size_text(13'540'000), "13.5 MB");
  EXPECT_EQ(size_text(UINT64_MAX), "18446744.1 TB");
  EXPECT_EQ(duration_text(59), "59 s");
  EXPECT_EQ(duration_text(100), "1 min 40 s");
  EXPECT_EQ(duration_text(3600 * 25 + 61), "25 h 1 min");
}

}  // namespace
}  // namespace sp::spctl
