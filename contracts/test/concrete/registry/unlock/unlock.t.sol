// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Errors} from "../../../../src/libraries/Errors.sol";
import {Base} from "../../../utils/Base.t.sol";

contract UnlockTest is Base {
    function setUp() public override {
        super.setUp();
        vm.prank(address(market));
        registry.lock(provider.addr, address(token), 100);
    }

    function test_RevertWhen_NotLockedByCaller() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_LockShort.selector, provider.addr, token, 100, 101));
        vm.prank(address(market));
        registry.unlock(provider.addr, address(token), 101);

        // a market of the provider's own making reaches only what the provider put in for it
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_LockShort.selector, provider.addr, token, 0, 1));
        vm.prank(stranger.addr);
        registry.unlock(provider.addr, address(token), 1);
    }

    function test_Unlock() external {
        vm.prank(address(market));
        registry.unlock(provider.addr, address(token), 40);
        assertEq(locked(provider.addr), 60);
        assertEq(deposited(provider.addr), DEPOSIT);
    }
}
