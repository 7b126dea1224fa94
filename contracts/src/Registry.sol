// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {IRegistry} from "./interfaces/IRegistry.sol";
import {Errors} from "./libraries/Errors.sol";
import {Tokens} from "./libraries/Tokens.sol";
import {Deposit, Provider} from "./types/Records.sol";

/// @title The registry: see {IRegistry}.
contract Registry is IRegistry, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    // IMMUTABLES

    /// @inheritdoc IRegistry
    address public immutable securityToken;

    /// @inheritdoc IRegistry
    uint128 public immutable minimumDeposit;

    // STORAGE

    mapping(address provider => Provider) private _providers;

    /// When an account last ceased to be the provider's action account; 0 = never.
    mapping(address provider => mapping(address account => uint256 time)) private _replacedAt;

    mapping(address provider => mapping(address market => mapping(address token => Deposit))) private _deposits;

    constructor(address securityToken_, uint128 minimumDeposit_) {
        securityToken = securityToken_;
        minimumDeposit = minimumDeposit_;
    }

    modifier onlyProvider() {
        if (!_isRegistered(msg.sender)) revert Errors.Registry_NotRegistered(msg.sender);
        _;
    }

    // ACCOUNTS

    /// @inheritdoc IRegistry
    function register(address action, address receiver) external {
        if (_isRegistered(msg.sender)) revert Errors.Registry_AlreadyRegistered(msg.sender);
        if (action == address(0) || receiver == address(0)) revert Errors.Registry_ZeroAccount();

        _providers[msg.sender].action = action;
        _providers[msg.sender].receiver = receiver;
        emit ProviderRegistered(msg.sender, action, receiver);
    }

    /// @inheritdoc IRegistry
    function setAction(address action) external onlyProvider {
        if (action == address(0)) revert Errors.Registry_ZeroAccount();

        _replacedAt[msg.sender][_providers[msg.sender].action] = block.timestamp;
        _providers[msg.sender].action = action;
        emit ActionChanged(msg.sender, action);
    }

    /// @inheritdoc IRegistry
    function proposeReceiver(address receiver) external onlyProvider {
        _providers[msg.sender].pendingReceiver = receiver;
        emit ReceiverProposed(msg.sender, receiver);
    }

    /// @inheritdoc IRegistry
    function acceptReceiver(address provider) external {
        address pending = _providers[provider].pendingReceiver;
        if (msg.sender != pending) revert Errors.Registry_NotPendingReceiver(msg.sender, pending);

        _providers[provider].receiver = pending;
        delete _providers[provider].pendingReceiver;
        emit ReceiverChanged(provider, pending);
    }

    // DEPOSITS

    /// @inheritdoc IRegistry
    function deposit(address market, address token, uint128 amount) external onlyProvider nonReentrant {
        _deposits[msg.sender][market][token].total += amount;
        emit Deposited(msg.sender, market, token, amount);
        Tokens.pullExact(token, msg.sender, amount);
    }

    /// @inheritdoc IRegistry
    function withdraw(address market, address token, uint128 amount) external onlyProvider nonReentrant {
        Deposit storage held = _deposits[msg.sender][market][token];
        _requireFree(held, msg.sender, token, amount);

        held.total -= amount;
        address receiver = _providers[msg.sender].receiver;
        emit Withdrawn(msg.sender, market, token, receiver, amount);
        IERC20(token).safeTransfer(receiver, amount);
    }

    // FOR MARKETS

    /// @inheritdoc IRegistry
    function lock(address provider, address token, uint128 amount) external {
        Deposit storage held = _deposits[provider][msg.sender][token];
        _requireFree(held, provider, token, amount);
        held.locked += amount;
    }

    /// @inheritdoc IRegistry
    function unlock(address provider, address token, uint128 amount) external {
        Deposit storage held = _deposits[provider][msg.sender][token];
        _requireLocked(held, provider, token, amount);
        held.locked -= amount;
    }

    /// @inheritdoc IRegistry
    function pay(address provider, address token, uint128 amount) external nonReentrant {
        Deposit storage held = _deposits[provider][msg.sender][token];
        _requireLocked(held, provider, token, amount);

        held.locked -= amount;
        held.total -= amount;
        emit PaidFromLock(provider, msg.sender, token, amount);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    // VIEWS

    /// @inheritdoc IRegistry
    function providerOf(address provider) external view returns (Provider memory) {
        return _providers[provider];
    }

    /// @inheritdoc IRegistry
    function isActive(address provider, address market) external view returns (bool) {
        return _isRegistered(provider) && _deposits[provider][market][securityToken].total >= minimumDeposit;
    }

    /// @inheritdoc IRegistry
    function isAction(address provider, address account, uint256 since) external view returns (bool) {
        if (account == address(0)) return false;
        if (account == _providers[provider].action) return true;
        uint256 replacedAt = _replacedAt[provider][account];
        return replacedAt != 0 && replacedAt >= since;
    }

    /// @inheritdoc IRegistry
    function receiverOf(address account) external view returns (address) {
        return _isRegistered(account) ? _providers[account].receiver : account;
    }

    /// @inheritdoc IRegistry
    function depositOf(address provider, address market, address token) external view returns (Deposit memory) {
        return _deposits[provider][market][token];
    }

    function _isRegistered(address provider) private view returns (bool) {
        return _providers[provider].action != address(0);
    }

    function _requireLocked(Deposit storage held, address provider, address token, uint128 amount) private view {
        if (held.locked < amount) revert Errors.Registry_LockShort(provider, token, held.locked, amount);
    }

    function _requireFree(Deposit storage held, address provider, address token, uint128 amount) private view {
        uint128 free = held.total - held.locked;
        if (free < amount) revert Errors.Registry_FreeDepositShort(provider, token, free, amount);
    }
}
