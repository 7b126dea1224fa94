// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OpenToken} from "./OpenToken.sol";

/// Transfers nothing and says so by its return value.
contract FalseToken is OpenToken {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}
