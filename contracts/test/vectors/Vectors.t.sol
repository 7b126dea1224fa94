// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMarket} from "../../src/interfaces/IMarket.sol";
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
    Refusal,
    Terms
} from "../../src/types/Types.sol";
import {Bare} from "../utils/Bare.sol";
import {Signing} from "../utils/Signing.sol";
import {TypeStrings} from "../utils/TypeStrings.sol";

/// Writes eip712.json, or asserts that it is current. Hashes are by forge's EIP-712; those of terms and offers are
/// compared with the market's.
contract VectorsTest is Bare, Signing {
    string private constant PATH = "test/vectors/eip712.json";
    uint256 private constant CHAIN_ID = 31_337;
    address private constant MARKET = 0x5FbDB2315678afecb367f032d93F642f64180aa3;

    IMarket private market = IMarket(MARKET);
    bytes32 private domain;
    uint256 private key = uint256(keccak256("vectors")); // signs every vector

    function setUp() external {
        vm.chainId(CHAIN_ID);
        vm.etch(MARKET, vm.deployCode("Market.sol:Market", abi.encode(address(0))).code);
        domain = domainSeparator(CHAIN_ID, MARKET);
    }

    function test_FileIsCurrent() external {
        string memory current = document();
        if (vm.envOr("UPDATE_VECTORS", false)) vm.writeFile(PATH, current);
        assertEq(vm.readFile(PATH), current, "run with UPDATE_VECTORS=true");
    }

    function document() private view returns (string memory) {
        return string.concat(
            "{\n",
            '"about": "Written by test/vectors/Vectors.t.sol. Integers above 64 bits are strings.",\n',
            domainJson(),
            ",\n",
            typesJson(),
            ",\n",
            list("terms", termsJson(smallTerms()), termsJson(richTerms()), termsJson(extremeTerms())),
            ",\n",
            signedValuesJson(),
            "\n}\n"
        );
    }

    function domainJson() private view returns (string memory) {
        return string.concat(
            '"domain": {"name": "Super Protocol", "version": "1", "chainId": ',
            vm.toString(CHAIN_ID),
            ', "verifyingContract": "',
            vm.toString(MARKET),
            '"},\n"domainSeparator": "',
            vm.toString(domain),
            '",\n"signer": {"key": "',
            vm.toString(bytes32(key)),
            '", "address": "',
            vm.toString(vm.addr(key)),
            '"}'
        );
    }

    function typesJson() private pure returns (string memory) {
        return string.concat(
            '"types": [\n"',
            string.concat(TypeStrings.PART, '",\n"', TypeStrings.COMPUTE, '",\n"', TERMS_DEFINITION, '",\n"'),
            string.concat(TypeStrings.ACCEPTANCE, '",\n"', TypeStrings.ATTESTATION, '",\n"'),
            string.concat(TypeStrings.KEY_REQUEST, '",\n"', TypeStrings.REFUSAL, '",\n"', TypeStrings.RECEIPT),
            '"\n]'
        );
    }

    function signedValuesJson() private view returns (string memory) {
        Attestation memory attestation = someAttestation();
        Attestation memory unaccepted = someAttestation();
        unaccepted.kind = EvidenceKind.SevSnp;
        unaccepted.vendor = 1;
        unaccepted.acceptance = "";
        bytes32 order = attestation.order;
        bytes32 attested = typedDigest(domain, structHash(attestation));
        return string.concat(
            list(
                "acceptance",
                json(Acceptance(order, 0, 0, attestation.session)),
                json(Acceptance(0, 65_535, 255, MARKET))
            ),
            string.concat(",\n", list("attestation", json(attestation), json(unaccepted))),
            string.concat(
                ",\n",
                list("keyRequest", json(KeyRequest(order, 0, 0, 2, attested)), json(KeyRequest(order, 1, 2, 23, order)))
            ),
            string.concat(
                ",\n", list("refusal", json(Refusal(order, 0, 0, 2, 1)), json(Refusal(order, 1, 2, 23, 255)))
            ),
            string.concat(",\n", list("receipt", json(successReceipt(order)), json(faultReceipt(order))))
        );
    }

    // Values

    function smallTerms() private pure returns (Terms memory terms) {
        terms.replicas = 1;
        terms.quorum = 1;
        terms.orderedSeconds = 600;
        terms.workBy = 300;
        terms.settleBy = 900;
        terms.settleWindow = 120;
        terms.claimWindow = 3600;
        terms.cpuMilli = 1000;
        terms.memoryMiB = 512;
        terms.diskMiB = 256;
        terms.pids = 64;
        terms.customer = account("customer");
        terms.token = account("token");
        terms.attestor = account("attestor");
        terms.resultKey = keccak256("result key");
        terms.salt = keccak256("salt");
        terms.choices = new Compute[](1);
        terms.choices[0] = someCompute(1);
        terms.parts = new Part[](3);
        terms.parts[0] = somePart(PartKind.Arguments, 0);
        terms.parts[1] = somePart(PartKind.Solution, 1);
        terms.parts[2] = somePart(PartKind.Storage, 0);
    }

    /// Several data parts, choices, attestors and brokers; egress and options, which version 1 of the market refuses.
    function richTerms() private pure returns (Terms memory terms) {
        terms = smallTerms();
        terms.mode = 1;
        terms.replicas = 2;
        terms.quorum = 2;
        terms.extensions = keccak256("extensions");
        terms.egress = new string[](3);
        terms.egress[0] = "example.com:443";
        terms.egress[1] = unicode"bücher.example:8443";
        terms.egress[2] = unicode"例え.テスト:1 🦄";
        terms.options = new bytes32[](2);
        terms.options[0] = keccak256("option 0");
        terms.options[1] = keccak256("option 1");
        terms.choices = new Compute[](3);
        for (uint256 i = 0; i < 3; ++i) {
            terms.choices[i] = someCompute(i + 1);
        }
        terms.parts = new Part[](6);
        terms.parts[0] = somePart(PartKind.Arguments, 0);
        terms.parts[1] = somePart(PartKind.Solution, 1);
        for (uint256 i = 2; i < 5; ++i) {
            terms.parts[i] = somePart(PartKind.Data, i);
        }
        terms.parts[5] = somePart(PartKind.Storage, 5);
    }

    /// Every integer at its greatest.
    function extremeTerms() private pure returns (Terms memory terms) {
        terms = smallTerms();
        terms.mode = type(uint8).max;
        terms.replicas = type(uint8).max;
        terms.quorum = type(uint8).max;
        terms.orderedSeconds = type(uint32).max;
        terms.workBy = type(uint32).max;
        terms.settleBy = type(uint32).max;
        terms.settleWindow = type(uint32).max;
        terms.claimWindow = type(uint32).max;
        terms.cpuMilli = type(uint32).max;
        terms.memoryMiB = type(uint32).max;
        terms.diskMiB = type(uint32).max;
        terms.pids = type(uint32).max;
        terms.choices[0].pricePerHour = type(uint128).max;
        terms.choices[0].baseFee = type(uint128).max;
        terms.choices[0].maxExposure = type(uint128).max;
        terms.parts[1].price = type(uint128).max;
        terms.parts[1].maxOrders = type(uint32).max;
    }

    function someCompute(uint256 seed) private pure returns (Compute memory compute) {
        compute.kind = EvidenceKind(seed);
        compute.minSeconds = 1;
        compute.maxSeconds = 86_400;
        compute.minWorkBy = 60;
        compute.minSettleBy = 120;
        compute.minSettleWindow = 30;
        compute.minClaimWindow = 600;
        compute.cpuMilli = 2000;
        compute.memoryMiB = 4096;
        compute.diskMiB = 2048;
        compute.pids = 512;
        compute.pricePerHour = uint128(seed * 1.5 ether);
        compute.baseFee = 0.01 ether;
        compute.maxExposure = 50 ether;
        compute.provider = account("provider");
        compute.token = account("token");
        compute.attestors = new address[](seed);
        for (uint256 i = 0; i < seed; ++i) {
            compute.attestors[i] = account(i == 0 ? "attestor" : "other attestor");
        }
        compute.chip = keccak256(abi.encode("chip", seed));
        compute.info = keccak256(abi.encode("compute info", seed));
    }

    function somePart(PartKind kind, uint256 seed) private pure returns (Part memory part) {
        part.kind = kind;
        part.priceType = kind == PartKind.Storage ? PriceType.PerHour : PriceType.Fixed;
        part.maxOrders = uint32(seed * 100);
        part.price = uint128(seed * 0.25 ether);
        part.owner = account(kind == PartKind.Arguments ? "customer" : "owner");
        part.token = account("token");
        part.store = account("store");
        part.brokers = new address[](kind == PartKind.Storage ? 0 : seed == 4 ? 2 : 1);
        for (uint256 i = 0; i < part.brokers.length; ++i) {
            part.brokers[i] = account(i == 0 ? "broker" : "other broker");
        }
        if (kind != PartKind.Storage) part.digest = keccak256(abi.encode("package", seed));
        part.info = seed == 0 ? bytes32(0) : keccak256(abi.encode("part info", seed));
    }

    function someAttestation() private view returns (Attestation memory attestation) {
        attestation.kind = EvidenceKind.Dev;
        attestation.vendor = 255;
        attestation.tcbStatus = 1;
        attestation.chip = keccak256("chip");
        attestation.measurement = keccak256("measurement");
        attestation.order = typedDigest(domain, structHash(smallTerms()));
        attestation.session = account("session");
        attestation.time = 1_750_000_000;
        attestation.acceptance =
            sign(key, typedDigest(domain, structHash(Acceptance(attestation.order, 0, 0, attestation.session))));
    }

    function successReceipt(bytes32 order) private pure returns (Receipt memory receipt) {
        receipt.order = order;
        receipt.outcome = Outcome.Success;
        receipt.started = true;
        receipt.opened = 7;
        receipt.durationMs = 12_345;
        receipt.result = keccak256("result");
        receipt.commitment = keccak256("commitment");
    }

    function faultReceipt(bytes32 order) private pure returns (Receipt memory receipt) {
        receipt.order = order;
        receipt.attempt = 1;
        receipt.replica = 2;
        receipt.outcome = Outcome.Input;
        receipt.limit = 3;
        receipt.faultPart = 2;
        receipt.exitCode = -1;
        receipt.opened = type(uint32).max;
        receipt.durationMs = type(uint64).max;
    }

    function account(string memory name) private pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    // JSON

    function termsJson(Terms memory terms) private view returns (string memory) {
        bytes32 hash = structHash(terms);
        bytes32 digest = typedDigest(domain, hash);
        assertEq(digest, OrderId.unwrap(market.orderId(terms)));
        return string.concat(
            entry(vm.serializeJsonType(TERMS_DEFINITION, abi.encode(terms)), hash),
            ', "choices": [',
            choiceIds(terms.choices),
            '], "parts": [',
            partIds(terms.parts),
            "]}"
        );
    }

    function choiceIds(Compute[] memory choices) private view returns (string memory ids) {
        for (uint256 i = 0; i < choices.length; ++i) {
            bytes32 id = vm.eip712HashStruct(TypeStrings.COMPUTE, abi.encode(choices[i]));
            assertEq(id, OfferId.unwrap(market.computeId(choices[i])));
            ids = string.concat(ids, i == 0 ? "" : ", ", '"', vm.toString(id), '"');
        }
    }

    function partIds(Part[] memory parts) private view returns (string memory ids) {
        for (uint256 i = 0; i < parts.length; ++i) {
            bytes32 id = vm.eip712HashStruct(TypeStrings.PART, abi.encode(parts[i]));
            assertEq(id, OfferId.unwrap(market.partId(parts[i])));
            ids = string.concat(ids, i == 0 ? "" : ", ", '"', vm.toString(id), '"');
        }
    }

    function json(Acceptance memory value) private view returns (string memory) {
        return signedJson(vm.serializeJsonType(TypeStrings.ACCEPTANCE, abi.encode(value)), structHash(value));
    }

    function json(Attestation memory value) private view returns (string memory) {
        return signedJson(vm.serializeJsonType(TypeStrings.ATTESTATION, abi.encode(value)), structHash(value));
    }

    function json(KeyRequest memory value) private view returns (string memory) {
        return signedJson(vm.serializeJsonType(TypeStrings.KEY_REQUEST, abi.encode(value)), structHash(value));
    }

    function json(Refusal memory value) private view returns (string memory) {
        return signedJson(vm.serializeJsonType(TypeStrings.REFUSAL, abi.encode(value)), structHash(value));
    }

    function json(Receipt memory value) private view returns (string memory) {
        return signedJson(vm.serializeJsonType(TypeStrings.RECEIPT, abi.encode(value)), structHash(value));
    }

    function signedJson(string memory value, bytes32 hash) private view returns (string memory) {
        bytes memory signature = sign(key, typedDigest(domain, hash));
        return string.concat(entry(value, hash), ', "signature": "', vm.toString(signature), '"}');
    }

    /// An object without its closing brace.
    function entry(string memory value, bytes32 hash) private view returns (string memory) {
        return string.concat(
            '{"value": ',
            value,
            ', "structHash": "',
            vm.toString(hash),
            '", "digest": "',
            vm.toString(typedDigest(domain, hash)),
            '"'
        );
    }

    function list(string memory name, string memory first, string memory second) private pure returns (string memory) {
        return string.concat('"', name, '": [\n', first, ",\n", second, "\n]");
    }

    function list(string memory name, string memory first, string memory second, string memory third)
        private
        pure
        returns (string memory)
    {
        return list(name, first, string.concat(second, ",\n", third));
    }
}
