// Settings files of the daemons, network.json and cards: the first byte says which. What is read is
// written as something that reads the same.
#include "base/testing/memory_files.hpp"
#include "common/broker_settings.hpp"
#include "common/card.hpp"
#include "common/network.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"

#include <nlohmann/json.hpp>

namespace sp::apps {
namespace {

using sp::testing::MemoryFiles;

const Path kFile = "it.json";

void put(MemoryFiles& files, ByteView bytes) {
  SP_CHECK(files.write_atomic(kFile, bytes, FileMode::everyone).ok());
}

template <class Settings>
void check_settings(MemoryFiles& files) {
  const auto settings = Settings::load(files, kFile);
  if (!settings) return;
  const std::string text = settings->to_json();
  put(files, as_bytes(text));
  SP_CHECK(Settings::load(files, kFile).value().to_json() == text);
}

// Cards and networks, which write themselves.
template <class Saved>
void check_saved(MemoryFiles& files) {
  const auto read = Saved::load(files, kFile);
  if (!read) return;
  SP_CHECK(read->save(files, kFile).ok());
  const Bytes once = files.read(kFile, kSettingsSizeMax).value();
  SP_CHECK(Saved::load(files, kFile).value().save(files, kFile).ok());
  SP_CHECK(files.read(kFile, kSettingsSizeMax).value() == once);
}

}  // namespace
}  // namespace sp::apps

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::apps;
  if (size == 0) return 0;
  MemoryFiles files;
  put(files, {data + 1, size - 1});
  switch (data[0] % 5) {
    case 0:
      check_settings<StoreSettings>(files);
      break;
    case 1:
      check_settings<BrokerSettings>(files);
      break;
    case 2:
      check_settings<ProviderSettings>(files);
      break;
    case 3:
      check_saved<Network>(files);
      break;
    default:
      check_saved<Card>(files);
  }
  return 0;
}
