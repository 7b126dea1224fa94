// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token without permit, of which anyone may mint.
contract OpenToken is ERC20("Open Token", "OPEN") {
    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }
}
