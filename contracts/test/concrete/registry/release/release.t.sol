// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRegistry} from "../../../../src/interfaces/IRegistry.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Base} from "../../../utils/Base.t.sol";

contract ReleaseTest is Base {
    function setUp() public override {
        super.setUp();
        vm.prank(address(market));
        registry.lock(provider.addr, address(token), 100);
    }

    function test_RevertWhen_NotLockedByCaller() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_LockShort.selector, provider.addr, token, 100, 101));
        vm.prank(address(market));
        registry.release(provider.addr, address(token), 101, 0);

        // a market of the provider's own making reaches only what the provider put in for it
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_LockShort.selector, provider.addr, token, 0, 1));
        vm.prank(stranger.addr);
        registry.release(provider.addr, address(token), 1, 0);
    }

    function test_RevertWhen_PaidAboveReleased() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_PaidAboveReleased.selector, 51, 50));
        vm.prank(address(market));
        registry.release(provider.addr, address(token), 50, 51);
    }

    function test_WhenNothingIsPaid() external {
        vm.prank(address(market));
        registry.release(provider.addr, address(token), 40, 0);
        assertEq(locked(provider.addr), 60);
        assertEq(deposited(provider.addr), DEPOSIT);
    }

    function test_WhenSomeIsPaid() external {
        vm.expectEmit(address(registry));
        emit IRegistry.PaidFromLock(provider.addr, address(market), address(token), 30);
        vm.prank(address(market));
        registry.release(provider.addr, address(token), 40, 30);
        assertEq(locked(provider.addr), 60);
        assertEq(deposited(provider.addr), DEPOSIT - 30);
        assertEq(token.balanceOf(address(market)), 30);
    }
}
