#include "spctl/chain_copy.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/durable.hpp"

namespace sp::spctl {

ChainCopy::ChainCopy(Files& files, const Daemon& daemon)
    : files_(files),
      state_(daemon.state(kChainStateFile)),
      copy_(daemon.folder() / "chain-copy.hex") {}

Status ChainCopy::remove_torn_state() {
  std::error_code unknown;
  const bool is_file = std::filesystem::is_regular_file(state_, unknown);
  std::ifstream file(state_, std::ios::binary);
  if (is_file && Json::accept(file)) return {};
  return files_.remove(state_);
}

Status ChainCopy::take(chain::RpcEndpoint& endpoint) {
  SP_ASSIGN(const Json state, endpoint.call("anvil_dumpState", Json::array()));
  const auto* const text = state.get_ptr<const Json::string_t*>();
  if (text == nullptr) return Error{Errc::malformed, "the chain's state isn't text"};
  return keep(files_, CrashSite::client_state, copy_, as_bytes(*text), FileMode::owner_only);
}

Status ChainCopy::restore(chain::RpcEndpoint& endpoint) {
  SP_ASSIGN(const Bytes copy, files_.read(copy_, kChainCopySizeMax));
  SP_ASSIGN(const Json loaded,
            endpoint.call("anvil_loadState", Json::array({std::string(as_text(copy))})));
  if (loaded != Json(true)) return Error{Errc::refused, "the chain doesn't take its copy back"};
  return {};
}

}  // namespace sp::spctl
