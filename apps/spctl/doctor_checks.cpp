#include "spctl/doctor_checks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>

#include "common/broker_settings.hpp"
#include "common/provider_settings.hpp"
#include "common/store_settings.hpp"
#include "crypto/x509.hpp"
#include "spctl/contract_check.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kPemSizeMax = 1 << 20;
constexpr std::uint64_t kMib = std::uint64_t{1} << 20;
constexpr std::int64_t kDay = 24 * 3600;
constexpr std::size_t kTellMax = 3;  // names told of many

Finding ok(std::string check, std::string says) {
  return {std::move(check), Health::ok, std::move(says), {}};
}

Finding warning(std::string check, std::string says, std::string advice) {
  return {std::move(check), Health::warning, std::move(says), std::move(advice)};
}

Finding problem(std::string check, std::string says, std::string advice) {
  return {std::move(check), Health::problem, std::move(says), std::move(advice)};
}

bool is_there(const Path& path) {
  std::error_code failed;
  return std::filesystem::exists(path, failed);
}

std::string size_of(std::uint64_t bytes) { return std::to_string(bytes / kMib) + " MiB"; }

// "1.1.5" of "runc version 1.1.5+ds1\n..."; nothing where it can't be read.
std::optional<std::pair<unsigned, unsigned>> version_of(std::string_view text) {
  constexpr std::string_view kMark = "version ";
  const std::size_t at = text.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const char* end = text.data() + text.size();
  unsigned major = 0;
  unsigned minor = 0;
  const auto first = std::from_chars(text.data() + at + kMark.size(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return std::nullopt;
  if (std::from_chars(first.ptr + 1, end, minor).ec != std::errc()) return std::nullopt;
  return std::pair(major, minor);
}

std::string line_of(const Path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Whether what is swapped to `place`, as /proc/swaps names it, is on no disk in clear: a mapping
// that encrypts, or memory that compresses without a disk behind it.
bool is_sealed_swap(const Path& root, const Path& place) {
  const Path block = root / "sys/block" / place.filename();
  if (line_of(block / "dm/uuid").starts_with("CRYPT-")) return true;
  if (!place.filename().string().starts_with("zram")) return false;
  const std::string behind = line_of(block / "backing_dev");
  return behind.empty() || behind == "none";
}

// Files in `folder` and its folders that others may read or write.
std::vector<std::string> open_files(const Path& folder, int levels) {
  std::vector<std::string> open;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) continue;
    if (S_ISREG(status.st_mode) && (status.st_mode & 077U) != 0) {
      open.push_back(entry.path().string());
    }
    if (S_ISDIR(status.st_mode) && levels > 0) {
      const auto below = open_files(entry.path(), levels - 1);
      open.insert(open.end(), below.begin(), below.end());
    }
  }
  std::sort(open.begin(), open.end());
  return open;
}

}  // namespace

std::optional<Role> role_named(std::string_view name) {
  for (const Role role : {Role::customer, Role::provider, Role::broker, Role::store}) {
    if (role_name(role) == name) return role;
  }
  return std::nullopt;
}

std::string_view role_name(Role role) {
  switch (role) {
    case Role::customer:
      return "customer";
    case Role::provider:
      return "provider";
    case Role::broker:
      return "broker";
    case Role::store:
      return "store";
  }
  return "";
}

std::string_view health_name(Health health) {
  switch (health) {
    case Health::ok:
      return "ok";
    case Health::warning:
      return "warning";
    case Health::problem:
      return "problem";
  }
  return "";
}

Finding check_root(Role role, unsigned user) {
  const std::string check = "user";
  if (role == Role::provider) {
    if (user == 0) return ok(check, "root, as the sandbox needs");
    return problem(check, "not root: the sandbox makes namespaces and control groups",
                   "Run the provider, and this, as root");
  }
  if (user != 0 || role == Role::customer) return ok(check, "needs no root");
  return ok(check, "root; the daemon itself needs no root: its systemd unit has a user of its own");
}

