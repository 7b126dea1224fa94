#include "spctl/contract_deploy.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "chain/abi.hpp"
#include "crypto/hash.hpp"
#include "spctl/console.hpp"
#include "spctl/contracts_code.hpp"

namespace sp::spctl {
namespace {

using chain::AbiType;
using chain::AbiValue;
using chain::TxHash;
using std::chrono::milliseconds;

constexpr std::uint64_t kFileVersion = 1;
constexpr std::uint64_t kNumberMax = ~std::uint64_t{0} >> 1;
constexpr std::size_t kAmountDigitsMax = 39;
constexpr std::size_t kNameMax = 32;
constexpr milliseconds kPollPause{250};
constexpr const char* kTestToken = "TestToken";
constexpr const char* kRegistry = "Registry";
constexpr const char* kMarket = "Market";

Bytes with_arguments(std::string_view code, std::string_view types,
                     const std::vector<AbiValue>& arguments) {
  auto data = from_hex(code);
  SP_CHECK(data.ok());  // our own text
  if (!arguments.empty()) {
    auto type = AbiType::parse(types);
    SP_CHECK(type.ok());  // our own text
    const auto encoded = chain::abi_encode(*type, arguments);
    SP_CHECK(encoded.ok());  // our own values
    append(*data, *encoded);
  }
  return std::move(*data);
}

Bytes creation_of(const Deployment& deployment, const std::string& contract) {
  if (contract == kTestToken) return with_arguments(kTestTokenCode, "", {});
  if (contract == kRegistry) {
    return with_arguments(kRegistryCode, "(address,uint128)",
                          {AbiValue::address(deployment.token()),
                           AbiValue::amount(deployment.options.minimum_deposit)});
  }
  return with_arguments(kMarketCode, "(address)",
                        {AbiValue::address(deployment.address_of(kRegistry))});
}

Bytes runtime_of(const Deployment& deployment, const DeployStep& step) {
  if (step.contract == kTestToken) return test_token_runtime(deployment.chain_id, step.address);
  if (step.contract == kRegistry) {
    return registry_runtime(deployment.token(), deployment.options.minimum_deposit);
  }
  return market_runtime(deployment.chain_id, step.address, deployment.address_of(kRegistry));
}

Result<Amount> read_amount(JsonObject& object, std::string_view key) {
  return Amount::from_text(object.text(key, kAmountDigitsMax));
}

Json step_json(const DeployStep& step) {
  Json sent = Json::array();
  for (const TxHash& hash : step.sent) sent.push_back(hash.hex0x());
  return {{"contract", step.contract},
          {"nonce", step.nonce},
          {"address", step.address.hex0x()},
          {"gasLimit", step.gas_limit},
          {"maxFeePerGas", step.fees.max_fee_per_gas.text()},
          {"maxPriorityFeePerGas", step.fees.max_priority_fee_per_gas.text()},
          {"sent", sent}};
}

Result<DeployStep> step_from_json(const Json& json) {
  JsonObject object(json, "steps");
  DeployStep step;
  step.contract = object.text("contract", kNameMax);
  step.nonce = object.number("nonce", kNumberMax);
  step.address = object.fixed<Address>("address");
  step.gas_limit = object.number("gasLimit", kNumberMax);
  SP_ASSIGN(step.fees.max_fee_per_gas, read_amount(object, "maxFeePerGas"));
  SP_ASSIGN(step.fees.max_priority_fee_per_gas, read_amount(object, "maxPriorityFeePerGas"));
  const Json& sent = object.any("sent");
  SP_TRY(object.finish());
  if (!sent.is_array() || sent.size() > kRaisesMax) {
    return Error{Errc::malformed,
                 "steps: \"sent\" isn't a list of at most " + std::to_string(kRaisesMax)};
  }
  for (const Json& hash : sent) {
    if (!hash.is_string()) return Error{Errc::malformed, "steps: \"sent\" holds no hashes"};
    SP_ASSIGN(const TxHash read, TxHash::from_hex(hash.get<std::string>()));
    step.sent.push_back(read);
  }
  return step;
}

// Which contracts, in the order of their nonces.
std::vector<std::string> contracts_of(const DeployOptions& options) {
  if (options.test_token) return {kTestToken, kRegistry, kMarket};
  return {kRegistry, kMarket};
}

Status check_steps(const Deployment& deployment) {
  const auto contracts = contracts_of(deployment.options);
  bool good = deployment.steps.size() == contracts.size();
  for (std::size_t i = 0; good && i < contracts.size(); ++i) {
    const DeployStep& step = deployment.steps[i];
    good = step.contract == contracts[i] && step.nonce == deployment.steps[0].nonce + i &&
           step.address == created_address(deployment.deployer, step.nonce);
  }
  if (good) return {};
  return Error{Errc::malformed, "the steps aren't those of such a deployment"};
}

std::uint64_t with_margin(std::uint64_t gas) {
  return std::max(gas, std::min(gas + gas / 5, chain::kTxGasMax));
}

bool may_pass(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::timed_out;
}

// One run over the steps.
class Run {
 public:
  Run(chain::Chain& chain, const crypto::EthKey& key, const Clock& clock, Files& files,
      const Path& file, Deployment& deployment, DeployPatience patience)
      : chain_(chain),
        key_(key),
        clock_(clock),
        files_(files),
        file_(file),
        deployment_(deployment),
        patience_(patience) {}

