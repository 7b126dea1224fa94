// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRegistry} from "../../../../src/interfaces/IRegistry.sol";
import {Errors} from "../../../../src/libraries/Errors.sol";
import {Provider} from "../../../../src/types/Records.sol";
import {Base} from "../../../utils/Base.t.sol";

contract AccountsTest is Base {
    address internal fresh = makeAddr("fresh");

    function test_Register_RevertWhen_Registered() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_AlreadyRegistered.selector, provider.addr));
        vm.prank(provider.addr);
        registry.register(action.addr, receiver);
    }

    function test_Register_RevertWhen_ZeroAccount() external {
        vm.startPrank(fresh);
        vm.expectRevert(Errors.Registry_ZeroAccount.selector);
        registry.register(address(0), receiver);
        vm.expectRevert(Errors.Registry_ZeroAccount.selector);
        registry.register(action.addr, address(0));
    }

    function test_Register() external {
        assertFalse(registry.isActive(fresh, address(market)));
        assertEq(registry.receiverOf(fresh), fresh);

        vm.expectEmit(address(registry));
        emit IRegistry.ProviderRegistered(fresh, action.addr, receiver);
        vm.prank(fresh);
        registry.register(action.addr, receiver);

        Provider memory stored = registry.providerOf(fresh);
        assertEq(stored.action, action.addr);
        assertEq(stored.receiver, receiver);
        assertEq(stored.pendingReceiver, address(0));
        assertEq(registry.receiverOf(fresh), receiver);
        assertTrue(registry.isAction(fresh, action.addr, block.timestamp));
    }

    function test_SetAction_RevertWhen_NotRegistered() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotRegistered.selector, fresh));
        vm.prank(fresh);
        registry.setAction(action.addr);
    }

    function test_SetAction_RevertWhen_ZeroAccount() external {
        vm.expectRevert(Errors.Registry_ZeroAccount.selector);
        vm.prank(provider.addr);
        registry.setAction(address(0));
    }

    function test_SetAction() external {
        vm.expectEmit(address(registry));
        emit IRegistry.ActionChanged(provider.addr, fresh);
        vm.prank(provider.addr);
        registry.setAction(fresh);

        uint256 replacedAt = block.timestamp;
        skip(1000);
        assertEq(registry.providerOf(provider.addr).action, fresh);
        assertTrue(registry.isAction(provider.addr, fresh, block.timestamp));
        assertTrue(registry.isAction(provider.addr, action.addr, replacedAt));
        assertFalse(registry.isAction(provider.addr, action.addr, replacedAt + 1));
        assertFalse(registry.isAction(provider.addr, stranger.addr, 0));
        assertFalse(registry.isAction(provider.addr, address(0), 0));
        assertFalse(registry.isAction(stranger.addr, address(0), 0));
    }

    function test_ProposeReceiver_RevertWhen_NotRegistered() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotRegistered.selector, fresh));
        vm.prank(fresh);
        registry.proposeReceiver(receiver);
    }

    function test_ProposeReceiver() external {
        vm.expectEmit(address(registry));
        emit IRegistry.ReceiverProposed(provider.addr, fresh);
        vm.prank(provider.addr);
        registry.proposeReceiver(fresh);

        assertEq(registry.receiverOf(provider.addr), receiver);
        assertEq(registry.providerOf(provider.addr).pendingReceiver, fresh);
    }

    function test_AcceptReceiver_RevertWhen_NotProposed() external {
        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotPendingReceiver.selector, stranger.addr, address(0)));
        vm.prank(stranger.addr);
        registry.acceptReceiver(provider.addr);
    }

    function test_AcceptReceiver_RevertWhen_TakenBack() external {
        vm.startPrank(provider.addr);
        registry.proposeReceiver(fresh);
        registry.proposeReceiver(address(0));
        vm.stopPrank();

        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotPendingReceiver.selector, fresh, address(0)));
        vm.prank(fresh);
        registry.acceptReceiver(provider.addr);
    }

    function test_AcceptReceiver() external {
        vm.prank(provider.addr);
        registry.proposeReceiver(fresh);

        vm.expectEmit(address(registry));
        emit IRegistry.ReceiverChanged(provider.addr, fresh);
        vm.prank(fresh);
        registry.acceptReceiver(provider.addr);
        assertEq(registry.receiverOf(provider.addr), fresh);

        vm.expectRevert(abi.encodeWithSelector(Errors.Registry_NotPendingReceiver.selector, fresh, address(0)));
        vm.prank(fresh);
        registry.acceptReceiver(provider.addr);
    }
}
