// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The EIP-712 types as docs/FORMATS.md section 2 states them. Hashes holds their hashes; the tests sign by these.
library TypeStrings {
    string internal constant PART = "Part(uint8 kind,uint8 priceType,uint32 maxOrders,uint128 price,address owner,address token,address store,"
        "address[] brokers,bytes32 digest,bytes32 info)";

    string internal constant COMPUTE = "Compute(uint8 kind,uint32 minSeconds,uint32 maxSeconds,uint32 minWorkBy,uint32 minSettleBy,"
        "uint32 minSettleWindow,uint32 minClaimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "uint128 pricePerHour,uint128 baseFee,uint128 maxExposure,address provider,address token,"
        "address[] attestors,bytes32 chip,bytes32 info)";

    string internal constant TERMS = "Terms(uint8 mode,uint8 replicas,uint8 quorum,uint32 orderedSeconds,uint32 workBy,uint32 settleBy,"
        "uint32 settleWindow,uint32 claimWindow,uint32 cpuMilli,uint32 memoryMiB,uint32 diskMiB,uint32 pids,"
        "address customer,address token,address attestor,bytes32 resultKey,bytes32 salt,bytes32 extensions,"
        "string[] egress,bytes32[] options,Compute[] choices,Part[] parts)";

    string internal constant ACCEPTANCE = "Acceptance(bytes32 order,uint16 attempt,uint8 replica,address session)";

    string internal constant ATTESTATION = "Attestation(uint8 kind,uint8 vendor,uint8 tcbStatus,bytes32 chip,bytes32 measurement,bytes32 order,"
        "uint16 attempt,uint8 replica,address session,uint40 time,bytes acceptance)";

    string internal constant KEY_REQUEST =
        "KeyRequest(bytes32 order,uint16 attempt,uint8 replica,uint8 part,bytes32 attestation)";

    string internal constant REFUSAL = "Refusal(bytes32 order,uint16 attempt,uint8 replica,uint8 part,uint8 reason)";

    string internal constant RECEIPT = "Receipt(bytes32 order,uint16 attempt,uint8 replica,uint8 outcome,bool started,uint8 limit,uint8 faultPart,"
        "int32 exitCode,uint32 opened,uint64 durationMs,bytes32 result,bytes32 commitment)";
}
