#include "store/remote/conditional.hpp"

namespace sp::store {
namespace {

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// One W/"..." or "..."; the quotes stay.
bool take_tag(std::string_view& text, bool& weak, std::string_view& tag) {
  weak = text.starts_with("W/");
  if (weak) text.remove_prefix(2);
  if (!text.starts_with('"')) return false;
  const std::size_t end = text.find('"', 1);
  if (end == std::string_view::npos) return false;
  tag = text.substr(0, end + 1);
  text.remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string entity_tag(const BlobId& id) { return '"' + id.hex() + '"'; }

Result<bool> names_tag(std::string_view field, std::string_view tag, bool weak) {
  if (field == "*") return true;
  bool named = false;
  for (std::size_t count = 1;; ++count) {
    if (count > kEntityTagsMax) {
      return Error{Errc::too_large, "over " + std::to_string(kEntityTagsMax) + " entity tags"};
    }
    skip_spaces(field);
    bool is_weak = false;
    std::string_view one;
    if (!take_tag(field, is_weak, one)) return Error{Errc::malformed, "not an entity tag"};
    named = named || (one == tag && (weak || !is_weak));
    skip_spaces(field);
    if (field.empty()) return named;
    if (field.front() != ',') return Error{Errc::malformed, "not a list of entity tags"};
    field.remove_prefix(1);
  }
}

Result<std::optional<unsigned>> read_condition(const net::Headers& headers, const BlobId& id) {
  const std::string tag = entity_tag(id);
  if (const auto field = headers.find("if-match"); field != headers.end()) {
    SP_ASSIGN(const bool named, names_tag(field->second, tag, false));
    if (!named) return std::optional<unsigned>(412);
  }
  if (const auto field = headers.find("if-none-match"); field != headers.end()) {
    SP_ASSIGN(const bool named, names_tag(field->second, tag, true));
    if (named) return std::optional<unsigned>(304);
  }
  return std::optional<unsigned>();
}

bool range_counts(const net::Headers& headers, const BlobId& id) {
  const auto field = headers.find("if-range");
  return field == headers.end() || field->second == entity_tag(id);
}

}  // namespace sp::store
