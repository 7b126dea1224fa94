// The ABI against cast (npm): random types nested to depth 4 with random values encode to the same
// bytes, and cast's bytes decode to the same values. cast takes 20 ms to start, so one call encodes
// several types, as the arguments of one function.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "chain/abi.hpp"
#include "chain/testing/anvil.hpp"

namespace sp::chain {
namespace {

constexpr unsigned kSeed = 20261124;
constexpr std::size_t kTypes = 1000;
constexpr std::size_t kTypesPerCall = 5;
constexpr std::size_t kDepth = 4;
constexpr std::size_t kThreads = 2;

using Kind = AbiType::Kind;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  AbiType type(std::size_t depth) {
    AbiType type;
    // At depth 0 elementary kinds only; above it, mostly nested ones.
    const bool nested = depth > 0 && below(4) != 0;
    if (!nested) {
      type.kind = static_cast<Kind>(below(7));
      if (type.kind == Kind::fixed_bytes) type.size = 1 + below(32);
      if (type.kind == Kind::unsigned_int || type.kind == Kind::signed_int) {
        type.size = 8 * (1 + below(32));
      }
      return type;
    }
    type.kind = static_cast<Kind>(static_cast<std::size_t>(Kind::array) + below(3));
    if (type.kind == Kind::fixed_array) type.size = 1 + below(3);
    const std::size_t count = type.kind == Kind::tuple ? 1 + below(4) : 1;
    for (std::size_t i = 0; i < count; ++i) type.elements.push_back(this->type(depth - 1));
    return type;
  }

  // A value of the type, and appends to `text` what cast reads as the same.
  AbiValue value(const AbiType& type, std::string& text) {
    switch (type.kind) {
      case Kind::unsigned_int:
      case Kind::signed_int:
        return integer(type, text);
      case Kind::address: {
        const AbiValue value{masked(12, 32)};
        text += to_hex0x(value.as_word()->view().subspan(12));
        return value;
      }
      case Kind::boolean: {
        const bool flag = below(2) == 1;
        text += flag ? "true" : "false";
        return AbiValue::boolean(flag);
      }
      case Kind::fixed_bytes: {
        const Digest32 word = masked(0, type.size);
        text += to_hex0x(word.view().first(type.size));
        return {word};
      }
      case Kind::bytes: {
        Bytes bytes(below(70));
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
        text += to_hex0x(bytes);
        return {bytes};
      }
      case Kind::string: {
        static constexpr std::string_view kLetters = "abcXYZ 0189,;()[]{}-_\xc3\xa9";
        std::string letters;
        for (std::size_t size = below(50); size > 0; --size) {
          const std::size_t at = below(kLetters.size() - 1);
          letters += at == kLetters.size() - 2 ? kLetters.substr(at) : kLetters.substr(at, 1);
        }
        text += '"' + letters + '"';
        return AbiValue::string(letters);
      }
      case Kind::array:
      case Kind::fixed_array:
      case Kind::tuple:
        return list(type, text);
    }
    SP_CHECK(false);
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }

  // Random bytes from `first` to `end`, zero elsewhere.
  Digest32 masked(std::size_t first, std::size_t end) {
    Digest32 word;
    for (std::size_t i = first; i < end; ++i) word.data[i] = static_cast<std::uint8_t>(random_());
    return word;
  }

  AbiValue integer(const AbiType& type, std::string& text) {
    const std::size_t first = 32 - type.size / 8;
    Digest32 word = masked(first + below(type.size / 8), 32);
    const bool negative = type.kind == Kind::signed_int && below(2) == 1;
    if (type.kind == Kind::signed_int) word.data[first] &= 0x7f;
    text += (negative ? "-0x" : "0x") + word.hex();
    if (negative) {
      unsigned carry = 1;
      for (std::size_t i = 32; i-- > 0;) {
        const unsigned sum = static_cast<std::uint8_t>(~word.data[i]) + carry;
        word.data[i] = static_cast<std::uint8_t>(sum);
        carry = sum >> 8;
      }
    }
    return {word};
  }

  AbiValue list(const AbiType& type, std::string& text) {
    const bool is_tuple = type.kind == Kind::tuple;
    const std::size_t count = is_tuple                         ? type.elements.size()
                              : type.kind == Kind::fixed_array ? type.size
                                                               : below(4);
    std::vector<AbiValue> values;
    text += is_tuple ? '(' : '[';
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text += ',';
      values.push_back(value(type.elements[is_tuple ? i : 0], text));
    }
    text += is_tuple ? ')' : ']';
    return AbiValue::list(std::move(values));
  }

  std::mt19937 random_;
};

struct Case {
  AbiType tuple;
  std::vector<AbiValue> values;
  std::vector<std::string> texts;
};

std::vector<Case> make_cases() {
  Generator generator(kSeed);
  std::vector<Case> cases(kTypes / kTypesPerCall);
  for (Case& made : cases) {
    made.tuple.kind = Kind::tuple;
    for (std::size_t i = 0; i < kTypesPerCall; ++i) {
      made.tuple.elements.push_back(generator.type(kDepth));
      std::string text;
      made.values.push_back(generator.value(made.tuple.elements.back(), text));
      // A string that is an argument by itself has no quotes.
      const bool quoted = made.tuple.elements.back().kind == Kind::string;
      made.texts.push_back(quoted ? text.substr(1, text.size() - 2) : text);
    }
  }
  return cases;
}

std::string cast_encode(const Case& made) {
  ProcessOptions options;
  options.argv = {testing::foundry_program("cast").string(), "abi-encode", "f" + made.tuple.text(),
                  "--"};
  options.argv.insert(options.argv.end(), made.texts.begin(), made.texts.end());
  options.environment = basic_environment();
  const auto output = run_command(options, std::chrono::seconds(20), 1 << 24);
  if (!output) return output.error().message;
  return output->text.substr(0, output->text.find_last_not_of('\n') + 1);
}

TEST(AbiAgainstCast, OneThousandRandomTypes) {
  if (!std::filesystem::exists(testing::foundry_program("cast"))) {
    GTEST_SKIP() << "cast (npm @foundry-rs/cast) isn't installed";
  }
  const std::vector<Case> cases = make_cases();
  std::vector<std::string> answers(cases.size());
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < cases.size(); i += kThreads) answers[i] = cast_encode(cases[i]);
    });
  }
  for (auto& thread : threads) thread.join();
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& made = cases[i];
    const auto encoded = abi_encode(made.tuple, made.values);
    ASSERT_TRUE(encoded) << encoded.error().message;
    ASSERT_EQ(to_hex0x(*encoded), answers[i]) << made.tuple.text();
    const auto parsed = AbiType::parse(made.tuple.text());
    ASSERT_TRUE(parsed) << made.tuple.text();
    const auto decoded = abi_decode(*parsed, *encoded);
    ASSERT_TRUE(decoded) << decoded.error().message << " " << made.tuple.text();
    EXPECT_EQ(*decoded, made.values) << made.tuple.text();
    bytes += encoded->size();
  }
  std::printf("%zu random types, %zu bytes, equal to cast's\n", kTypes, bytes);
}

}  // namespace
}  // namespace sp::chain
