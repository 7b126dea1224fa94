// Errors between daemons: what one answers the other reads, and nothing in it reaches a terminal as
// it is.
#include "net/problem.hpp"

#include <gtest/gtest.h>

namespace sp::net {
namespace {

HttpResponse answer(std::string_view body) { return text_response(404, "application/json", body); }

TEST(Problem, GoesThereAndBackWithEveryCode) {
  for (int code = 0; code <= static_cast<int>(Errc::usage); ++code) {
    const Error error{static_cast<Errc>(code), "why"};
    const Error read = problem_from(problem_response(error), "the store");
    EXPECT_EQ(read.code, error.code);
    EXPECT_EQ(read.message, "the store: why");
  }
}

TEST(Problem, KeepsPrintableAsciiAlone) {
  const Error read =
      problem_from(answer("{\"error\":\"not_found\",\"message\":\"a\\u001b[31m\xc2\x9b"
                          "31m\xe2\x80\xae\\n\"}"),
                   "it");
  EXPECT_EQ(read.code, Errc::not_found);
  EXPECT_EQ(read.message, "it: a?[31m??31m????");
}

TEST(Problem, CutsLongWords) {
  const std::string body =
      R"({"error":"io","message":")" + std::string(kProblemTextMax + 9, 'x') + "\"}";
  EXPECT_EQ(problem_from(answer(body), "it").message, "it: " + std::string(kProblemTextMax, 'x'));
}

TEST(Problem, WhatIsntOursIsUnavailable) {
  for (const char* body : {"", "no", "[]", "{}", R"({"error":1,"message":"x"})"}) {
    const Error read = problem_from(answer(body), "it");
    EXPECT_EQ(read.code, Errc::unavailable);
    EXPECT_EQ(read.message, "it answered with status 404");
  }
}

}  // namespace
}  // namespace sp::net