  Result<DeployedContract> ensure(DeployStep& step) {
    SP_ASSIGN(const std::uint64_t next, chain_.nonce(deployment_.deployer, false));
    if (next <= step.nonce) SP_TRY(get_into_a_block(step));
    SP_TRY(see_code(step));
    DeployedContract done{step.contract, step.address, {}, 0};
    SP_ASSIGN(const auto receipt, find_receipt(step));
    if (receipt) {
      done.tx = receipt->tx_hash;
      done.gas_used = receipt->gas_used;
    }
    return done;
  }

 private:
  // The step's nonce is used. An endpoint may be several nodes, and who answers for the code may be
  // behind who answered for the nonce: a contract that isn't there yet is waited for.
  Status see_code(const DeployStep& step) {
    const Bytes expected = runtime_of(deployment_, step);
    const auto deadline = clock_.monotonic() + patience_.wait;
    for (;;) {
      const Status code = check_code(chain_, step.address, expected, step.contract);
      if (code || (code.error().code != Errc::not_found && !may_pass(code.error()))) return code;
      SP_TRY(check_not_taken(step));
      if (clock_.monotonic() >= deadline) break;
      clock_.sleep_for(kPollPause);
    }
    return failure(Errc::unavailable, "the " + step.contract + " isn't seen yet",
                   "nonce " + std::to_string(step.nonce) + " is used, and the endpoint doesn't " +
                       "show what by: it may be behind",
                   "Run the same command again to go on");
  }

  // Errc::conflict where one block has the nonce used and no contract: an endpoint that doesn't
  // have a block says nothing of it.
  Status check_not_taken(const DeployStep& step) {
    const auto receipt = find_receipt(step);
    if (receipt && *receipt) return check_success(**receipt);
    const auto newest = chain_.block();
    if (!newest) return {};
    const auto next = chain_.nonce_at(deployment_.deployer, {newest->number});
    const auto code = chain_.code(step.address, {newest->number});
    const bool taken = next && *next > step.nonce && code && code->empty();
    if (!taken) return {};
    return failure(Errc::conflict, "the " + step.contract + " can't be deployed",
                   "another transaction of " + deployment_.deployer.hex0x() + " took nonce " +
                       std::to_string(step.nonce) + ", or its own failed: block " +
                       std::to_string(newest->number) + " has nothing at " + step.address.hex0x(),
                   "Remove " + file_.string() + " and begin anew");
  }

  Status check_success(const chain::TxReceipt& receipt) {
    if (receipt.success) return {};
    return failure(Errc::refused, "a contract can't be deployed",
                   "transaction " + receipt.tx_hash.hex0x() + " failed in its block",
                   "Remove " + file_.string() + " and begin anew");
  }

