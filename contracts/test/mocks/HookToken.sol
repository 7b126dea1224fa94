// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {OpenToken} from "./OpenToken.sol";

/// Makes one call of the attacker's choice in the middle of a transfer.
contract HookToken is OpenToken {
    address private target;
    bytes private data;
    bytes public revertData; // what the call reverted with; empty where it didn't

    function setHook(address target_, bytes calldata data_) external {
        target = target_;
        data = data_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target == address(0)) return;
        address called = target;
        target = address(0);
        (bool done, bytes memory result) = called.call(data);
        if (!done) revertData = result;
    }
}
