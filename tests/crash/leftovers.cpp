#include "leftovers.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>

#include "base/durable.hpp"
#include "base/testing/must.hpp"
#include "spctl/order_files.hpp"

namespace sp::crash {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlaces[] = {"/tmp", "/var/tmp", "/run", "/dev/shm"};
const Path kCheckout = SP_TEST_SOURCE_DIR;
constexpr const char* kOwnMounts = "sp-crash-test";
constexpr const char* kShouted = "A NOTE OF THE CUSTOMER";
constexpr const char* kDaemons[] = {"chain", "store", "broker", "provider"};
constexpr const char* kKeyFiles[] = {"store/state/store.key", "broker/state/broker.keys",
                                     "provider/state/action.key"};
constexpr std::chrono::milliseconds kPause{5};
constexpr std::chrono::seconds kWriteLimit{2};  // of one file

std::string read_all(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_below(const std::string& path, const Path& folder) {
  return path.starts_with(folder.string() + "/");
}

// Groups of TEEs of this provider, in any hierarchy.
std::vector<std::string> groups_of(const Address& provider) {
  std::vector<std::string> found;
  const Path name = Path("superprotocol") / provider.hex();
  std::vector<Path> roots{"/sys/fs/cgroup"};
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/sys/fs/cgroup", failed)) {
    roots.push_back(entry.path());
  }
  for (const Path& root : roots) {
    // Each market has a group that stays; those of orders are below it.
    for (fs::recursive_directory_iterator entry(root / name, failed), end; !failed && entry != end;
         entry.increment(failed)) {
      std::error_code ignored;
      if (entry.depth() == 1 && entry->is_directory(ignored)) found.push_back(entry->path());
    }
  }
  return found;
}

}  // namespace