Finding check_namespaces(const Path& root) {
  const std::string check = "namespaces";
  std::string missing;
  for (const char* name : {"pid", "mnt", "net", "ipc", "uts", "user", "cgroup"}) {
    if (!is_there(root / "proc/self/ns" / name)) missing += std::string(" ") + name;
  }
  if (!missing.empty()) {
    return problem(check, "the kernel has no namespaces of kind" + missing,
                   "Use Debian's kernel, or one with these namespaces");
  }
  std::ifstream limit(root / "proc/sys/user/max_user_namespaces");
  if (std::uint64_t most = 0; (limit >> most) && most == 0) {
    return problem(check, "user namespaces are forbidden", "sysctl user.max_user_namespaces=10000");
  }
  return ok(check, "all that the sandbox needs");
}

Finding check_cgroups(const Path& root) {
  const std::string check = "control groups";
  const Path mount = root / "sys/fs/cgroup";
  const std::string advice =
      "Mount control groups with the controllers memory and pids (systemd does)";
  std::set<std::string> found;
  const bool unified = is_there(mount / "cgroup.controllers");
  if (unified) {
    std::ifstream file(mount / "cgroup.controllers");
    for (std::string name; file >> name;) found.insert(name);
  } else {
    for (const char* name : {"memory", "pids"}) {
      if (is_there(mount / name / "cgroup.procs")) found.insert(name);
    }
  }
  std::string missing;
  for (const char* name : {"memory", "pids"}) {
    if (!found.contains(name)) missing += std::string(missing.empty() ? "" : " and ") + name;
  }
  if (!missing.empty()) return problem(check, "nothing limits " + missing, advice);
  return ok(check, std::string("version ") + (unified ? "2" : "1") + ", memory and pids");
}

Finding check_runc(std::string_view version) {
  const std::string check = "runc";
  if (version.empty()) {
    return problem(check, "not found: it starts workloads", "apt-get install runc");
  }
  const auto found = version_of(version);
  if (!found) return warning(check, "its version can't be read", "Use runc 1.1 or newer");
  const std::string text = std::to_string(found->first) + "." + std::to_string(found->second);
  if (*found >= std::pair(kRuncMajorMin, kRuncMinorMin)) return ok(check, "version " + text);
  return warning(check, "version " + text + " was never tried", "Use runc 1.1 or newer");
}

std::vector<Finding> check_tees(const Path& root) {
  constexpr const char* kSources[][2] = {{"dev/sev-guest", "SEV-SNP"},
                                         {"dev/tdx_guest", "TDX"},
                                         {"sys/kernel/config/tsm/report", "configfs-tsm"},
                                         {"dev/tpmrm0", "TPM"}};
  std::vector<Finding> found;
  for (const auto& [file, name] : kSources) {
    if (is_there(root / file)) found.push_back(ok(name, "/" + std::string(file) + " is there"));
  }
  if (found.empty()) {
    found.push_back(warning("TEE",
                            "none here: no /dev/sev-guest, /dev/tdx_guest, configfs-tsm or TPM; "
                            "evidence can only be of kind dev, which hides nothing from root",
                            "For confidentiality use a guest with SEV-SNP or TDX"));
  }
  return found;
}

Finding check_disk(const Path& folder, std::uint64_t free_bytes) {
  const std::string says = size_of(free_bytes) + " free at " + folder.string();
  if (free_bytes < kDiskMin) return problem("disk", says, "Make room: 1 GiB at least");
  if (free_bytes < kDiskGood) return warning("disk", says, "10 GiB or more are better");
  return ok("disk", says);
}

Finding check_memory(Role role, std::uint64_t bytes) {
  const std::string says = size_of(bytes);
  if (role != Role::provider) return ok("memory", says);
  if (bytes < kMemoryMin) {
    return problem("memory", says + ": programs and data of orders are held in memory",
                   "Use a machine with 4 GiB or more");
  }
  if (bytes < kMemoryGood) return warning("memory", says, "4 GiB or more are better");
  return ok("memory", says);
}

Finding check_swap(const Path& root) {
  const std::string check = "swap";
  std::ifstream file(root / "proc/swaps");
  std::string line;
  std::getline(file, line);  // the columns' names
  std::string in_clear;
  bool any = false;
  while (std::getline(file, line)) {
    const std::string place = line.substr(0, line.find_first_of(" \t"));
    any = true;
    if (!is_sealed_swap(root, place)) in_clear += (in_clear.empty() ? "" : ", ") + place;
  }
  if (!any) return ok(check, "none");
  if (in_clear.empty()) return ok(check, "encrypted, or in memory");
  return warning(check, "keys that programs hold in memory may get to " + in_clear + " in clear",
                 "swapoff -a, or encrypt it (crypttab(5), option swap)");
}

