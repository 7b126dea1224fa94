// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Attestation, KeyRequest, OrderId, Receipt, Terms} from "../../src/types/Types.sol";
import {Permit} from "../../src/types/Records.sol";
import {Base} from "../utils/Base.t.sol";

/// What transactions cost as gasUsed of their receipts: each call runs as a transaction of its own, with the base cost
/// and the calldata (EIP-7623's floor included). An order has arguments, solution, data and storage; all descriptions
/// are set, so that no word of calldata is zero that wouldn't be in earnest.
/// forge-config: default.isolate = true
/// forge-config: long.isolate = true
contract GasTest is Base {
    function setUp() public override {
        super.setUp();
        offerAll(described("first"));
    }

    /// The first deal fills slots and balances; the second is the steady state.
    function test_Deal() external {
        Terms memory first = described("first");
        settleMeasured(first, createMeasured(first, "create, first"), "settle, first");
        Terms memory second = described("second");
        settleMeasured(second, createMeasured(second, "create"), "settle");

        market.withdraw(address(token), provider.addr);
        vm.snapshotGasLastCall("Market", "withdraw, first");
    }

    function test_DealWithPermit() external {
        Terms memory terms = described("permit");
        Permit memory used = Permit(market.required(terms), block.timestamp, 27, "r", "s");
        vm.prank(customer.addr);
        market.createWithPermit(terms, "", used);
        vm.snapshotGasLastCall("Market", "createWithPermit, permit used already");
    }

    function test_SilentProvider() external {
        Terms memory terms = described("silent");
        OrderId id = create(terms);
        Attestation memory attestation = attest(id);
        vm.prank(customer.addr);
        market.cancel(terms);
        vm.snapshotGasLastCall("Market", "cancel");
        attestation.time -= 1;
        skip(SETTLE_WINDOW + CLAIM_WINDOW + 1);
        market.close(terms);
        vm.snapshotGasLastCall("Market", "close");
    }

    function test_Claim() external {
        Terms memory terms = described("claim");
        OrderId id = create(terms);
        Attestation memory attestation = attest(id);
        skip(SETTLE_BY + SETTLE_WINDOW + 1);
        KeyRequest memory request = requestOf(attestation, DATA);
        claim(terms, attestation, request);
        vm.snapshotGasLastCall("Market", "claim");
    }

    function test_Acquit() external {
        Terms memory terms = described("acquit");
        OrderId id = create(terms);
        for (uint256 count = 1; count <= 8; count += 7) {
            Receipt[] memory receipts = new Receipt[](count);
            bytes[] memory signatures = new bytes[](count);
            for (uint256 i = 0; i < count; ++i) {
                receipts[i] = idleReceiptOf(id);
                signatures[i] = signed(receipts[i], makeAccount(string.concat("idle ", vm.toString(count * 8 + i))));
            }
            market.acquit(terms, receipts, signatures);
            vm.snapshotGasLastCall("Market", string.concat("acquit ", vm.toString(count)));
        }
    }

    function test_Size() external {
        vm.snapshotValue("Market", "bytes of code", address(market).code.length);
        vm.snapshotValue("Registry", "bytes of code", address(registry).code.length);
        assertLe(address(market).code.length, 24_576);
    }

    function createMeasured(Terms memory terms, string memory name) private returns (OrderId id) {
        vm.prank(customer.addr);
        id = market.create(terms, "");
        vm.snapshotGasLastCall("Market", name);
    }

    function settleMeasured(Terms memory terms, OrderId id, string memory name) private {
        Attestation memory attestation = attest(id);
        skip(120);
        Receipt memory receipt = receiptOf(id);
        bytes memory attestationSignature = signed(attestation);
        bytes memory receiptSignature = signed(receipt);
        vm.prank(action.addr);
        market.settle(terms, attestation, attestationSignature, receipt, receiptSignature);
        vm.snapshotGasLastCall("Market", name);
    }

    function described(string memory salt) private view returns (Terms memory terms) {
        terms = defaultTerms();
        terms.salt = keccak256(bytes(salt));
        terms.choices[0].info = keccak256("compute");
        for (uint256 i = SOLUTION; i < 4; ++i) {
            terms.parts[i].info = keccak256(abi.encode(i));
        }
    }
}
