// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title Play money for local chains: anyone may take some.
/// @notice ERC-20 and ERC-2612 with 18 decimals.
interface ITestToken is IERC20, IERC20Permit {
    /// @notice Mints for the caller.
    ///
    /// Requirements:
    /// - `amount` is at most {FAUCET_MAX}.
    function faucet(uint256 amount) external;

    /// @notice Mints for the account, as {faucet} does.
    function mint(address account, uint256 amount) external;

    /// @notice What one call hands out at most.
    function FAUCET_MAX() external view returns (uint256);
}
