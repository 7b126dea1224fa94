// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Errors} from "./Errors.sol";

/// Taking exact amounts of a token.
library Tokens {
    using SafeERC20 for IERC20;

    /// Transfers `amount` from the account to this contract, and insists that it has arrived whole: every unit that
    /// is owed to someone must be there. Callers guard against reentrancy, which could fake the difference.
    function pullExact(address token, address from, uint256 amount) internal {
        if (amount == 0) return;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert Errors.Tokens_InexactTransfer(token, amount, received);
    }
}
