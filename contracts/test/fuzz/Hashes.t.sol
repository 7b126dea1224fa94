// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {Compute, EvidenceKind, OfferId, OrderId, Part, PartKind, PriceType, Terms} from "../../src/types/Types.sol";
import {Base} from "../utils/Base.t.sol";
import {TypeStrings} from "../utils/TypeStrings.sol";

/// The market's hashing takes words out of calldata; forge's goes by the type strings.
contract HashesFuzzTest is Base {
    uint256 private seed;

    function testFuzz_OrderId(uint256 seed_) external {
        seed = seed_;
        Terms memory terms = anyTerms();
        assertEq(OrderId.unwrap(market.orderId(terms)), digest(structHash(terms)));
        for (uint256 i = 0; i < terms.parts.length; ++i) {
            bytes32 expected = vm.eip712HashStruct(TypeStrings.PART, abi.encode(terms.parts[i]));
            assertEq(OfferId.unwrap(market.partId(terms.parts[i])), expected);
        }
        for (uint256 i = 0; i < terms.choices.length; ++i) {
            bytes32 expected = vm.eip712HashStruct(TypeStrings.COMPUTE, abi.encode(terms.choices[i]));
            assertEq(OfferId.unwrap(market.computeId(terms.choices[i])), expected);
        }
    }

    /// Wherever a bit of create's calldata flips, no order comes of it that passes for the intended one, unless the bit
    /// had no meaning: an offset that leads to the same words elsewhere.
    function testFuzz_FlippedBitOfCreate(uint256 bit) external {
        Terms memory terms = defaultTerms();
        OrderId id = market.orderId(terms);
        bytes memory data = abi.encodeCall(market.create, (terms, ""));
        flip(data, bit);
        vm.prank(customer.addr);
        vm.recordLogs();
        (bool done, bytes memory result) = address(market).call(data);
        if (!done || abi.decode(result, (bytes32)) != OrderId.unwrap(id)) return;

        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs[0].topics[0], IMarket.OrderCreated.selector);
        (Terms memory created,) = abi.decode(logs[0].data, (Terms, bytes));
        assertEq(keccak256(abi.encode(created)), keccak256(abi.encode(terms)));
    }

    function flip(bytes memory data, uint256 bit) private pure {
        bit = bound(bit, 32, data.length * 8 - 1); // behind the selector
        data[bit / 8] = bytes1(uint8(data[bit / 8]) ^ uint8(1 << (bit % 8)));
    }

    function anyTerms() private returns (Terms memory terms) {
        terms.mode = uint8(next());
        terms.replicas = uint8(next());
        terms.quorum = uint8(next());
        terms.orderedSeconds = uint32(next());
        terms.workBy = uint32(next());
        terms.settleBy = uint32(next());
        terms.settleWindow = uint32(next());
        terms.claimWindow = uint32(next());
        terms.cpuMilli = uint32(next());
        terms.memoryMiB = uint32(next());
        terms.diskMiB = uint32(next());
        terms.pids = uint32(next());
        terms.customer = address(uint160(next()));
        terms.token = address(uint160(next()));
        terms.attestor = address(uint160(next()));
        terms.resultKey = bytes32(next());
        terms.salt = bytes32(next());
        terms.extensions = bytes32(next());
        terms.egress = new string[](next() % 3);
        for (uint256 i = 0; i < terms.egress.length; ++i) {
            terms.egress[i] = string.concat(vm.toString(next()), unicode"ü:443");
        }
        terms.options = new bytes32[](next() % 3);
        for (uint256 i = 0; i < terms.options.length; ++i) {
            terms.options[i] = bytes32(next());
        }
        terms.choices = new Compute[](next() % 4);
        for (uint256 i = 0; i < terms.choices.length; ++i) {
            terms.choices[i] = anyCompute();
        }
        terms.parts = new Part[](next() % 6);
        for (uint256 i = 0; i < terms.parts.length; ++i) {
            terms.parts[i] = anyPart();
        }
    }

    function anyCompute() private returns (Compute memory compute) {
        compute.kind = EvidenceKind(next() % 6);
        compute.minSeconds = uint32(next());
        compute.maxSeconds = uint32(next());
        compute.minWorkBy = uint32(next());
        compute.minSettleBy = uint32(next());
        compute.minSettleWindow = uint32(next());
        compute.minClaimWindow = uint32(next());
        compute.cpuMilli = uint32(next());
        compute.memoryMiB = uint32(next());
        compute.diskMiB = uint32(next());
        compute.pids = uint32(next());
        compute.pricePerHour = uint128(next());
        compute.baseFee = uint128(next());
        compute.maxExposure = uint128(next());
        compute.provider = address(uint160(next()));
        compute.token = address(uint160(next()));
        compute.attestors = anyAddresses();
        compute.chip = bytes32(next());
        compute.info = bytes32(next());
    }

    function anyPart() private returns (Part memory part) {
        part.kind = PartKind(next() % 5);
        part.priceType = PriceType(next() % 2);
        part.maxOrders = uint32(next());
        part.price = uint128(next());
        part.owner = address(uint160(next()));
        part.token = address(uint160(next()));
        part.store = address(uint160(next()));
        part.brokers = anyAddresses();
        part.digest = bytes32(next());
        part.info = bytes32(next());
    }

    function anyAddresses() private returns (address[] memory addresses) {
        addresses = new address[](next() % 4);
        for (uint256 i = 0; i < addresses.length; ++i) {
            addresses[i] = address(uint160(next()));
        }
    }

    function next() private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed;
    }
}
