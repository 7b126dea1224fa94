// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Play money for local chains: anyone may take some.
contract TestToken is ERC20Permit {
    /// What one call hands out at most.
    uint256 public constant FAUCET_MAX = 1_000_000 ether;

    error TestToken_TooMuch(uint256 amount, uint256 max);

    constructor() ERC20("Super Protocol Test Token", "TEE") ERC20Permit("Super Protocol Test Token") {}

    /// @notice Mints for the caller.
    function faucet(uint256 amount) external {
        mint(msg.sender, amount);
    }

    /// @notice Mints for the account.
    function mint(address account, uint256 amount) public {
        if (amount > FAUCET_MAX) revert TestToken_TooMuch(amount, FAUCET_MAX);
        _mint(account, amount);
    }
}
