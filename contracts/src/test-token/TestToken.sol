// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {Errors} from "../libraries/Errors.sol";
import {ITestToken} from "./ITestToken.sol";

/// @title Play money: see {ITestToken}.
contract TestToken is ERC20Permit, ITestToken {
    /// @inheritdoc ITestToken
    uint256 public constant FAUCET_MAX = 1_000_000 ether;

    constructor() ERC20("Super Protocol Test Token", "TEE") ERC20Permit("Super Protocol Test Token") {}

    /// @inheritdoc ITestToken
    function faucet(uint256 amount) external {
        mint(msg.sender, amount);
    }

    /// @inheritdoc ITestToken
    function mint(address account, uint256 amount) public {
        if (amount > FAUCET_MAX) revert Errors.TestToken_TooMuch(amount, FAUCET_MAX);
        _mint(account, amount);
    }

    function nonces(address owner) public view override(ERC20Permit, IERC20Permit) returns (uint256) {
        return super.nonces(owner);
    }
}
