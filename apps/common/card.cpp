#include "common/card.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/durable.hpp"
#include "base/json.hpp"
#include "common/services.hpp"
#include "common/settings.hpp"

namespace sp::apps {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::array kRoles{"store", "broker", "provider"};
constexpr std::size_t kRoleMax = 16;

Status read_optional(JsonObject& object, Card& card) {
  if (object.has("certificate")) card.certificate = object.text("certificate", kCertificateSizeMax);
  if (object.has("action")) card.action = object.fixed<Address>("action");
  if (object.has("chip")) card.chip = object.fixed<attest::ChipId>("chip");
  if (object.has("tee")) {
    SP_ASSIGN(card.tee, attest::AppraisalPolicy::from_json(object.any("tee"), "tee"));
  }
  return {};
}

}  // namespace

Result<Card> Card::load(const Files& files, const Path& path) {
  SP_ASSIGN(const Bytes bytes, files.read(path, kCardSizeMax));
  SP_ASSIGN(const Json json, parse_json(as_text(bytes), kCardSizeMax));
  JsonObject object(json, path.filename().string());
  if (object.number("version", 0xffff) != kVersion) {
    return Error{Errc::unsupported, path.string() + " isn't a card of version 1"};
  }
  Card card;
  card.role = object.text("role", kRoleMax);
  if (std::find(kRoles.begin(), kRoles.end(), card.role) == kRoles.end()) {
    object.fail("role", "must be store, broker or provider");
  }
  card.url = read_url(object, "url");
  card.address = object.fixed<Address>("address");
  SP_TRY(read_optional(object, card));
  SP_TRY(object.finish());
  return card;
}

Json Card::to_json() const {
  Json json{{"version", kVersion}, {"role", role}, {"url", url}, {"address", address.hex0x()}};
  if (!certificate.empty()) json["certificate"] = certificate;
  if (tee) json["tee"] = tee->to_json();
  if (action) json["action"] = action->hex0x();
  if (chip) json["chip"] = chip->hex();
  return json;
}

Status Card::save(Files& files, const Path& path) const {
  return keep(files, CrashSite::init_card, path, as_bytes(to_json().dump(2) + "\n"),
              FileMode::everyone);
}

}  // namespace sp::apps
