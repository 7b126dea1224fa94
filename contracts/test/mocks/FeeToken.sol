// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OpenToken} from "./OpenToken.sol";

/// Burns a hundredth of what is transferred.
contract FeeToken is OpenToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), value / 100);
    }
}
