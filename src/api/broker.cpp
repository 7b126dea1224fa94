#include "api/broker.hpp"

#include "api/run_codec.hpp"
#include "base/codec.hpp"
#include "crypto/hash.hpp"

namespace sp::api {
namespace {

constexpr std::string_view kReleaseTag = "sp release v1";
constexpr std::string_view kDepositTag = "sp deposit v1";
constexpr std::size_t kContextMax = 4096;
constexpr std::size_t kEvidenceMax = attest::kEvidenceBodyMax + attest::kCollateralMax + 64;

}  // namespace

Bytes NonceRequest::encode() const {
  Writer writer;
  write_run(writer, run);
  writer.raw(session.view());
  return std::move(writer).take();
}

Result<NonceRequest> NonceRequest::decode(ByteView bytes) {
  Reader reader(bytes);
  NonceRequest request;
  request.run = read_run(reader);
  request.session = reader.fixed<Address>();
  SP_TRY(reader.finish());
  return request;
}

Bytes SessionProof::encode() const {
  Writer writer;
  writer.var(context.encode()).var(evidence.encode()).raw(acceptance.view());
  return std::move(writer).take();
}

Result<SessionProof> SessionProof::decode(ByteView bytes) {
  Reader reader(bytes);
  const ByteView context = reader.var(kContextMax);
  const ByteView evidence = reader.var(kEvidenceMax);
  SessionProof proof;
  proof.acceptance = reader.fixed<EthSignature>();
  SP_TRY(reader.finish());
  SP_ASSIGN(proof.context, attest::OrderSession::decode(context));
  SP_ASSIGN(proof.evidence, attest::Evidence::decode(evidence));
  return proof;
}

Bytes ReleaseRequest::encode() const {
  Writer writer;
  writer.var(proof.encode()).var(attestation.encode()).var(request.encode());
  return std::move(writer).take();
}

Result<ReleaseRequest> ReleaseRequest::decode(ByteView bytes) {
  Reader reader(bytes);
  const ByteView proof = reader.var(kSessionProofMax);
  const ByteView attestation = reader.var(kStatementSizeMax);
  const ByteView key_request = reader.var(kStatementSizeMax);
  SP_TRY(reader.finish());
  ReleaseRequest request;
  SP_ASSIGN(request.proof, SessionProof::decode(proof));
  SP_ASSIGN(request.attestation, Signed<Attestation>::decode(attestation));
  SP_ASSIGN(request.request, Signed<KeyRequest>::decode(key_request));
  return request;
}

Bytes ReleaseAnswer::encode() const {
  SP_CHECK(refusal.has_value() == sealed.empty());
  Writer writer;
  writer.u8(refusal ? 1 : 0).var(refusal ? refusal->encode() : sealed);
  if (!refusal) writer.raw(signature.view());
  return std::move(writer).take();
}

Result<ReleaseAnswer> ReleaseAnswer::decode(ByteView bytes) {
  Reader reader(bytes);
  const bool refused = reader.boolean();
  const ByteView body = reader.var(kSecretSizeMax + kArgumentsSizeMax + crypto::kHpkeOverhead);
  if (!refused && body.empty()) reader.fail(Errc::malformed, "a release without a key");
  ReleaseAnswer answer;
  if (!refused) answer.signature = reader.fixed<EthSignature>();
  SP_TRY(reader.finish());
  if (refused) {
    SP_ASSIGN(answer.refusal, Signed<Refusal>::decode(body));
  } else {
    answer.sealed = to_bytes(body);
  }
  return answer;
}

Digest32 Release::digest(const Eip712Domain& domain) const {
  crypto::Eip712Struct hash(
      "Release(bytes32 order,uint16 attempt,uint8 replica,uint8 part,bytes32 nonce,"
      "bytes32 sealed)");
  hash.word(run.order.view()).number(run.attempt).number(run.replica).number(part);
  hash.word(nonce.view()).word(sealed.view());
  return crypto::eip712_digest(domain.separator(), hash.hash());
}

Bytes release_info(const Nonce& broker_nonce, const Run& run, std::uint8_t part) {
  Writer writer;
  writer.text(kReleaseTag).raw(broker_nonce.view());
  write_run(writer, run);
  writer.u8(part);
  return std::move(writer).take();
}

Bytes Deposit::info() const {
  Writer writer;
  writer.text(kDepositTag).raw(broker.view()).raw(owner.view()).raw(digest.view());
  writer.raw(crypto::sha256(as_bytes(policy)).view());
  return std::move(writer).take();
}

Digest32 Deposit::digest_to_sign() const {
  crypto::Eip712Struct hash(
      "Deposit(address broker,address owner,bytes32 digest,uint64 time,bytes32 policy,"
      "bytes32 sealed)");
  hash.address(broker).address(owner).word(digest.view()).number(time);
  hash.word(crypto::sha256(as_bytes(policy)).view()).word(crypto::sha256(sealed).view());
  const Digest32 domain = crypto::eip712_separator_without_chain("Super Protocol Broker", "1");
  return crypto::eip712_digest(domain, hash.hash());
}

Bytes Deposit::encode() const {
  Writer writer;
  writer.raw(broker.view()).raw(owner.view()).raw(digest.view()).u64(time);
  writer.text(policy).var(sealed).raw(signature.view());
  return std::move(writer).take();
}

Result<Deposit> Deposit::decode(ByteView bytes) {
  Reader reader(bytes);
  Deposit deposit;
  deposit.broker = reader.fixed<Address>();
  deposit.owner = reader.fixed<Address>();
  deposit.digest = reader.fixed<Digest32>();
  deposit.time = reader.u64();
  deposit.policy = reader.text(kPolicySizeMax);
  deposit.sealed = to_bytes(reader.var(kSecretSizeMax + crypto::kHpkeOverhead));
  deposit.signature = reader.fixed<EthSignature>();
  SP_TRY(reader.finish());
  return deposit;
}

Bytes BrokerIdentityAnswer::encode() const {
  Writer writer;
  writer.raw(deposit_key.view()).raw(broker.view()).var(evidence.encode());
  return std::move(writer).take();
}

Result<BrokerIdentityAnswer> BrokerIdentityAnswer::decode(ByteView bytes) {
  Reader reader(bytes);
  BrokerIdentityAnswer answer;
  answer.deposit_key = reader.fixed<crypto::X25519Public>();
  answer.broker = reader.fixed<Address>();
  const ByteView evidence = reader.var(kEvidenceMax);
  SP_TRY(reader.finish());
  SP_ASSIGN(answer.evidence, attest::Evidence::decode(evidence));
  return answer;
}

}  // namespace sp::api
