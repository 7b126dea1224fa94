#include "spctl/provider_words.hpp"

#include <gtest/gtest.h>

namespace sp::spctl {
namespace {

TEST(ProviderWords, AnOrderThatRunsHasItsLoadersStage) {
  EXPECT_EQ(words_from_json(R"({"state":"queued","stage":"x","failure":""})").stage, "queued");
  const auto words = words_from_json(R"({"state":"running","stage":"pulling"})");
  EXPECT_EQ(words.stage, "pulling");
  EXPECT_EQ(words.failure, "");
  EXPECT_EQ(words_from_json(R"({"state":"failed","failure":"no room"})").failure, "no room");
}

TEST(ProviderWords, WhatIsntReadableSaysNothing) {
  for (const char* body : {"", "[]", "{}", R"({"state":7,"stage":[]})", "{\"state\":\"a"}) {
    EXPECT_EQ(words_from_json(body).stage, "") << body;
  }
  EXPECT_EQ(words_from_json(R"({"state":")" + std::string(5000, 'x') + "\"}").stage, "");
}

// A cut through a letter made spctl's own JSON throw.
TEST(ProviderWords, AreCutAndFitToBeShown) {
  std::string shown(kProviderWordsMax - 1, 'x');
  const auto words =
      words_from_json(R"({"state":")" + shown + R"(\u00e9","failure":"\u009b\u202e\u0007 ok"})");
  EXPECT_EQ(words.stage, shown.append("?"));
  EXPECT_EQ(words.failure, "?????? ok");
}

}  // namespace
}  // namespace sp::spctl
