// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IMarket} from "../../../../src/interfaces/IMarket.sol";
import {OrderId} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract WithdrawTest is Base {
    function setUp() public override {
        super.setUp();
        OrderId id = createDefault();
        settle(defaultTerms(), attest(id), receiptOf(id)); // 0.5 to compute, 11 to the customer
    }

    function test_WhenThereIsNothing() external {
        assertEq(market.withdraw(address(token), stranger.addr), 0);
        assertEq(token.balanceOf(stranger.addr), 0);
    }

    function test_WhenAccountIsProvider() external {
        vm.expectEmit(address(market));
        emit IMarket.Withdrawn(provider.addr, address(token), receiver, BASE_FEE);
        vm.prank(stranger.addr);
        assertEq(market.withdraw(address(token), provider.addr), BASE_FEE);
        assertEq(token.balanceOf(receiver), BASE_FEE);
        assertEq(balance(provider.addr), 0);
        assertEq(market.withdraw(address(token), provider.addr), 0);
        assertEq(token.balanceOf(receiver), BASE_FEE);
    }

    function test_WhenAccountIsNoProvider() external {
        uint256 before = token.balanceOf(customer.addr);
        assertEq(market.withdraw(address(token), customer.addr), 11 ether);
        assertEq(token.balanceOf(customer.addr), before + 11 ether);
    }

    function test_RevertWhen_TokenReturnsFalse() external {
        vm.mockCall(address(token), abi.encodeWithSelector(IERC20.transfer.selector), abi.encode(false));
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        market.withdraw(address(token), customer.addr);
        assertEq(balance(customer.addr), 11 ether);
    }
}