void own_places(char** arguments) {
  if (read_all("/proc/self/mounts").find(kOwnMounts) != std::string::npos) return;
  const Path program = fs::read_symlink("/proc/self/exe");
  SP_CHECK(::unshare(CLONE_NEWNS) == 0);
  SP_CHECK(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  const Fd checkout(::open(kCheckout.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  SP_CHECK(checkout.valid());
  for (const char* place : kPlaces) {
    SP_CHECK(::mount(kOwnMounts, place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0);
  }
  if (!fs::exists(kCheckout)) {
    fs::create_directories(kCheckout);
    const std::string hidden = "/proc/self/fd/" + std::to_string(checkout.get());
    SP_CHECK(::mount(hidden.c_str(), kCheckout.c_str(), nullptr, MS_BIND, nullptr) == 0);
  }
  // Begun anew, because a program that came from other mounts has no path in these.
  ::execv(program.c_str(), arguments);
  throw std::runtime_error(program.string() + " can't be seen any more: build it elsewhere");
}

Leftovers::Leftovers(hostile::Town& town, hostile::Shop& shop)
    : town_(town), shop_(shop), mounts_(read_all("/proc/self/mounts")), places_(in_places()) {
  hostile::Canaries& secrets = shop_.secrets();
  secrets.add("the note", hostile::kNote);
  secrets.add("the result", kShouted);
  secrets.add("the argument", "argument-canary");
  learn_daemon_keys();
}

std::vector<std::string> Leftovers::find(std::chrono::seconds patience) {
  // A loader whose order a chain has lost runs until the provider has looked a few times, and has
  // files until then.
  const auto deadline = town_.clock().monotonic() + patience;
  std::vector<std::string> found = alive();
  while (!found.empty() && town_.clock().monotonic() < deadline) {
    town_.clock().sleep_for(kPause);
    found = alive();
  }
  if (read_all("/proc/self/mounts") != mounts_) found.emplace_back("a mount");
  learn_secrets();
  look_at_places(found);
  look_at_files(found);
  return found;
}

// A file of one key or several, behind one another.
void Leftovers::learn_daemon_keys() {
  for (const char* file : kKeyFiles) {
    const std::string keys = read_all(town_.home() / file);
    SP_CHECK(keys.size() >= Secret32::kSize);
    for (std::size_t end = keys.size(); end >= Secret32::kSize; end -= Secret32::kSize) {
      const std::string name = std::string(file) + ", up to byte " + std::to_string(end);
      shop_.secrets().add(name, keys.substr(end - Secret32::kSize, Secret32::kSize));
      own_keys_[name] = town_.home() / file;
    }
  }
}

// What the customer's own commands made since.
void Leftovers::learn_secrets() {
  hostile::Canaries& secrets = shop_.secrets();
  for (const char* folder : {"content", "keys"}) {
    std::error_code none;
    for (fs::directory_iterator entry(town_.home() / folder, none), end; !none && entry != end;
         entry.increment(none)) {
      const Path& file = entry->path();
      if (file.extension() == ".json") continue;  // a keystore, sealed
      std::string secret = read_all(file);
      if (secret.ends_with('\n')) secret.pop_back();
      secrets.add(file, secret);
    }
  }
  const spctl::OrderFiles orders(town_.files(), town_.home() / "orders");
  const auto known = orders.list();
  if (!known) return;
  for (const api::OrderId& id : *known) {
    const auto record = must(orders.load(id));
    secrets.add("the secret of order " + id.hex(), as_text(record.order_secret.reveal()));
    for (const spctl::OwnKey& own : record.own_keys) {
      secrets.add("the key of " + own.package.hex(), as_text(own.key.reveal()));
    }
  }
}

void Leftovers::look_at_files(std::vector<std::string>& found) {
  std::vector<std::string> temporary;
  for (const auto& entry : fs::recursive_directory_iterator(town_.work())) {
    const std::string path = entry.path();
    if (path.ends_with(kTemporarySuffix)) temporary.push_back(path);
    if (entry.is_socket()) found.push_back("a socket: " + path);
    if (path.find("/tmp/upload-") != std::string::npos) found.push_back("a scratch: " + path);
    const bool of_others =
        std::any_of(std::begin(kDaemons), std::end(kDaemons),
                    [&](const char* daemon) { return is_below(path, town_.home() / daemon); });
    if (of_others && entry.is_regular_file()) look_for_secrets(entry, found);
  }
  look_again(temporary, found);
}

// A daemon that writes has a temporary file for a moment; one that stays is left.
void Leftovers::look_again(const std::vector<std::string>& temporary,
                           std::vector<std::string>& found) const {
  const auto deadline = town_.clock().monotonic() + kWriteLimit;
  for (const std::string& path : temporary) {
    while (fs::exists(path) && town_.clock().monotonic() < deadline) {
      town_.clock().sleep_for(kPause);
    }
    if (fs::exists(path)) found.push_back("a temporary file: " + path);
  }
}

void Leftovers::look_for_secrets(const fs::directory_entry& entry,
                                 std::vector<std::string>& found) {
  const std::string path = entry.path();
  std::error_code gone;
  const std::pair state{entry.last_write_time(gone), entry.file_size(gone)};
  if (const auto known = clean_.find(path); known != clean_.end() && known->second == state) return;
  bool clean = true;
  for (const std::string& name : shop_.secrets().found(read_all(path))) {
    if (const auto own = own_keys_.find(name); own != own_keys_.end() && own->second == path) {
      continue;
    }
    found.push_back("a secret, " + name + ": " + path);
    clean = false;
  }
  if (clean) clean_[path] = state;
}

std::set<std::string> Leftovers::in_places() const {
  std::set<std::string> all;
  for (const char* place : kPlaces) {
    for (fs::recursive_directory_iterator entry(place), end; entry != end; ++entry) {
      if (entry->path() == town_.work() || entry->path() == kCheckout) {
        entry.disable_recursion_pending();  // looked at by itself, and where tests write their logs
      } else {
        all.insert(entry->path());
      }
    }
  }
  return all;
}

void Leftovers::look_at_places(std::vector<std::string>& found) const {
  for (const std::string& path : in_places()) {
    if (!places_.contains(path)) found.push_back("in a place of all: " + path);
  }
}

// By what it works on, and by the groups that orders run in.
bool Leftovers::is_of_the_town(const Path& process) const {
  const std::string work = town_.work();
  if (read_all(process / "cgroup").find(town_.provider().address().hex()) != std::string::npos) {
    return true;
  }
  std::error_code gone;
  if (fs::read_symlink(process / "cwd", gone).string().starts_with(work)) return true;
  for (fs::directory_iterator entry(process / "fd", gone), end; !gone && entry != end;
       entry.increment(gone)) {
    std::error_code closed;
    if (fs::read_symlink(entry->path(), closed).string().starts_with(work)) return true;
  }
  return false;
}

// Groups, and processes that are none of the daemons.
std::vector<std::string> Leftovers::alive() const {
  std::vector<std::string> found;
  for (const std::string& group : groups_of(town_.provider().address())) {
    found.push_back("a group: " + group);
  }
  std::set<pid_t> daemons{::getpid()};
  for (const char* name : kDaemons) {
    const auto pid = spctl::Daemon(town_.files(), town_.home() / name, name).running();
    if (pid) daemons.insert(*pid);
  }
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (daemons.contains(std::stoi(name)) || !is_of_the_town(entry.path())) continue;
    found.push_back("a process: " + name + " " + read_all(entry.path() / "comm"));
  }
  return found;
}

}  // namespace sp::crash
