#include "spctl/input_fault.hpp"

namespace sp::spctl {
namespace {

constexpr const char* kUnknownPart =
    "Which part was at fault isn't known without the proof. Usual causes: an image that is none, "
    "too little --disk, or a bought part whose owner's policy has ended or doesn't allow this use.";
constexpr const char* kBoughtCauses =
    "its owner's policy has ended or doesn't allow this image, these arguments or these variables, "
    "its owner's broker has no key for it, its content is damaged, or it needs more than --disk";
constexpr const char* kImageCauses =
    "it is no Linux image that a loader can start, or it needs more than --disk";
constexpr const char* kDataCauses = "it needs more than --disk";
constexpr const char* kArgumentCauses =
    "the broker hasn't the arguments that the order commits to; order again";

std::string causes(const api::Terms& terms, const api::Part& part) {
  if (part.kind == api::PartKind::arguments) return kArgumentCauses;
  if (part.owner != terms.customer) {
    std::string words = kBoughtCauses;
    words += ". Ask its owner, " + part.owner.hex0x();
    return words;
  }
  return part.kind == api::PartKind::solution ? kImageCauses : kDataCauses;
}

}  // namespace

std::string input_fault_words(const api::Terms& terms, std::optional<std::uint8_t> part) {
  if (!part || *part >= terms.parts.size()) return kUnknownPart;
  const api::Part& blamed = terms.parts[*part];
  std::string name(api::part_kind_name(blamed.kind));
  if (blamed.kind == api::PartKind::data) {
    name += ", /sp/inputs/" + std::to_string(*part - api::Terms::kSolution);
  }
  return "Part " + std::to_string(*part) + " (" + name +
         ") couldn't be used. Usual causes: " + causes(terms, blamed) + ".";
}

}  // namespace sp::spctl