  Status send(DeployStep& step) {
    chain::Transaction transaction;
    transaction.chain_id = deployment_.chain_id;
    transaction.nonce = step.nonce;
    transaction.fees = step.fees;
    transaction.gas_limit = step.gas_limit;
    transaction.data = creation_of(deployment_, step.contract);
    const auto signed_transaction = chain::sign(transaction, key_);
    const bool known =
        std::find(step.sent.begin(), step.sent.end(), signed_transaction.hash) != step.sent.end();
    if (!known) {
      if (step.sent.size() == kRaisesMax) {
        return Error{Errc::too_large, "the fee was raised too often"};
      }
      step.sent.push_back(signed_transaction.hash);
      SP_TRY(deployment_.save(files_, file_));
    }
    crash_point(CrashSite::transaction, CrashMoment::before);
    const auto sent = chain_.send_raw(signed_transaction.raw);
    crash_point(CrashSite::transaction, CrashMoment::between);
    if (sent || chain::is_known_transaction(sent.error())) return {};
    // Sent before and in a block since: then its nonce is used.
    const auto next = chain_.nonce(deployment_.deployer, false);
    if (next && *next > step.nonce) return {};
    return sent.error();
  }

  // By at least an eighth, as nodes ask of a replacement (a tenth), and to what is paid now.
  Status raise(DeployStep& step) {
    SP_ASSIGN(const chain::Fees now, chain_.suggest_fees());
    SP_ASSIGN(const Amount fee, step.fees.max_fee_per_gas.scaled_up(9, 8));
    SP_ASSIGN(const Amount tip, step.fees.max_priority_fee_per_gas.scaled_up(9, 8));
    step.fees = {std::max(fee, now.max_fee_per_gas), std::max(tip, now.max_priority_fee_per_gas)};
    return {};
  }

  Status get_into_a_block(DeployStep& step) {
    if (step.sent.empty()) {  // fees as of now, not of when it was planned
      SP_ASSIGN(step.fees, chain_.suggest_fees());
    }
    for (int raises = 0;; ++raises) {
      SP_TRY(send(step));
      SP_ASSIGN(const bool mined, wait(step));
      if (mined) return {};
      if (raises == patience_.raises) break;
      SP_TRY(raise(step));
    }
    return failure(Errc::timed_out, "the " + step.contract + " isn't in a block yet",
                   "the chain didn't take " + step.sent.back().hex0x(),
                   "Run the command again to go on");
  }

  Result<bool> wait(const DeployStep& step) {
    const auto deadline = clock_.monotonic() + patience_.wait;
    for (;;) {
      const auto receipt = find_receipt(step);
      if (receipt && *receipt) {
        SP_TRY(check_success(**receipt));
        return true;
      }
      if (!receipt && !may_pass(receipt.error())) return receipt.error();
      if (clock_.monotonic() >= deadline) return false;
      clock_.sleep_for(kPollPause);
    }
  }

  Result<std::optional<chain::TxReceipt>> find_receipt(const DeployStep& step) {
    for (auto hash = step.sent.rbegin(); hash != step.sent.rend(); ++hash) {
      SP_ASSIGN(auto receipt, chain_.receipt(*hash));
      if (receipt) return receipt;
    }
    return std::optional<chain::TxReceipt>();
  }

