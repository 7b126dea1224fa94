// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Deposit, Phase, Status} from "../../../src/types/Records.sol";
import {
    Attestation,
    KeyRequest,
    OfferId,
    OrderId,
    Outcome,
    PartKind,
    Receipt,
    Terms
} from "../../../src/types/Types.sol";
import {Base} from "../../utils/Base.t.sol";
import {OrderStore} from "../stores/OrderStore.sol";

/// Acts for all parties. Every action either does what is allowed now, or nothing.
contract Handler is Base {
    uint32 public constant MAX_ORDERS = 4; // of the data offer

    OrderStore public orders;
    address[] public parties;
    address public bystander = makeAddr("bystander");
    OfferId public dataOffer;

    Account private actionNow; // the provider's action account
    uint256 private salts;

    function setUp() public override {
        super.setUp();
        orders = new OrderStore();
        actionNow = action;
        enroll(bystander, bystander, bystander);
        Terms memory terms = limitedTerms();
        dataOffer = offerPart(terms.parts[DATA]);
        parties = [customer.addr, provider.addr, solutionOwner, dataOwner, storageOwner, bystander];
    }

    /// Nobody but the payer has less after the action.
    modifier paidBy(address payer) {
        uint256[] memory before = wealths();
        _;
        uint256[] memory after_ = wealths();
        for (uint256 i = 0; i < parties.length; ++i) {
            if (parties[i] != payer) assertGe(after_[i], before[i], "7: someone lost who doesn't pay");
        }
    }

    // Orders

    function create(uint32 ordered, bool ownParts) external paidBy(customer.addr) {
        Terms memory terms = ownParts ? ownTerms() : limitedTerms();
        terms.orderedSeconds = uint32(bound(ordered, 1, SETTLE_BY - WORK_BY));
        terms.salt = bytes32(++salts);
        uint256 exposure = ownParts ? 0 : EXPOSURE;
        if (!canCreate(terms, exposure)) return;

        uint256 price = market.required(terms);
        OrderId id = create(terms);
        orders.add(id, abi.encode(terms), price, exposure);
    }

    function attestOrder(uint256 seed) public paidBy(address(0)) {
        (uint256 index, Terms memory terms, OrderId id) = pick(seed);
        if (terms.customer == address(0) || market.phase(terms) != Phase.Working) return;
        if (block.timestamp > market.order(id).createdAt + terms.workBy) return;

        Attestation memory attestation = attest(id);
        attestation.acceptance = acceptanceBy(actionNow.key, id, session.addr);
        orders.attest(index, abi.encode(attestation));
    }

    function settleOrder(uint256 seed, uint8 outcome, bool started, uint8 opened, uint64 durationMs, bool byOther)
        external
        paidBy(provider.addr)
    {
        (uint256 index, Terms memory terms, OrderId id) = pick(seed);
        if (!isAttested(index)) attestOrder(seed);
        if (!isAttested(index) || !canSettle(terms)) return;
        Attestation memory attestation = attestationOf(index);
        Account memory by = session;
        if (byOther) (attestation, by) = otherSession(id, attestation);
        Receipt memory receipt = receiptOf(id);
        receipt.outcome = Outcome(outcome % 5);
        receipt.started = receipt.outcome != Outcome.Input && (receipt.outcome != Outcome.Provider || started);
        receipt.opened = receipt.outcome == Outcome.Success ? ALL_OPENED : opened % 16;
        receipt.durationMs = durationMs % 2_000_000;
        if (!isBeforeCancel(id, attestation)) return;
        if (receipt.outcome == Outcome.Cancelled && market.order(id).cancelledAt == 0) return;

        uint256 held = escrowed(terms);
        uint256 refund = balance(customer.addr);
        uint256 deposit = deposited(provider.addr);
        market.settle(terms, attestation, signed(attestation), receipt, signed(receipt, by));
        refund = balance(customer.addr) - refund;
        uint256 fromLock = deposit - deposited(provider.addr);
        orders.pay(index, held - refund, refund, fromLock);
        if (earns(receipt, DATA)) orders.keepCount(index);
        keepLock(index, id, terms, receipt);
    }

    function acquitSession(uint256 seed, bool byOther) external paidBy(address(0)) {
        (, Terms memory terms, OrderId id) = pick(seed);
        if (seed % 4 != 0 || terms.customer == address(0)) return;
        Status status = market.order(id).status;
        if (status != Status.Open && status != Status.Refunded) return;
        acquit(terms, idleReceiptOf(id), signed(idleReceiptOf(id), byOther ? stranger : session));
    }

    function cancelOrder(uint256 seed) external paidBy(address(0)) {
        (, Terms memory terms,) = pick(seed);
        if (terms.customer == address(0) || market.phase(terms) != Phase.Working) return;
        vm.prank(customer.addr);
        market.cancel(terms);
    }

    function claimPart(uint256 seed, uint256 part) external paidBy(provider.addr) {
        (uint256 index, Terms memory terms, OrderId id) = pick(seed);
        if (!isAttested(index)) return;
        skipToClaims(terms, id);
        if (market.phase(terms) != Phase.Claiming) return;
        Attestation memory attestation = attestationOf(index);
        part = bound(part, SOLUTION, DATA);
        bool isPaid = (market.order(id).ended >> part) & 1 == 1;
        if (terms.parts[part].price == 0 || isPaid || !isBeforeCancel(id, attestation)) return;
        if (market.isAcquitted(id, session.addr)) return;

        claim(terms, attestation, requestOf(attestation, part));
        orders.pay(index, 0, 0, terms.parts[part].price);
        orders.unlock(index, terms.parts[part].price);
        if (part == DATA) orders.keepCount(index);
    }

    function closeOrder(uint256 seed) external paidBy(address(0)) {
        (uint256 index, Terms memory terms, OrderId id) = pick(seed);
        if (terms.customer == address(0) || market.phase(terms) != Phase.Closable) return;
        close(index, terms, id);
    }

    function passTime(uint16 time) external paidBy(address(0)) {
        skip(time % 500);
    }

    // Money and accounts

    function withdraw(uint256 seed) external paidBy(address(0)) {
        market.withdraw(address(token), parties[seed % parties.length]);
    }

    function moveDeposit(uint128 amount, bool out) external paidBy(address(0)) {
        Deposit memory held = registry.depositOf(provider.addr, address(market), address(token));
        uint256 limit = out ? held.total - held.locked : token.balanceOf(provider.addr);
        amount = uint128(bound(amount, 0, limit));
        vm.prank(provider.addr);
        if (out) registry.withdraw(address(market), address(token), amount);
        else registry.deposit(address(market), address(token), amount);
    }

    /// The receiver hands the money on, so that the provider can deposit again.
    function refill() external paidBy(address(0)) {
        uint256 amount = token.balanceOf(receiver);
        vm.prank(receiver);
        assertTrue(token.transfer(provider.addr, amount));
    }

    function replaceAction(uint256 seed) external paidBy(address(0)) {
        actionNow = makeAccount(string.concat("action ", vm.toString(seed)));
        vm.prank(provider.addr);
        registry.setAction(actionNow.addr);
    }

    function setDataEnabled(bool enabled) external paidBy(address(0)) {
        vm.prank(dataOwner);
        market.setEnabled(dataOffer, enabled);
    }

    /// 10: what nobody may do.
    function trespass(uint256 seed) external paidBy(address(0)) {
        (uint256 index, Terms memory terms,) = pick(seed);
        vm.startPrank(stranger.addr);
        expectRefused(address(registry), abi.encodeCall(registry.unlock, (provider.addr, address(token), 1)));
        expectRefused(address(registry), abi.encodeCall(registry.pay, (provider.addr, address(token), 1)));
        expectRefused(address(registry), abi.encodeCall(registry.lock, (provider.addr, address(token), 1)));
        expectRefused(address(registry), abi.encodeCall(registry.withdraw, (address(market), address(token), 1)));
        if (terms.customer != address(0)) {
            expectRefused(address(market), abi.encodeCall(market.cancel, (terms)));
            if (market.phase(terms) != Phase.Closable) {
                expectRefused(address(market), abi.encodeCall(market.close, (terms)));
            }
            if (isAttested(index)) trespassOn(terms, attestationOf(index));
        }
        vm.stopPrank();
    }

    // For the end of a run

    /// A stranger ends whatever is open, long after.
    function endAll() external {
        skip(SETTLE_BY + SETTLE_WINDOW + CLAIM_WINDOW + 1);
        for (uint256 i = 0; i < orders.count(); ++i) {
            OrderStore.Entry memory entry = orders.entryAt(i);
            if (!entry.ended) close(i, abi.decode(entry.terms, (Terms)), entry.id);
        }
        for (uint256 i = 0; i < parties.length; ++i) {
            market.withdraw(address(token), parties[i]);
        }
    }

    // Views

    function partyCount() external view returns (uint256) {
        return parties.length;
    }

    function wealth(address party) public view returns (uint256 amount) {
        amount = token.balanceOf(party) + balance(party) + deposited(party);
        if (party == provider.addr) amount += token.balanceOf(receiver);
    }

    function environment() external view returns (address, address, address) {
        return (address(token), address(registry), address(market));
    }

    function providerAddress() external view returns (address) {
        return provider.addr;
    }

    // Internal

    function limitedTerms() private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.parts[DATA].maxOrders = MAX_ORDERS;
    }

    function ownTerms() private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.parts[SOLUTION] = ownUpload(PartKind.Solution);
        terms.parts[DATA] = ownUpload(PartKind.Data);
    }

    function canCreate(Terms memory terms, uint256 exposure) private view returns (bool) {
        Deposit memory held = registry.depositOf(provider.addr, address(market), address(token));
        bool enabled = exposure == 0 || (market.offer(dataOffer).enabled && market.offer(dataOffer).orders < MAX_ORDERS);
        return enabled && held.total >= MINIMUM_DEPOSIT && held.total - held.locked >= exposure
            && token.balanceOf(customer.addr) >= market.required(terms);
    }

    function canSettle(Terms memory terms) private view returns (bool) {
        Phase phase = market.phase(terms);
        return phase == Phase.Working || phase == Phase.Settling;
    }

    function isBeforeCancel(OrderId id, Attestation memory attestation) private view returns (bool) {
        uint256 cancelledAt = market.order(id).cancelledAt;
        return cancelledAt == 0 || attestation.time < cancelledAt;
    }

    /// The provider has fallen silent.
    function skipToClaims(Terms memory terms, OrderId id) private {
        if (market.phase(terms) == Phase.Acquitting) skipAcquitting();
        if (!canSettle(terms)) return;
        uint256 cancelledAt = market.order(id).cancelledAt;
        uint256 over = cancelledAt != 0 ? cancelledAt : market.order(id).createdAt + terms.settleBy;
        vm.warp(over + terms.settleWindow + 1);
    }

    function escrowed(Terms memory terms) private view returns (uint256) {
        return market.order(market.orderId(terms)).deposit;
    }

    /// A session of the provider that was attested when the remembered one was.
    function otherSession(OrderId id, Attestation memory attestation)
        private
        returns (Attestation memory other, Account memory by)
    {
        by = makeAccount("other session");
        other = attest(id, by);
        other.time = attestation.time;
        other.acceptance = acceptanceBy(actionNow.key, id, by.addr);
    }

    function earns(Receipt memory receipt, uint256 part) private pure returns (bool) {
        return receipt.started && (receipt.opened >> part) & 1 == 1;
    }

    /// What owners of solution and data could still claim.
    function keepLock(uint256 index, OrderId id, Terms memory terms, Receipt memory receipt) private {
        uint256 lock;
        for (uint256 i = SOLUTION; i <= DATA; ++i) {
            if (!earns(receipt, i)) lock += terms.parts[i].price;
        }
        orders.settle(index, lock);
        assertTrue((market.order(id).status == Status.Refunded) == (lock != 0), "4: status");
        if (lock == 0) end(index, id);
    }

    function close(uint256 index, Terms memory terms, OrderId id) private {
        uint256 refund = balance(customer.addr);
        vm.prank(stranger.addr);
        market.close(terms);
        orders.pay(index, 0, balance(customer.addr) - refund, 0);
        end(index, id);
    }

    function end(uint256 index, OrderId id) private {
        orders.end(index, keccak256(abi.encode(market.order(id))));
    }

    function trespassOn(Terms memory terms, Attestation memory attestation) private {
        KeyRequest memory request = requestOf(attestation, DATA);
        bytes memory forged = sign(stranger.key, digest(structHash(request)));
        expectRefused(
            address(market), abi.encodeCall(market.claim, (terms, attestation, signed(attestation), request, forged))
        );
        if (market.isAcquitted(OrderId.wrap(attestation.order), session.addr)) {
            expectRefused(
                address(market),
                abi.encodeCall(market.claim, (terms, attestation, signed(attestation), request, signed(request)))
            );
        }
        if (canSettle(terms)) return;
        Receipt memory receipt = receiptOf(OrderId.wrap(attestation.order));
        expectRefused(
            address(market),
            abi.encodeCall(market.settle, (terms, attestation, signed(attestation), receipt, signed(receipt)))
        );
    }

    function expectRefused(address target, bytes memory data) private {
        (bool done,) = target.call(data);
        assertFalse(done, "10: a trespass succeeded");
    }

    /// One of the newest orders. Terms are empty where there is none yet.
    function pick(uint256 seed) private view returns (uint256 index, Terms memory terms, OrderId id) {
        uint256 count = orders.count();
        if (count == 0) return (0, terms, id);
        index = count - 1 - seed % (count < 4 ? count : 4);
        OrderStore.Entry memory entry = orders.entryAt(index);
        return (index, abi.decode(entry.terms, (Terms)), entry.id);
    }

    function isAttested(uint256 index) private view returns (bool) {
        return index < orders.count() && orders.entryAt(index).attestation.length != 0;
    }

    function attestationOf(uint256 index) private view returns (Attestation memory) {
        return abi.decode(orders.entryAt(index).attestation, (Attestation));
    }

    function wealths() private view returns (uint256[] memory amounts) {
        amounts = new uint256[](parties.length);
        for (uint256 i = 0; i < amounts.length; ++i) {
            amounts[i] = wealth(parties[i]);
        }
    }
}
