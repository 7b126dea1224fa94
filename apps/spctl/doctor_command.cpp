// doctor: what is missing or wrong on this machine, and how to mend it.
#include <sys/statvfs.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/provider_settings.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"
#include "spctl/deployment.hpp"
#include "spctl/doctor_checks.hpp"
#include "spctl/programs.hpp"

namespace sp::spctl {
namespace {

constexpr std::chrono::milliseconds kVersionLimit{5000};
constexpr std::size_t kVersionMax = 4096;
constexpr std::size_t kServicesAsked = 16;  // of a network's providers; the rest are left out
constexpr const char* kInstalledState = "/var/lib/superprotocol";

struct DoctorOptions {
  std::string role = "customer";
  std::string folder;   ///< of the role's daemon
  std::string network;  ///< network.json; empty = the home's
};

bool is_program(const Path& path) { return ::access(path.c_str(), X_OK) == 0; }

// Beside this program, as `make` leaves it, or where the package puts it.
Path own_program(const char* name, const Path& installed) {
  std::error_code failed;
  const Path own = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (!failed && is_program(own.parent_path() / name)) return own.parent_path() / name;
  return is_program(installed) ? installed : Path();
}

// One visit.
class Doctor {
 public:
  Doctor(Context& context, Role role, const DoctorOptions& options)
      : context_(context), role_(role) {
    folder_ =
        options.folder.empty() ? Path(kInstalledState) / role_name(role) : Path(options.folder);
    network_file_ = options.network.empty() ? context.home().network() : Path(options.network);
  }

  std::vector<Finding> examine() {
    machine();
    if (role_ != Role::customer) daemon();
    add(check_writable(context_.home().root()));
    add(check_modes("keys", context_.home().keys()));
    add(check_keys(context_.keys()));
    if (role_ != Role::store) network();
    return std::move(findings_);
  }

 private:
  void add(Finding finding) { findings_.push_back(std::move(finding)); }
  void add(std::vector<Finding> findings) {
    for (Finding& finding : findings) add(std::move(finding));
  }

  void machine() {
    add(check_root(role_, ::geteuid()));
    if (role_ == Role::provider) {
      add(check_namespaces("/"));
      add(check_cgroups("/"));
      add(check_runc(runc_version()));
      add(check_program("sploader", own_program("sploader", apps::kInstalledLoader)));
    }
    if (role_ != Role::customer) {
      add(check_program("spnode", own_program("spnode", "/usr/bin/spnode")));
    }
    if (role_ == Role::provider || role_ == Role::broker) add(check_tees("/"));
    add(disk());
    const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
    const auto page = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
    add(check_memory(role_, pages * page));
    add(check_swap("/"));
  }

  static std::string runc_version() {
    ProcessOptions options;
    options.argv = {"runc", "--version"};
    options.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    const auto output = run_command(options, kVersionLimit, kVersionMax);
    return output && output->end.exit_code == 0 ? output->text : "";
  }

  // Where the role keeps its state, or the nearest folder above that is there.
  Finding disk() const {
    Path folder = role_ == Role::customer ? context_.home().root() : folder_;
    std::error_code failed;
    while (!std::filesystem::exists(folder, failed) && folder.has_relative_path()) {
      folder = folder.parent_path();
    }
    struct statvfs status {};
    if (::statvfs(folder.c_str(), &status) != 0) {
      return {"disk", Health::warning, errno_error("looking at", folder).message, "Look yourself"};
    }
    return check_disk(folder, std::uint64_t{status.f_bavail} * status.f_frsize);
  }

  void daemon() {
    add(check_settings(context_.files(), role_, folder_));
    add(check_modes("state", folder_ / "state"));
    add(check_private_file("tls", folder_ / "tls/key.pem"));
    const Path certificate = folder_ / "tls/certificate.pem";
    std::error_code failed;
    if (std::filesystem::exists(certificate, failed)) {
      add(check_certificates(context_.files(), "certificate", certificate,
                             context_.clock().unix_seconds()));
    }
  }

  void network() {
    std::optional<apps::Network> found;
    add(check_network(context_.files(), network_file_, found));
    if (!found) return;
    if (!found->ca_file.empty()) {
      add(check_certificates(context_.files(), "ca.pem", found->ca_file,
                             context_.clock().unix_seconds()));
    }
    const auto endpoint = chain::http_endpoint(found->rpc, context_.clock(), {2, kVersionLimit},
                                               found->ca_file.string());
    chain::Chain chain(*endpoint);
    add(check_chain(chain, *found));
    if (const auto block = chain.block(); block) {
      add(check_clock(context_.clock().unix_seconds(), block->time,
                      found->market.chain_id == kLocalChainId));
    }
    services(*found);
  }

  void services(const apps::Network& network) {
    net::HttpClient::Options options;
    options.timeout = kVersionLimit;
    options.ca_file = network.ca_file.string();
    net::HttpClient http(options);
    add(check_service(http, "store", network.store.url, true));
    add(check_service(http, "broker", network.broker.url, role_ != Role::broker));
    std::size_t asked = 0;
    for (const auto& [account, url] : network.services) {
      if (url == network.store.url || url == network.broker.url) continue;
      if (++asked > kServicesAsked) break;
      add(check_service(http, "provider " + account.hex0x(), url, false));
    }
  }

  Context& context_;
  const Role role_;
  Path folder_;
  Path network_file_;
  std::vector<Finding> findings_;
};

Result<int> examine(Context& context, const DoctorOptions& options) {
  const auto role = role_named(options.role);
  SP_CHECK(role.has_value());  // the parser let no other through
  const auto findings = Doctor(context, *role, options).examine();
  Json list = Json::array();
  for (const Finding& finding : findings) {
    context.console().line(finding_line(finding));
    list.push_back({{"check", finding.check},
                    {"health", health_name(finding.health)},
                    {"says", finding.says},
                    {"advice", finding.advice}});
  }
  const bool sick = has_problem(findings);
  context.console().line(sick ? "A " + options.role + " can't work here yet."
                              : "A " + options.role + " can work here.");
  context.console().result({{"role", options.role}, {"ready", !sick}, {"findings", list}});
  return sick ? kExitFailed : 0;
}

}  // namespace

void add_doctor_command(Cli& cli) {
  auto options = std::make_shared<DoctorOptions>();
  apps::Command command =
      cli.add(cli.app(), "doctor", "Find what is missing or wrong on this machine",
              "  spctl doctor\n"
              "  spctl doctor --role provider      (exit code 1 where a problem is in the way)");
  command.add_option("--role", options->role, "What the machine is to be")
      .one_of({"customer", "provider", "broker", "store"})
      .shows_default();
  command.add_option("--folder", options->folder,
                     "The daemon's folder [/var/lib/superprotocol/ROLE]");
  command.add_option("--network", options->network, "The network's file [HOME/network.json]");
  cli.on(command, [options](Context& context) { return examine(context, *options); });
}

}  // namespace sp::spctl
