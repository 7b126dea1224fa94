// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRegistry} from "../../../../src/interfaces/IRegistry.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Base} from "../../../utils/Base.t.sol";

contract PayTest is Base {
    function setUp() public override {
        super.setUp();
        vm.prank(address(market));
        registry.lock(provider.addr, address(token), 100);
    }

    function test_RevertWhen_NotLockedByCaller() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_LockShort.selector, provider.addr, token, 100, 101));
        vm.prank(address(market));
        registry.pay(provider.addr, address(token), 101);

        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_LockShort.selector, provider.addr, token, 0, 1));
        vm.prank(stranger.addr);
        registry.pay(provider.addr, address(token), 1);
    }

    function test_Pay() external {
        vm.expectEmit(address(registry));
        emit IRegistry.PaidFromLock(provider.addr, address(market), address(token), 30);
        vm.prank(address(market));
        registry.pay(provider.addr, address(token), 30);
        assertEq(locked(provider.addr), 70);
        assertEq(deposited(provider.addr), DEPOSIT - 30);
        assertEq(token.balanceOf(address(market)), 30);
    }
}
