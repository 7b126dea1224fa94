// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Deposit, Provider} from "../types/Records.sol";

/// @title Who the providers are, and what they have at stake.
/// @notice A provider is known by its authority account, which can't change. Its action account signs acceptances
/// and manages offers, its receiver account gets the money. It puts in deposits, each for one market and in one
/// token: by that alone it lets the market lock what is free of the deposit, and give back or pay out what is
/// locked. A deposit for one market is out of every other market's reach, and there is no owner.
///
/// Assumptions on a token, without which only those who use that token can lose:
/// - a transfer moves exactly the amount (`deposit` checks the difference of balances), and balances change by
///   transfers only: no fee on transfer, no rebasing;
/// - a transfer of what an account holds succeeds: no pausing, no lists of blocked accounts.
interface IRegistry {
    event ProviderRegistered(address indexed provider, address action, address receiver);
    event ActionChanged(address indexed provider, address action);
    event ReceiverProposed(address indexed provider, address receiver);
    event ReceiverChanged(address indexed provider, address receiver);
    event Deposited(address indexed provider, address indexed market, address indexed token, uint256 amount);
    event Withdrawn(
        address indexed provider, address indexed market, address indexed token, address receiver, uint256 amount
    );
    event PaidFromLock(address indexed provider, address indexed market, address indexed token, uint256 amount);

    // Accounts

    /// @notice Makes the caller a provider, for good: the caller is its authority account.
    /// @dev Emits {ProviderRegistered}.
    ///
    /// Requirements:
    /// - the caller isn't registered yet;
    /// - neither account is zero. Both may be the caller itself.
    function register(address action, address receiver) external;

    /// @notice Replaces the caller's action account at once.
    /// @dev Emits {ActionChanged}.
    ///
    /// Notes:
    /// - Orders that exist already go on: acceptances by the replaced account still count for them. Else a provider
    ///   could escape the claims of part owners by changing accounts.
    ///
    /// Requirements:
    /// - the caller is registered, the account isn't zero.
    function setAction(address action) external;

    /// @notice Proposes another receiver account. Money goes to the old one until the new one has accepted, because
    /// what is sent to a mistyped account is lost.
    /// @dev Emits {ReceiverProposed}.
    ///
    /// Requirements:
    /// - the caller is registered. Zero takes a proposal back.
    function proposeReceiver(address receiver) external;

    /// @notice Makes the caller the provider's receiver account.
    /// @dev Emits {ReceiverChanged}.
    ///
    /// Requirements:
    /// - the provider has proposed the caller.
    function acceptReceiver(address provider) external;

    // Deposits

    /// @notice Adds to the caller's deposit for a market.
    /// @dev Emits {Deposited}.
    ///
    /// Notes:
    /// - Deposit only for a market whose code you trust: it can lock all that is free, and pay itself from it.
    ///
    /// Requirements:
    /// - the caller is registered and has approved the amount;
    /// - the token moves exactly the amount.
    function deposit(address market, address token, uint128 amount) external;

    /// @notice Takes what is free of the caller's deposit for a market, to its receiver account.
    /// @dev Emits {Withdrawn}.
    ///
    /// Notes:
    /// - Who takes all that is free lets the market lock no more. What is locked stays, until the market releases it.
    /// - A provider whose deposit in the security token falls below the minimum can't be ordered until it adds again.
    ///
    /// Requirements:
    /// - the caller is registered, and so much is free.
    function withdraw(address market, address token, uint128 amount) external;

    // For markets

    /// @notice Locks of what is free of a provider's deposit for the calling market.
    ///
    /// Requirements:
    /// - so much is free.
    function lock(address provider, address token, uint128 amount) external;

    /// @notice Gives back to a provider what the calling market has locked.
    ///
    /// Requirements:
    /// - so much of the provider's deposit for the caller is locked.
    function unlock(address provider, address token, uint128 amount) external;

    /// @notice Transfers to the calling market what it has locked.
    /// @dev Emits {PaidFromLock}.
    ///
    /// Requirements:
    /// - so much of the provider's deposit for the caller is locked.
    function pay(address provider, address token, uint128 amount) external;

    // Views

    /// @notice The token in which a provider must hold a minimum deposit to be ordered.
    function securityToken() external view returns (address);

    /// @notice What a provider must hold in the security token to be ordered.
    function minimumDeposit() external view returns (uint128);

    /// @notice A provider's accounts; all zero where it isn't registered.
    function providerOf(address provider) external view returns (Provider memory);

    /// @notice Whether the provider is registered and holds the minimum deposit for the market.
    function isActive(address provider, address market) external view returns (bool);

    /// @notice Whether the account is the provider's action account, or was at the time `since` or later.
    function isAction(address provider, address account, uint256 since) external view returns (bool);

    /// @notice Where an account's money goes: a provider's to its receiver account, anyone else's to the account.
    function receiverOf(address account) external view returns (address);

    /// @notice A provider's deposit for a market in one token.
    function depositOf(address provider, address market, address token) external view returns (Deposit memory);
}
