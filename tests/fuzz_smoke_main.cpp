// Runs a fuzz target without libFuzzer: every seed of the folder given, then a fixed number of
// mutations of each from a fixed seed of its own, so that a run repeats exactly (a slow target's
// has fewer of them). `make fuzz` does the long search. A target that builds nested values of its
// input takes long ones, so that runs of bytes are put in as well.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr int kMutationsPerSeed = 300;
constexpr std::size_t kRunMax = 512;
constexpr std::chrono::seconds kTimeMax{2};  // then seeds alone, so that all targets are quick

std::vector<Input> read_seeds(const std::filesystem::path& folder) {
  std::vector<Input> seeds{Input{}};
  if (!std::filesystem::is_directory(folder)) return seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return seeds;
}

void mutate(Input& input, std::mt19937& random) {
  const auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
    switch (below(5)) {
      case 0:
        if (!input.empty()) input[below(input.size())] ^= static_cast<std::uint8_t>(1U << below(8));
        break;
      case 1:
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1)),
                     static_cast<std::uint8_t>(random()));
        break;
      case 2:
        input.resize(below(input.size() + 1));
        break;
      case 3: {
        Input run(below(kRunMax));
        for (std::uint8_t& byte : run) byte = static_cast<std::uint8_t>(random());
        input.insert(input.begin() + static_cast<std::ptrdiff_t>(below(input.size() + 1)),
                     run.begin(), run.end());
        break;
      }
      default:
        if (!input.empty())
          input[below(input.size())] = static_cast<std::uint8_t>(below(2) == 0 ? 0xff : 0x00);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Input> seeds = read_seeds(argc > 1 ? argv[1] : "");
  std::mt19937 random(20261124);  // NOLINT(cert-msc51-cpp): a run must repeat exactly
  std::size_t runs = 0;
  const auto end = std::chrono::steady_clock::now() + kTimeMax;
  for (const Input& seed : seeds) {
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
    for (int i = 0; i < kMutationsPerSeed && std::chrono::steady_clock::now() < end; ++i, ++runs) {
      Input input = seed;
      mutate(input, random);
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
  }
  std::printf("%zu seeds, %zu mutations\n", seeds.size(), runs);
  return 0;
}