Finding check_program(const std::string& name, const Path& path) {
  if (!path.empty()) return ok(name, path.string());
  return problem(name, "not found", "Install superprotocol-node, or run make in the sources");
}

Finding check_network(const Files& files, const Path& file, std::optional<apps::Network>& network) {
  auto loaded = apps::Network::load(files, file);
  if (loaded) {
    network = std::move(*loaded);
    return ok("network", file.string());
  }
  if (loaded.error().code == Errc::not_found) {
    return problem("network", file.string() + " isn't there",
                   "Put network.json and ca.pem there as its operator hands them out, or run "
                   "`spctl up` for a system on this machine");
  }
  return problem("network", file.string() + ": " + loaded.error().message,
                 "Get it from the network's operator again");
}

Finding check_modes(const std::string& what, const Path& folder) {
  if (!is_there(folder)) return ok(what, folder.string() + " isn't there yet");
  std::error_code failed;
  const auto iterator = std::filesystem::directory_iterator(folder, failed);
  static_cast<void>(iterator);
  if (failed) {
    return warning(what, folder.string() + ": " + failed.message(), "Run this as its owner");
  }
  const auto open = open_files(folder, 1);
  if (open.empty()) return ok(what, "only their owner reads what is in " + folder.string());
  std::string names;
  for (std::size_t i = 0; i < std::min(open.size(), kTellMax); ++i) {
    names += (i == 0 ? "" : ", ") + open[i];
  }
  if (open.size() > kTellMax) names += " and " + std::to_string(open.size() - kTellMax) + " more";
  return problem(what, "others may read " + names,
                 "chmod -R go= " + folder.string() + ", and make new keys where others were here");
}

Finding check_private_file(const std::string& what, const Path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return ok(what, file.string() + " isn't there");
  if ((status.st_mode & 077U) == 0) return ok(what, "only its owner reads " + file.string());
  return problem(what, "others may read or write " + file.string(),
                 "chmod 600 " + file.string() + ", and make a new one where others were here");
}

Finding check_writable(const Path& home) {
  const std::string what = "home";
  Path folder = home;
  while (!is_there(folder) && folder.has_relative_path()) folder = folder.parent_path();
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed)) {
    return problem(what, folder.string() + " is no folder", "Name another with --home");
  }
  if (::access(folder.c_str(), W_OK | X_OK) == 0)
    return ok(what, "can be written: " + home.string());
  return problem(what, errno_error("writing below", folder).message,
                 "Keys and orders are kept there: make it writable, or name another with --home");
}

Finding check_keys(KeyRing& keys) {
  const std::string what = "keys";
  const auto list = keys.list();
  if (!list) return problem(what, list.error().message, "Restore HOME/keys from a backup");
  if (list->empty()) return ok(what, "none yet: 'spctl keys create' makes one");
  for (const KeyInfo& key : *list) {
    if (const auto result_key = keys.load_result_key(key.name); !result_key) {
      return problem(what, result_key.error().message, "Restore HOME/keys from a backup");
    }
  }
  // One password opens them all.
  if (const auto key = keys.load(list->front().name); !key) {
    return problem(what, key.error().message, "Restore HOME/keys/password, or --password-file");
  }
  return ok(what, std::to_string(list->size()) + ", and the password opens them");
}

Finding check_certificates(const Files& files, const std::string& what, const Path& file,
                           std::int64_t now) {
  const auto pem = files.read(file, kPemSizeMax);
  if (!pem) return problem(what, file.string() + ": " + pem.error().message, "Get it again");
  const auto certificates = crypto::Certificate::from_pem(as_text(*pem));
  if (!certificates || certificates->empty()) {
    return problem(what, file.string() + " holds no certificates", "Get it again");
  }
  std::int64_t end = certificates->front().not_after();
  for (const auto& one : *certificates) end = std::min(end, one.not_after());
  const std::string renew =
      "Its operator removes tls/, runs spnode init again and hands out the new card";
  if (end <= now) {
    return problem(what,
                   "a certificate in " + file.string() + " ended " +
                       std::to_string((now - end) / kDay) + " days ago",
                   renew);
  }
  const std::string says = std::to_string(certificates->size()) + " in " + file.string() +
                           ", the first ends in " + std::to_string((end - now) / kDay) + " days";
  return end - now < kCertificateWarning ? warning(what, says, renew) : ok(what, says);
}

