// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {IRegistry} from "../../src/interfaces/IRegistry.sol";
import {ITestToken} from "../../src/test-token/ITestToken.sol";
import {Deposit} from "../../src/types/Records.sol";
import {Bare} from "../utils/Bare.sol";
import {Handler} from "./handlers/Handler.sol";
import {OrderStore} from "./stores/OrderStore.sol";

/// The numbers are those of README.md.
contract InvariantsTest is Bare {
    Handler private handler;
    OrderStore private orders;
    ITestToken private token;
    IRegistry private registry;
    IMarket private market;

    uint256 private supply;
    uint256 private bystanderWealth;

    function setUp() external {
        handler = new Handler();
        handler.setUp();
        orders = handler.orders();
        (address token_, address registry_, address market_) = handler.environment();
        (token, registry, market) = (ITestToken(token_), IRegistry(registry_), IMarket(market_));
        supply = token.totalSupply();
        bystanderWealth = handler.wealth(handler.bystander());

        bytes4[] memory selectors = new bytes4[](14);
        selectors[0] = Handler.create.selector;
        selectors[1] = Handler.attestOrder.selector;
        selectors[2] = Handler.settleOrder.selector;
        selectors[3] = Handler.cancelOrder.selector;
        selectors[4] = Handler.claimPart.selector;
        selectors[5] = Handler.closeOrder.selector;
        selectors[6] = Handler.passTime.selector;
        selectors[7] = Handler.withdraw.selector;
        selectors[8] = Handler.moveDeposit.selector;
        selectors[9] = Handler.refill.selector;
        selectors[10] = Handler.replaceAction.selector;
        selectors[11] = Handler.trespass.selector;
        selectors[12] = Handler.setDataEnabled.selector;
        selectors[13] = Handler.acquitSession.selector;
        targetSelector(FuzzSelector(address(handler), selectors));
        targetContract(address(handler));
    }

    function invariant_Books() external view {
        uint256 escrow;
        uint256 locked;
        uint256 counted;
        for (uint256 i = 0; i < orders.count(); ++i) {
            OrderStore.Entry memory entry = orders.entryAt(i);
            checkOrder(entry);
            bool limited = entry.exposure != 0;
            if (!entry.settled && !entry.ended) escrow += entry.deposit;
            locked += entry.lock;
            if (limited && (!entry.ended || entry.keepsCount)) ++counted;
        }
        checkMoney(escrow, locked);
        assertEq(market.offer(handler.dataOffer()).orders, counted, "6: count of the limited offer");
        assertLe(counted, handler.MAX_ORDERS(), "6: limit");
    }

    function afterInvariant() external {
        handler.endAll();
        for (uint256 i = 0; i < orders.count(); ++i) {
            checkOrder(orders.entryAt(i));
        }
        checkMoney(0, 0);
        assertEq(token.balanceOf(address(market)), 0, "9: the market is left empty");
    }

    function checkOrder(OrderStore.Entry memory entry) private view {
        assertLe(entry.paid + entry.refunded, entry.deposit, "3: paid and refunded");
        assertLe(entry.fromLock, entry.exposure, "3: paid from lock");
        if (entry.settled || entry.ended) assertEq(entry.paid + entry.refunded, entry.deposit, "3: ended");
        if (!entry.ended) return;
        assertEq(keccak256(abi.encode(market.order(entry.id))), entry.final_, "5: ended order changed");
    }

    function checkMoney(uint256 escrow, uint256 locked) private view {
        uint256 balances;
        uint256 deposits;
        uint256 wealth;
        for (uint256 i = 0; i < handler.partyCount(); ++i) {
            address party = handler.parties(i);
            balances += market.balanceOf(party, address(token));
            deposits += registry.depositOf(party, address(market), address(token)).total;
            wealth += handler.wealth(party);
        }
        assertEq(token.balanceOf(address(market)), escrow + balances, "1: market's holdings");
        assertEq(token.balanceOf(address(registry)), deposits, "2: registry's holdings");
        Deposit memory held = registry.depositOf(handler.providerAddress(), address(market), address(token));
        assertEq(held.locked, locked, "4: locked");
        assertLe(held.locked, held.total, "4: locked within deposit");
        assertEq(handler.wealth(handler.bystander()), bystanderWealth, "7: bystander");
        assertEq(wealth + escrow, supply, "8: supply");
    }
}
