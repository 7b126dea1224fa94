#include "spctl/reverts.hpp"

#include <algorithm>
#include <array>

#include "chain/abi.hpp"
#include "chain/rpc.hpp"
#include "spctl/console.hpp"

namespace sp::spctl {
namespace {

struct Revert {
  std::string_view signature;
  std::string_view words;
  std::string_view advice;
};

constexpr std::string_view kTopUp = "Get tokens with 'spctl tokens faucet' on a local chain";
constexpr std::string_view kOtherOffer = "Choose another offer ('spctl offers list')";
constexpr std::string_view kRegister = "Register first with 'spctl providers register'";
constexpr std::string_view kSeeOrder = "See 'spctl orders get ID'";
constexpr std::string_view kBug = "This is a bug of spctl or of the network's settings";

// The reverts that people can cause (contracts/src/libraries/Errors.sol and OpenZeppelin's tokens).
constexpr auto kReverts = std::to_array<Revert>({
    {"Registry_AlreadyRegistered(address)", "this account is a provider already",
     "Nothing is left to do"},
    {"Registry_NotRegistered(address)", "this account isn't a provider", kRegister},
    {"Registry_FreeDepositShort(address,address,uint256,uint256)",
     "so much of the provider's deposit isn't free", "Add to it with 'spctl providers deposit'"},
    {"Tokens_InexactTransfer(address,uint256,uint256)", "the token doesn't move exactly the amount",
     "Only plain ERC-20 tokens can be used"},
    {"TestToken_TooMuch(uint256,uint256)", "the faucet gives less at once", "Ask for less"},
    {"Market_NotProvider(address,address)", "the account doesn't belong to the offer's provider",
     "Use the provider's key with --key"},
    {"Market_OfferExists(bytes32)", "exactly this offer exists already", "See 'spctl offers list'"},
    {"Market_UnknownOffer(bytes32)", "there is no such offer", kOtherOffer},
    {"Market_NotOrderable(bytes32)", "an offer is disabled or doesn't exist", kOtherOffer},
    {"Market_ProviderInactive(address)",
     "an offer's provider isn't registered or its deposit is below the minimum", kOtherOffer},
    {"Market_OfferExhausted(bytes32,uint256)", "an offer has as many orders as it allows",
     kOtherOffer},
    {"Market_AttestorNotAccepted(address)", "the compute offer doesn't accept this attestor",
     kOtherOffer},
    {"Market_SecondsOutOfRange(uint256,uint256,uint256)",
     "the compute offer doesn't sell this much time", "Change --time"},
    {"Market_WindowTooShort(uint256,uint256)", "a window is below the compute offer's minimum",
     kBug},
    {"Market_WindowTooLong(uint256,uint256)", "a window is longer than the market takes",
     "Order less time, or choose another offer ('spctl offers list')"},
    {"Market_NoResource()", "the order asks for no CPU, memory, disk or process",
     "Ask for more with --cpus, --memory, --disk or --pids"},
    {"Market_BadTimeRange(uint256,uint256)", "the offer sells no time", "Change --max-time"},
    {"Market_ResourceAboveOffer(uint256,uint256)", "the compute offer has less than was asked for",
     "Ask for less with --cpus, --memory, --disk or --pids"},
    {"Market_ExposureTooHigh(uint256,uint256)",
     "the parts cost more than the compute provider answers for", kOtherOffer},
    {"Market_OrderExists(bytes32)", "the order exists already", kSeeOrder},
    {"Market_WrongPhase(bytes32,uint8)", "the order is in another phase", kSeeOrder},
    {"Market_NotCustomer(address,address)", "the order belongs to another account",
     "Use the customer's key with --key"},
    {"Market_NotCancelled(bytes32)",
     "the receipt says that the order was cancelled, and its customer hasn't", kSeeOrder},
    {"Market_NothingToClaim(uint256)", "nothing is owed for this part by a claim", kSeeOrder},
    {"Market_AlreadyPaid(uint256)", "the part's owner has been paid already",
     "Withdraw it with 'spctl tokens withdraw'"},
    {"ERC20InsufficientBalance(address,uint256,uint256)", "the account has too few tokens", kTopUp},
    {"ERC20InsufficientAllowance(address,uint256,uint256)", "the allowance is too small", kBug},
});

}  // namespace

Error explained(const Error& error, std::string_view what) {
  const std::string where(what);
  const auto data = chain::revert_data(error);
  if (!data || data->size() < 4) return error.in(where);
  for (const Revert& revert : kReverts) {
    const auto selector = chain::abi_selector(revert.signature);
    if (!std::equal(selector.data.begin(), selector.data.end(), data->begin())) continue;
    const auto name = revert.signature.substr(0, revert.signature.find('('));
    const std::string why = std::string(name) + ": " + std::string(revert.words);
    return failure(Errc::refused, where + " was refused by the contract", why, revert.advice);
  }
  return error.in(where);
}

}  // namespace sp::spctl