Finding check_settings(const Files& files, Role role, const Path& folder) {
  const Path file = folder / (std::string(role_name(role)) + ".json");
  Status read;
  if (role == Role::store) {
    if (auto loaded = apps::StoreSettings::load(files, file); !loaded) read = loaded.error();
  } else if (role == Role::broker) {
    if (auto loaded = apps::BrokerSettings::load(files, file); !loaded) read = loaded.error();
  } else if (role == Role::provider) {
    if (auto loaded = apps::ProviderSettings::load(files, file); !loaded) read = loaded.error();
  }
  if (read) return ok("settings", file.string());
  const std::string init = "spnode init " + std::string(role_name(role)) + " --folder " +
                           folder.string() + " --host ... writes it";
  if (read.error().code == Errc::not_found) {
    return problem("settings", file.string() + " isn't there", init);
  }
  return problem("settings", file.string() + ": " + read.error().message,
                 "See docs/SETTINGS.md; " + init + " anew");
}

std::vector<Finding> check_chain(chain::Chain& chain, const apps::Network& network) {
  const auto id = chain.chain_id();
  if (!id) {
    return {problem("chain", network.rpc + ": " + id.error().message,
                    "Check the network and \"rpc\" in network.json; ask its operator")};
  }
  if (*id != network.market.chain_id) {
    return {problem("chain",
                    network.rpc + " is of chain " + std::to_string(*id) + ", the network is on " +
                        std::to_string(network.market.chain_id),
                    "Name an endpoint of the right chain in network.json")};
  }
  std::vector<Finding> found{ok("chain", network.rpc + ", chain " + std::to_string(*id))};
  const auto market = verify_market(chain, network.market.contract);
  if (market) {
    found.push_back(ok("market", network.market.contract.hex0x() + " is this version's"));
  } else {
    const auto code = chain.code(network.market.contract);
    const std::string says = market.error().message;
    found.push_back(code && !code->empty()
                        ? warning("market", says, "Use it only if its operator tells you why")
                        : problem("market", says, "Get network.json from its operator again"));
  }
  const auto token = chain.code(network.token);
  if (token && !token->empty()) {
    found.push_back(ok("token", network.token.hex0x()));
  } else {
    found.push_back(
        problem("token", token ? "no contract at " + network.token.hex0x() : token.error().message,
                "Get network.json from its operator again"));
  }
  return found;
}

Finding check_clock(std::int64_t now, std::int64_t block_time, bool development_chain) {
  const std::string advice = "Keep the time by NTP: timedatectl set-ntp true";
  if (block_time > now + kClockBehindMax) {
    return problem("clock", "it is " + std::to_string(block_time - now) + " s behind the chain's",
                   advice);
  }
  if (!development_chain && now - block_time > kChainStillMax) {
    return warning("clock", "the newest block is " + std::to_string(now - block_time) + " s old",
                   advice + "; or the endpoint stands still: use another");
  }
  return ok("clock", "agrees with the chain's");
}

Finding check_service(net::HttpClient& http, const std::string& name, const std::string& url,
                      bool needed) {
  const auto answer = http.call("GET", url + "/health");
  if (answer && answer->status == 200) return ok(name, url);
  const std::string says =
      url + ": " +
      (answer ? "answers with status " + std::to_string(answer->status) : answer.error().message);
  const std::string advice =
      !answer && answer.error().code == Errc::refused
          ? "Its certificate isn't in ca.pem, or isn't for this host: ask its operator for the card"
          : "Ask its operator; check the firewall in between";
  return needed ? problem(name, says, advice) : warning(name, says, advice);
}

std::string finding_line(const Finding& finding) {
  std::string line(health_name(finding.health));
  line.resize(9, ' ');
  line += finding.check + ": " + finding.says;
  if (line.back() != '.') line += ".";
  return finding.advice.empty() ? line : line + " " + finding.advice + ".";
}

bool has_problem(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.health == Health::problem; });
}

}  // namespace sp::spctl
