// attest fetch and attest bundle: collateral from the vendors' services, kept in this home, and
// carried to machines without a network.
#include "spctl/collateral_commands.hpp"

#include <nlohmann/json.hpp>

#include "collateral/cached_services.hpp"
#include "collateral/complete.hpp"
#include "spctl/attest_files.hpp"
#include "spctl/cli.hpp"

namespace sp::spctl {
namespace {

struct FetchOptions {
  EvidenceFiles files;
  std::string out;
  std::string cache;
  std::vector<std::string> intel;
  std::vector<std::string> amd;
  std::string ca_file;
  bool offline = false;
};

// The cache of this home before the services.
Result<std::unique_ptr<collateral::CachedServices>> open_services(Context& context,
                                                                  const FetchOptions& options) {
  const Path folder = options.cache.empty() ? context.home().collateral() : Path(options.cache);
  return collateral::CachedServices::open(
      {folder, options.amd, options.intel, options.ca_file, options.offline}, context.files(),
      context.clock());
}

Result<int> fetch(Context& context, const FetchOptions& options) {
  SP_ASSIGN(attest::Evidence evidence, load_evidence(context.files(), options.files));
  SP_ASSIGN(const auto services, open_services(context, options));
  context.console().status("asking for collateral");
  auto whole = collateral::complete(std::move(evidence), services->source());
  if (!whole) {
    return failure(whole.error().code, "the collateral isn't complete", whole.error().message,
                   options.offline ? "Import a bundle, or run without --offline"
                                   : "Check the network, or name a cache with --intel or --amd");
  }
  SP_TRY(write_output(context, options.out, whole->encode()));
  context.console().line("Evidence with its collateral is in " + options.out +
                         ". Check it: spctl attest verify --evidence " + options.out);
  context.console().result({{"out", options.out}, {"collateralBytes", whole->collateral.size()}});
  return 0;
}

Result<int> export_bundle(Context& context, const FetchOptions& options) {
  SP_ASSIGN(const auto services, open_services(context, options));
  SP_ASSIGN(const collateral::Bundle bundle, services->source().export_bundle());
  SP_ASSIGN(const Bytes bytes, bundle.encode());
  SP_TRY(write_output(context, options.out, bytes));
  context.console().line(std::to_string(bundle.entries.size()) + " answers are in " + options.out +
                         ".");
  context.console().result({{"out", options.out}, {"entries", bundle.entries.size()}});
  return 0;
}

Result<int> import_bundle(Context& context, const FetchOptions& options) {
  SP_ASSIGN(const Bytes bytes, context.files().read(options.out, collateral::kBundleSizeMax));
  SP_ASSIGN(const collateral::Bundle bundle, collateral::Bundle::decode(bytes));
  SP_ASSIGN(const auto services, open_services(context, options));
  SP_ASSIGN(const std::size_t kept, services->source().import_bundle(bundle));
  context.console().line(std::to_string(kept) + " of " + std::to_string(bundle.entries.size()) +
                         " answers were newer than what was kept.");
  context.console().result({{"entries", bundle.entries.size()}, {"kept", kept}});
  return 0;
}

void add_cache(apps::Command command, FetchOptions& options) {
  command.add_option("--cache", options.cache, "Folder of the cache; default: in the home");
}

}  // namespace

void add_collateral_commands(Cli& cli, apps::Command attest) {
  auto options = std::make_shared<FetchOptions>();
  apps::Command command = cli.add(
      attest, "fetch", "Put all that evidence is verified with along with it",
      "  spctl attest fetch --evidence quote.bin --out evidence.spev\n"
      "  spctl attest fetch --evidence report.bin --out evidence.spev --amd http://cache.local");
  command.add_option("--evidence", options->files.evidence, "File of evidence").required();
  command.add_option("--kind", options->files.kind, "snp, tdx, sgx or tpm, where it is unclear");
  command.add_option("--collateral", options->files.collateral, "What is there already");
  command.add_option("--out", options->out, "File for evidence with collateral").required();
  add_cache(command, *options);
  command.add_option("--intel", options->intel, "Service or cache (PCCS) in Intel's place")
      .one_each_time();
  command.add_option("--amd", options->amd, "Service or cache in AMD's place").one_each_time();
  command.add_option("--ca-file", options->ca_file, "Certificates that servers must chain to");
  command.add_flag("--offline", options->offline, "Use what is kept; ask nobody");
  cli.on(command, [options](Context& context) { return fetch(context, *options); });

  apps::Command bundle = cli.add(attest, "bundle", "Carry the cache to a machine without a network",
                                 "  spctl attest bundle export collateral.spcb");
  bundle.require_command();
  command = cli.add(bundle, "export", "Write all that is kept to a file",
                    "  spctl attest bundle export collateral.spcb");
  command.add_option("FILE", options->out, "The bundle").required();
  add_cache(command, *options);
  cli.on(command, [options](Context& context) { return export_bundle(context, *options); });
  command = cli.add(bundle, "import", "Keep what a bundle holds, where it is newer",
                    "  spctl attest bundle import collateral.spcb");
  command.add_option("FILE", options->out, "The bundle").required();
  add_cache(command, *options);
  cli.on(command, [options](Context& context) { return import_bundle(context, *options); });
}

}  // namespace sp::spctl
