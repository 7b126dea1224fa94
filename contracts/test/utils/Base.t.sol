// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {IRegistry} from "../../src/interfaces/IRegistry.sol";
import {ITestToken} from "../../src/test-token/ITestToken.sol";
import {
    Acceptance,
    Attestation,
    Compute,
    EvidenceKind,
    KeyRequest,
    OfferId,
    OrderId,
    Outcome,
    Part,
    PartKind,
    PriceType,
    Receipt,
    Terms
} from "../../src/types/Types.sol";
import {Bare} from "./Bare.sol";
import {Signing} from "./Signing.sol";

/// A market with one of each party, and an order between them that succeeds unless a test spoils it.
abstract contract Base is Bare, Signing {
    uint128 internal constant MINIMUM_DEPOSIT = 100 ether;
    uint128 internal constant DEPOSIT = 1000 ether;

    uint128 internal constant BASE_FEE = 0.5 ether;
    uint128 internal constant PRICE_PER_HOUR = 36 ether; // 0.01 per second
    uint128 internal constant SOLUTION_PRICE = 5 ether;
    uint128 internal constant DATA_PRICE = 7 ether;
    uint128 internal constant STORAGE_PRICE_PER_HOUR = 3.6 ether; // 0.001 per second
    uint128 internal constant EXPOSURE = SOLUTION_PRICE + DATA_PRICE;

    uint32 internal constant ORDERED = 1000;
    uint32 internal constant WORK_BY = 600;
    uint32 internal constant SETTLE_BY = 2000;
    uint32 internal constant SETTLE_WINDOW = 300;
    uint32 internal constant CLAIM_WINDOW = 400;

    uint256 internal constant ARGUMENTS = 0;
    uint256 internal constant SOLUTION = 1;
    uint256 internal constant DATA = 2;
    uint256 internal constant STORAGE = 3;
    uint32 internal constant ALL_OPENED = 15;

    bytes32 internal constant CHIP = keccak256("chip");

    ITestToken internal token;
    IRegistry internal registry;
    IMarket internal market;

    Account internal customer = makeAccount("customer");
    Account internal provider = makeAccount("provider");
    Account internal action = makeAccount("action");
    Account internal attestor = makeAccount("attestor");
    Account internal session = makeAccount("session");
    Account internal stranger = makeAccount("stranger");
    address internal receiver = makeAddr("receiver");
    address internal solutionOwner = makeAddr("solution owner");
    address internal dataOwner = makeAddr("data owner");
    address internal storageOwner = makeAddr("storage owner");
    address internal broker = makeAddr("broker");
    address internal store = makeAddr("store");

    function setUp() public virtual {
        vm.warp(1_750_000_000);
        token = ITestToken(vm.deployCode("TestToken.sol:TestToken"));
        registry = IRegistry(vm.deployCode("Registry.sol:Registry", abi.encode(token, MINIMUM_DEPOSIT)));
        market = IMarket(vm.deployCode("Market.sol:Market", abi.encode(registry)));

        enroll(provider.addr, action.addr, receiver);
        enroll(solutionOwner, solutionOwner, solutionOwner);
        enroll(dataOwner, dataOwner, dataOwner);
        enroll(storageOwner, storageOwner, storageOwner);
        fund(customer.addr);
        offerAll(defaultTerms());
    }

    // Parties

    /// Makes the account an active provider of the market.
    function enroll(address authority, address action_, address receiver_) internal {
        token.mint(authority, DEPOSIT);
        vm.startPrank(authority);
        token.approve(address(registry), type(uint256).max);
        registry.register(action_, receiver_);
        registry.deposit(address(market), address(token), DEPOSIT);
        vm.stopPrank();
    }

    function fund(address account) internal {
        token.mint(account, 10_000 ether);
        vm.prank(account);
        token.approve(address(market), type(uint256).max);
    }

    function offerAll(Terms memory terms) internal {
        offerCompute(terms.choices[0]);
        for (uint256 i = SOLUTION; i < terms.parts.length; ++i) {
            offerPart(terms.parts[i]);
        }
    }

    function offerCompute(Compute memory compute) internal returns (OfferId) {
        vm.prank(compute.provider);
        return market.offerCompute(compute);
    }

    function offerPart(Part memory part) internal returns (OfferId) {
        vm.prank(part.owner);
        return market.offerPart(part);
    }

    // Values

    function defaultTerms() internal view returns (Terms memory terms) {
        terms.replicas = 1;
        terms.quorum = 1;
        terms.orderedSeconds = ORDERED;
        terms.workBy = WORK_BY;
        terms.settleBy = SETTLE_BY;
        terms.settleWindow = SETTLE_WINDOW;
        terms.claimWindow = CLAIM_WINDOW;
        terms.cpuMilli = 1000;
        terms.memoryMiB = 512;
        terms.diskMiB = 256;
        terms.pids = 64;
        terms.customer = customer.addr;
        terms.token = address(token);
        terms.attestor = attestor.addr;
        terms.resultKey = keccak256("result key");
        terms.salt = keccak256("salt");
        terms.choices = new Compute[](1);
        terms.choices[0] = defaultCompute();
        terms.parts = new Part[](4);
        terms.parts[ARGUMENTS] = ownUpload(PartKind.Arguments);
        terms.parts[SOLUTION] = defaultPart(PartKind.Solution, SOLUTION_PRICE, solutionOwner);
        terms.parts[DATA] = defaultPart(PartKind.Data, DATA_PRICE, dataOwner);
        terms.parts[STORAGE] = defaultPart(PartKind.Storage, STORAGE_PRICE_PER_HOUR, storageOwner);
    }

    function defaultCompute() internal view returns (Compute memory compute) {
        compute.kind = EvidenceKind.Dev;
        compute.minSeconds = 1;
        compute.maxSeconds = 100_000;
        compute.minWorkBy = 60;
        compute.minSettleBy = 120;
        compute.minSettleWindow = 30;
        compute.minClaimWindow = 40;
        compute.cpuMilli = 2000;
        compute.memoryMiB = 1024;
        compute.diskMiB = 512;
        compute.pids = 128;
        compute.pricePerHour = PRICE_PER_HOUR;
        compute.baseFee = BASE_FEE;
        compute.maxExposure = 100 ether;
        compute.provider = provider.addr;
        compute.token = address(token);
        compute.attestors = new address[](1);
        compute.attestors[0] = attestor.addr;
        compute.chip = CHIP;
    }

    /// Storage is priced per hour, everything else is fixed.
    function defaultPart(PartKind kind, uint128 price, address owner) internal view returns (Part memory part) {
        bool isStorage = kind == PartKind.Storage;
        part.kind = kind;
        part.priceType = isStorage ? PriceType.PerHour : PriceType.Fixed;
        part.price = price;
        part.owner = owner;
        part.token = address(token);
        part.store = store;
        part.brokers = new address[](isStorage ? 0 : 1);
        if (!isStorage) {
            part.brokers[0] = broker;
            part.digest = keccak256(abi.encode(kind, price, owner));
        }
    }

    function ownUpload(PartKind kind) internal view returns (Part memory) {
        return defaultPart(kind, 0, customer.addr);
    }

    // Orders

    function create(Terms memory terms) internal returns (OrderId) {
        vm.prank(terms.customer);
        return market.create(terms, "");
    }

    /// Creates the default order and lets time pass until a session could be attested.
    function createDefault() internal returns (OrderId id) {
        id = create(defaultTerms());
        skip(10);
    }

    // Evidence

    function acceptanceBy(uint256 key, OrderId id, address session_) internal view returns (bytes memory) {
        return sign(key, digest(structHash(Acceptance(OrderId.unwrap(id), 0, 0, session_))));
    }

    /// An attestation of now for the default device and session.
    function attest(OrderId id) internal view returns (Attestation memory attestation) {
        return attest(id, session);
    }

    function attest(OrderId id, Account memory session_) internal view returns (Attestation memory attestation) {
        attestation.kind = EvidenceKind.Dev;
        attestation.vendor = 255;
        attestation.chip = CHIP;
        attestation.measurement = keccak256("measurement");
        attestation.order = OrderId.unwrap(id);
        attestation.session = session_.addr;
        attestation.time = uint40(block.timestamp);
        attestation.acceptance = acceptanceBy(action.key, id, session_.addr);
    }

    /// A receipt of success after 100 seconds.
    function receiptOf(OrderId id) internal pure returns (Receipt memory receipt) {
        receipt.order = OrderId.unwrap(id);
        receipt.outcome = Outcome.Success;
        receipt.started = true;
        receipt.opened = ALL_OPENED;
        receipt.durationMs = 100_000;
        receipt.result = keccak256("result");
        receipt.commitment = keccak256("commitment");
    }

    /// A receipt of a session that began nothing, for which its host is to blame.
    function idleReceiptOf(OrderId id) internal pure returns (Receipt memory receipt) {
        receipt.order = OrderId.unwrap(id);
        receipt.outcome = Outcome.Provider;
    }

    function requestOf(Attestation memory attestation, uint256 part) internal view returns (KeyRequest memory) {
        return KeyRequest(attestation.order, 0, 0, uint8(part), digest(structHash(attestation)));
    }

    function signed(Attestation memory attestation) internal view returns (bytes memory) {
        return sign(attestor.key, digest(structHash(attestation)));
    }

    function signed(Receipt memory receipt) internal view returns (bytes memory) {
        return signed(receipt, session);
    }

    function signed(Receipt memory receipt, Account memory session_) internal view returns (bytes memory) {
        return sign(session_.key, digest(structHash(receipt)));
    }

    function signed(KeyRequest memory request) internal view returns (bytes memory) {
        return sign(session.key, digest(structHash(request)));
    }

    function settle(Terms memory terms, Attestation memory attestation, Receipt memory receipt) internal {
        market.settle(terms, attestation, signed(attestation), receipt, signed(receipt));
    }

    /// Settles with what another session than the default one says: that it began nothing.
    function settleIdle(Terms memory terms) internal returns (Account memory idle) {
        idle = makeAccount("idle session");
        OrderId id = market.orderId(terms);
        Attestation memory attestation = attest(id, idle);
        Receipt memory receipt = idleReceiptOf(id);
        market.settle(terms, attestation, signed(attestation), receipt, signed(receipt, idle));
    }

    /// Tells the market what a session says: that it began nothing.
    function acquit(Terms memory terms, Receipt memory receipt, bytes memory signature) internal {
        Receipt[] memory receipts = new Receipt[](1);
        receipts[0] = receipt;
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = signature;
        market.acquit(terms, receipts, signatures);
    }

    /// From a settlement that left owners unpaid into the time in which they can claim.
    function skipAcquitting() internal {
        skip(SETTLE_WINDOW + 1);
    }

    function claim(Terms memory terms, Attestation memory attestation, KeyRequest memory request) internal {
        market.claim(terms, attestation, signed(attestation), request, signed(request));
    }

    function digest(bytes32 hash) internal view returns (bytes32) {
        return typedDigest(domainSeparator(block.chainid, address(market)), hash);
    }

    // Money

    function balance(address account) internal view returns (uint256) {
        return market.balanceOf(account, address(token));
    }

    function locked(address account) internal view returns (uint256) {
        return registry.depositOf(account, address(market), address(token)).locked;
    }

    function deposited(address account) internal view returns (uint256) {
        return registry.depositOf(account, address(market), address(token)).total;
    }
}
