#include "impostor.hpp"

#include "base/testing/must.hpp"
#include "net/problem.hpp"

namespace sp::hostile {
namespace {

prove::DevPlatform platform_of(Town& town) {
  const Bytes file = must(town.files().read(town.home() / "provider" / "state" / "platform",
                                            prove::kDevPlatformSizeMax));
  return must(prove::DevPlatform::decode(file));
}

attest::Measurement loader_of(Town& town) {
  return must(prove::measure_program(town.files(), town.program("sploader")));
}

Status named(const Result<chain::TxReceipt>& sent) {
  if (sent) return {};
  return Error{sent.error().code, revert_of(sent.error())};
}

}  // namespace

Impostor::Impostor(Shop& shop)
    : shop_(shop), prover_(platform_of(shop.town()), loader_of(shop.town())) {}

prove::DevProver Impostor::other_chip(Shop& shop) {
  return {prove::DevPlatform::generate(shop.town().random()), loader_of(shop.town())};
}

prove::DevProver Impostor::other_program(Shop& shop) {
  return {platform_of(shop.town()),
          must(prove::measure_program(shop.town().files(), shop.town().program("spnode")))};
}

Result<Bytes> Impostor::post(const std::string& path, ByteView body) {
  Town& town = shop_.town();
  SP_ASSIGN(net::HttpResponse response,
            town.http().call("POST", town.network().broker.url + path, body));
  if (response.status != 200) return net::problem_from(response, "broker");
  return std::move(response.body);
}

Result<api::Nonce> Impostor::nonce(const api::OrderId& order, const Address& session) {
  SP_ASSIGN(const Bytes answer,
            post("/v1/nonce", api::NonceRequest{{order, 0, 0}, session}.encode()));
  return api::Nonce::from(answer);
}

Result<api::Signed<api::Attestation>> Impostor::attest(const api::SessionProof& proof) {
  SP_ASSIGN(const Bytes answer, post("/v1/attest", proof.encode()));
  return api::Signed<api::Attestation>::decode(answer);
}

Result<api::ReleaseAnswer> Impostor::release(const api::ReleaseRequest& request) {
  SP_ASSIGN(const Bytes answer, post("/v1/release", request.encode()));
  return api::ReleaseAnswer::decode(answer);
}

FakeSession Impostor::open(const api::OrderId& order) {
  FakeSession session = open(order, {});
  session.proof.context.nonces = {must(nonce(order, session.key.address()))};
  prove(session, prover_);
  return session;
}

FakeSession Impostor::open(const api::OrderId& order, const std::vector<api::Nonce>& nonces) {
  FakeSession session{crypto::X25519KeyPair::generate(shop_.town().random()),
                      crypto::EthKey::generate(shop_.town().random()),
                      {},
                      {}};
  attest::OrderSession& context = session.proof.context;
  context.session_key = session.hpke.public_key;
  context.session = session.key.address();
  context.order = order;
  context.nonces = nonces;
  prove(session, prover_);
  // Well-formed, and signed by nobody.
  session.attestation.statement.kind = attest::EvidenceKind::dev;
  session.attestation.statement.tcb_status = attest::TcbStatus::up_to_date;
  return session;
}

void Impostor::prove(FakeSession& session, prove::Prover& prover) {
  const api::Acceptance acceptance{session.run(), session.proof.context.session};
  const api::Eip712Domain& market = shop_.town().network().market;
  session.proof.acceptance = shop_.town().action().sign(acceptance.digest(market));
  session.proof.evidence = must(prover.evidence(session.proof.context.report_data()));
}

FakeSession Impostor::attested(const api::OrderId& order) {
  FakeSession session = open(order);
  session.attestation = must(attest(session.proof));
  return session;
}

api::ReleaseRequest Impostor::key_request(const FakeSession& session, std::uint8_t part) {
  const api::Eip712Domain& market = shop_.town().network().market;
  const api::KeyRequest wanted{session.run(), part, session.attestation.statement.digest(market)};
  return {session.proof, session.attestation,
          api::Signed<api::KeyRequest>::make(wanted, market, session.key)};
}

Result<api::ReleaseAnswer> Impostor::ask_key(const FakeSession& session, std::uint8_t part) {
  return release(key_request(session, part));
}

api::Signed<api::Receipt> Impostor::sign(const FakeSession& session, api::Receipt receipt) {
  receipt.run = session.run();
  return api::Signed<api::Receipt>::make(receipt, shop_.town().network().market, session.key);
}

Status Impostor::settle(const api::Terms& terms, const api::Signed<api::Attestation>& attestation,
                        const api::Signed<api::Receipt>& receipt) {
  Town& town = shop_.town();
  return named(town.send(town.action(), town.market().settle(terms, attestation, receipt)));
}

Status Impostor::acquit(const api::Terms& terms, const api::Signed<api::Receipt>& receipt) {
  Town& town = shop_.town();
  return named(town.send(town.action(), town.market().acquit(terms, {receipt})));
}

Status Impostor::claim(const api::Terms& terms, const api::Signed<api::Attestation>& attestation,
                       const api::Signed<api::KeyRequest>& request) {
  Town& town = shop_.town();
  return named(town.send(shop_.owner(), town.market().claim(terms, attestation, request)));
}

}  // namespace sp::hostile
