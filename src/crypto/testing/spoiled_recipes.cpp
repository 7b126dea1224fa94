#include "crypto/testing/spoiled_recipes.hpp"

namespace sp::crypto::testing {
namespace {

using sp::testing::FuzzInput;

constexpr std::size_t kBytesMax = 40;  // of a value of the input's own

std::int64_t a_time(FuzzInput& input) {
  return input.one_of(std::array<std::int64_t, 8>{-631'152'000, -1, 0, 1'577'836'800, 1'800'000'000,
                                                  2'493'072'000, 2'524'608'000, 7'258'118'399});
}

std::string an_oid(FuzzInput& input) {
  return input.one_of(std::array<const char*, 12>{
      "2.5.29.15", "2.5.29.19", "2.5.29.20", "2.5.29.21", "2.5.29.27", "2.5.29.28", "2.5.29.35",
      "2.5.29.46", "1.3.6.1.4.1.3704.1.1", "1.3.6.1.4.1.3704.1.3.8", "1.3.6.1.4.1.3704.1.4",
      "1.2.840.113741.1.13.1"});
}

// An element with whatever content, or no element at all.
Bytes a_value(FuzzInput& input) {
  const Bytes content = to_bytes(input.bytes(kBytesMax));
  return input.flag() ? content : der(static_cast<DerTag>(input.byte()), {ByteView(content)});
}

Bytes a_name(FuzzInput& input) {
  return input.flag() ? common_name(input.text(kBytesMax)) : a_value(input);
}

Bytes a_serial(FuzzInput& input) {
  Bytes serial = to_bytes(input.bytes(24));
  if (serial.empty()) serial.push_back(0);
  return serial;
}

void spoil(FuzzInput& input, std::vector<Extension>& extensions) {
  if (extensions.empty() || input.flag()) {
    extensions.push_back({an_oid(input), input.flag(), a_value(input)});
    return;
  }
  const std::size_t at = input.below(extensions.size());
  switch (input.byte() % 5) {
    case 0:
      extensions.erase(extensions.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 1:
      extensions.push_back(Extension(extensions[at]));
      break;
    case 2:
      extensions[at].critical = !extensions[at].critical;
      break;
    case 3:
      extensions[at].value = input.spoiled(std::move(extensions[at].value));
      break;
    default:
      extensions[at].oid = an_oid(input);
  }
}

void spoil_form(FuzzInput& input, CertificateRecipe& recipe) {
  switch (input.byte() % 5) {
    case 0:
      recipe.version = to_bytes(input.bytes(3));
      break;
    case 1:
      recipe.serial_content = to_bytes(input.bytes(24));
      break;
    case 2:
      recipe.validity = a_value(input);
      break;
    case 3:
      recipe.inner_algorithm = a_value(input);
      break;
    default:
      recipe.outer_algorithm = a_value(input);
  }
}

void spoil_once(FuzzInput& input, CertificateRecipe& recipe) {
  switch (input.byte() % 9) {
    case 0:
      recipe.subject = a_name(input);
      break;
    case 1:
      recipe.issuer = a_name(input);
      break;
    case 2:
      recipe.serial = a_serial(input);
      break;
    case 3:
      recipe.from = a_time(input);
      break;
    case 4:
      recipe.to = a_time(input);
      break;
    case 5:
      recipe.ca = input.flag();
      recipe.path_length = input.number<std::uint8_t>();
      break;
    case 6:
      recipe.key_usage = input.number<std::uint16_t>();
      break;
    case 7:
      spoil_form(input, recipe);
      break;
    default:
      spoil(input, recipe.extensions);
  }
}

void spoil_once(FuzzInput& input, CrlRecipe& recipe) {
  switch (input.byte() % 7) {
    case 0:
      recipe.issuer = a_name(input);
      break;
    case 1:
      recipe.this_update = a_time(input);
      break;
    case 2:
      recipe.next_update = a_time(input);
      break;
    case 3:
      recipe.revoked.push_back({a_serial(input), a_time(input), {}});
      if (input.flag()) spoil(input, recipe.revoked.back().extensions);
      break;
    case 4:
      recipe.version = to_bytes(input.bytes(3));
      break;
    case 5:
      recipe.inner_algorithm = a_value(input);
      break;
    default:
      spoil(input, recipe.extensions);
  }
}

}  // namespace

void spoil(FuzzInput& input, CertificateRecipe& recipe) {
  for (std::size_t changes = input.below(4); changes > 0; --changes) spoil_once(input, recipe);
}

void spoil(FuzzInput& input, CrlRecipe& recipe) {
  for (std::size_t changes = input.below(4); changes > 0; --changes) spoil_once(input, recipe);
}

}  // namespace sp::crypto::testing
