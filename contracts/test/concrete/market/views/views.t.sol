// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

import {Errors} from "../../../../src/libraries/Errors.sol";
import {Phase} from "../../../../src/types/Records.sol";
import {Terms} from "../../../../src/types/Types.sol";
import {Base} from "../../../utils/Base.t.sol";

contract ViewsTest is Base {
    function test_Registry() external view {
        assertEq(address(market.registry()), address(registry));
        assertEq(registry.securityToken(), address(token));
        assertEq(registry.minimumDeposit(), MINIMUM_DEPOSIT);
    }

    function test_Eip712Domain() external view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address verifying, bytes32 salt,) =
            IERC5267(address(market)).eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Super Protocol");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifying, address(market));
        assertEq(salt, 0);
    }

    function test_Phase() external {
        Terms memory terms = defaultTerms();
        assertTrue(market.phase(terms) == Phase.None);
        create(terms);
        assertTrue(market.phase(terms) == Phase.Working);
        skip(SETTLE_BY + 1);
        assertTrue(market.phase(terms) == Phase.Settling);
        skip(SETTLE_WINDOW);
        assertTrue(market.phase(terms) == Phase.Claiming);
        skip(CLAIM_WINDOW);
        assertTrue(market.phase(terms) == Phase.Closable);
        market.close(terms);
        assertTrue(market.phase(terms) == Phase.Closed);
    }

    function test_TestToken() external {
        uint256 max = token.FAUCET_MAX();
        vm.startPrank(stranger.addr);
        token.faucet(max);
        assertEq(token.balanceOf(stranger.addr), max);
        vm.expectRevert(abi.encodeWithSelector(Errors.TestToken_TooMuch.selector, max + 1, max));
        token.faucet(max + 1);
        assertEq(IERC20Metadata(address(token)).decimals(), 18);
        assertEq(token.nonces(stranger.addr), 0);
    }
}