  chain::Chain& chain_;
  const crypto::EthKey& key_;
  const Clock& clock_;
  Files& files_;
  const Path& file_;
  Deployment& deployment_;
  const DeployPatience patience_;
};

}  // namespace

Address created_address(const Address& account, std::uint64_t nonce) {
  const Bytes list =
      chain::rlp_list({chain::rlp_bytes(account.view()), chain::rlp_number(Amount(nonce))});
  return *Address::from(crypto::keccak256(list).view().subspan(12));
}

Address Deployment::address_of(std::string_view contract) const {
  const auto step = std::find_if(steps.begin(), steps.end(),
                                 [&](const DeployStep& s) { return s.contract == contract; });
  return step == steps.end() ? Address() : step->address;
}

Address Deployment::token() const {
  return options.test_token ? address_of(kTestToken) : options.token;
}

Result<Amount> Deployment::cost_max() const {
  Amount sum;
  for (const DeployStep& step : steps) {
    SP_ASSIGN(const Amount cost, step.fees.max_fee_per_gas.scaled_up(step.gas_limit, 1));
    SP_ASSIGN(sum, sum.plus(cost));
  }
  return sum;
}

Result<Deployment> Deployment::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Bytes bytes, files.read(path, kDeploymentSizeMax));
  SP_ASSIGN(const Json json, parse_json(as_text(bytes), kDeploymentSizeMax));
  JsonObject object(json, path.filename().string());
  if (object.number("version", kNumberMax) != kFileVersion) {
    return Error{Errc::unsupported, path.string() + " isn't of version 1"};
  }
  Deployment deployment;
  deployment.chain_id = object.number("chainId", kNumberMax);
  deployment.deployer = object.fixed<Address>("deployer");
  deployment.options.token = object.fixed<Address>("token");
  deployment.options.test_token = object.boolean("testToken");
  SP_ASSIGN(deployment.options.minimum_deposit, read_amount(object, "minimumDeposit"));
  deployment.start_block = object.number("startBlock", kNumberMax);
  const Json& steps = object.any("steps");
  SP_TRY(object.finish());
  if (!steps.is_array() || steps.size() > kDeployStepsMax) {
    return Error{Errc::malformed, path.string() + ": \"steps\" isn't a list of contracts"};
  }
  for (const Json& step : steps) {
    SP_ASSIGN(DeployStep read, step_from_json(step));
    deployment.steps.push_back(std::move(read));
  }
  SP_TRY(check_steps(deployment));
  return deployment;
}

Status Deployment::save(Files& files, const Path& path) const {
  Json list = Json::array();
  for (const DeployStep& step : steps) list.push_back(step_json(step));
  const Json json{
      {"version", kFileVersion},         {"chainId", chain_id},
      {"deployer", deployer.hex0x()},    {"token", options.token.hex0x()},
      {"testToken", options.test_token}, {"minimumDeposit", options.minimum_deposit.text()},
      {"startBlock", start_block},       {"steps", list}};
  return keep(files, CrashSite::client_deployment, path, as_bytes(json.dump(2) + "\n"),
              FileMode::everyone);
}

Result<Deployment> plan_deployment(chain::Chain& chain, const Address& deployer,
                                   const DeployOptions& options) {
  Deployment deployment;
  deployment.deployer = deployer;
  deployment.options = options;
  SP_ASSIGN(deployment.chain_id, chain.chain_id());
  SP_ASSIGN(const chain::Block newest, chain.block());
  deployment.start_block = newest.number;
  SP_ASSIGN(const std::uint64_t nonce, chain.nonce(deployer, true));
  SP_ASSIGN(const chain::Fees fees, chain.suggest_fees());
  for (const std::string& contract : contracts_of(options)) {
    DeployStep step;
    step.contract = contract;
    step.nonce = nonce + deployment.steps.size();
    step.address = created_address(deployer, step.nonce);
    step.fees = fees;
    deployment.steps.push_back(std::move(step));
  }
  for (DeployStep& step : deployment.steps) {
    auto gas = chain.estimate_gas(deployer, std::nullopt, creation_of(deployment, step.contract));
    if (!gas) return gas.error().in("estimating the " + step.contract);
    step.gas_limit = with_margin(*gas);
  }
  return deployment;
}

Result<std::vector<DeployedContract>> run_deployment(chain::Chain& chain, const crypto::EthKey& key,
                                                     const Clock& clock, Files& files,
                                                     const Path& file, Deployment& deployment,
                                                     DeployPatience patience) {
  SP_CHECK(key.address() == deployment.deployer);
  SP_TRY(check_steps(deployment));
  SP_TRY(deployment.save(files, file));
  Run run(chain, key, clock, files, file, deployment, patience);
  std::vector<DeployedContract> done;
  for (DeployStep& step : deployment.steps) {
    SP_ASSIGN(DeployedContract contract, run.ensure(step));
    done.push_back(std::move(contract));
  }
  return done;
}

}  // namespace sp::spctl
