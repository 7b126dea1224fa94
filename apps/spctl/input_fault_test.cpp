#include "spctl/input_fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sp::spctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Arguments, an own image, an own input, one that is bought, storage.
api::Terms terms() {
  api::Terms terms;
  terms.customer.data.fill(0xcc);
  for (const auto kind : {api::PartKind::arguments, api::PartKind::solution, api::PartKind::data,
                          api::PartKind::data, api::PartKind::storage}) {
    api::Part part;
    part.kind = kind;
    part.owner = terms.customer;
    terms.parts.push_back(part);
  }
  terms.parts[3].owner.data.fill(0xee);
  return terms;
}

TEST(InputFault, NamesThePartAndWhatUsuallyCausesIt) {
  EXPECT_THAT(input_fault_words(terms(), 0), HasSubstr("Part 0 (arguments)"));
  EXPECT_THAT(
      input_fault_words(terms(), 1),
      AllOf(HasSubstr("Part 1 (solution)"), HasSubstr("no Linux image"), Not(HasSubstr("policy"))));
  EXPECT_THAT(input_fault_words(terms(), 2), AllOf(HasSubstr("Part 2 (data, /sp/inputs/1)"),
                                                   HasSubstr("--disk"), Not(HasSubstr("policy"))));
  EXPECT_THAT(input_fault_words(terms(), 3),
              AllOf(HasSubstr("Part 3 (data, /sp/inputs/2)"), HasSubstr("policy has ended"),
                    HasSubstr("Ask its owner, 0xeeee")));
}

TEST(InputFault, WithoutAReceiptThatNamesAPart) {
  for (const std::optional<std::uint8_t> part : {std::optional<std::uint8_t>(), {5}, {255}}) {
    EXPECT_THAT(input_fault_words(terms(), part),
                AllOf(HasSubstr("isn't known"), HasSubstr("policy has ended")));
  }
}

}  // namespace
}  // namespace sp::spctl
