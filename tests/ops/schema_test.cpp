// docs/settings: each schema says what its reader reads, no more and no less.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "base/testing/temporary_folder.hpp"
#include "common/broker_settings.hpp"
#include "common/network.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"

namespace sp::apps {
namespace {

const Path kFolder = Path(SP_TEST_SOURCE_DIR) / "docs/settings";

Json read_json(const Path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

class SchemaTest : public ::testing::TestWithParam<const char*> {
 protected:
  SchemaTest() {
    schema_ = read_json(kFolder / (std::string(GetParam()) + ".schema.json"));
    example_ = read_json(kFolder / (std::string(GetParam()) + ".example.json"));
  }

  // What the reader makes of a value: its text again, or the error.
  Result<std::string> reload(const Json& json) {
    const Path path = folder_ / "settings.json";
    const std::string text = json.dump();
    EXPECT_TRUE(files_.write_atomic(path, as_bytes(text), FileMode::owner_only).ok());
    const std::string role = GetParam();
    if (role == "store") return text_of(StoreSettings::load(files_, path));
    if (role == "broker") return text_of(BrokerSettings::load(files_, path));
    if (role == "provider") return text_of(ProviderSettings::load(files_, path));
    SP_ASSIGN(const Network network, Network::load(files_, path));
    SP_TRY(network.save(files_, path));
    SP_ASSIGN(const Bytes saved, files_.read(path, kSettingsSizeMax));
    return std::string(as_text(saved));
  }
  template <class Settings>
  static Result<std::string> text_of(const Result<Settings>& settings) {
    if (!settings) return settings.error();
    return settings->to_json();
  }

  const Json& resolved(const Json& schema) {
    if (!schema.contains("$ref")) return schema;
    return schema_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1)));
  }
  // The form of a value that may have several: the one for objects.
  const Json& object_form(const Json& schema) {
    const Json& found = resolved(schema);
    if (!found.contains("oneOf")) return found;
    for (const Json& form : found["oneOf"]) {
      if (form.value("type", "") == "object") return form;
    }
    return found;
  }

  // Calls for each object of the example that the schema describes, with its place.
  using Visit = std::function<void(const Json& schema, const Json::json_pointer& at)>;
  void walk(const Json& schema, const Json::json_pointer& at, const Visit& visit) {
    if (!schema.contains("properties")) return;
    visit(schema, at);
    for (const auto& [key, value] : schema["properties"].items()) {
      if (!example_.contains(at / key)) continue;
      if (value.contains("items") && example_.at(at / key).is_array()) {
        walk(object_form(value["items"]), at / key / std::size_t{0}, visit);
      } else {
        walk(object_form(value), at / key, visit);
      }
    }
  }

  PosixFiles files_;
  sp::testing::TemporaryFolder folder_;
  Json schema_, example_;
};

TEST_P(SchemaTest, TheExampleHasEveryKeyAndComesBack) {
  const auto read = reload(example_);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const Json again = Json::parse(*read);
  walk(schema_, Json::json_pointer(), [&](const Json& schema, const Json::json_pointer& at) {
    for (const Json* value : std::initializer_list<const Json*>{&example_, &again}) {
      std::set<std::string> known, found;
      for (const auto& [key, unused] : schema["properties"].items()) known.insert(key);
      for (const auto& [key, unused] : value->at(at).items()) found.insert(key);
      EXPECT_EQ(found, known) << "at " << at.to_string();
    }
  });
}

TEST_P(SchemaTest, WhatIsRequiredIsMissedAndNothingElse) {
  walk(schema_, Json::json_pointer(), [&](const Json& schema, const Json::json_pointer& at) {
    for (const auto& [key, unused] : schema["properties"].items()) {
      Json without = example_;
      without.at(at).erase(key);
      for (const Json& partner :
           schema.value("dependentRequired", Json::object()).value(key, Json::array())) {
        without.at(at).erase(partner.get<std::string>());
      }
      const auto& required = schema["required"];
      const bool wanted = std::find(required.begin(), required.end(), key) != required.end();
      const auto read = reload(without);
      EXPECT_EQ(read.ok(), !wanted) << (at / key).to_string();
      if (!read) {
        EXPECT_NE(read.error().message.find(key), std::string::npos);
      }
    }
  });
}

TEST_P(SchemaTest, AnUnknownKeyIsRefusedEverywhere) {
  walk(schema_, Json::json_pointer(), [&](const Json& schema, const Json::json_pointer& at) {
    EXPECT_EQ(schema["additionalProperties"], false) << at.to_string();
    Json with = example_;
    with.at(at)["portt"] = 1;
    const auto read = reload(with);
    ASSERT_FALSE(read.ok()) << at.to_string();
    EXPECT_EQ(read.error().code, Errc::malformed);
    EXPECT_NE(read.error().message.find("unknown key \"portt\""), std::string::npos)
        << read.error().message;
  });
}

TEST_P(SchemaTest, ALimitOfTheSchemaIsTheReaders) {
  walk(schema_, Json::json_pointer(), [&](const Json& schema, const Json::json_pointer& at) {
    for (const auto& [key, value] : schema["properties"].items()) {
      const Json& rule = resolved(value);
      if (rule.value("type", "") != "integer") continue;
      Json changed = example_;
      changed.at(at)[key] = rule["maximum"].get<std::uint64_t>() + 1;
      EXPECT_FALSE(reload(changed).ok()) << (at / key).to_string();
    }
  });
}

TEST(LogLevels, AnUnknownOneIsRefused) {
  EXPECT_EQ(log_level_from("warning").value(), LogLevel::warning);
  EXPECT_EQ(log_level_from("loud").error().message,
            "the level must be debug, info, warning or error");
}

INSTANTIATE_TEST_SUITE_P(Files, SchemaTest,
                         ::testing::Values("store", "broker", "provider", "network"));

}  // namespace
}  // namespace sp::apps
