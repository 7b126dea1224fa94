// The workload of the loader's tests: one static program that does what its first argument says.
// Everything that it prints is asserted by sploader_test.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

extern char** environ;

namespace {

int echo(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) std::printf("argument %s\n", argument.c_str());
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::printf("variable %s\n", *variable);
  }
  char folder[4096];
  std::printf("user %u group %u folder %s\n", ::getuid(), ::getgid(),
              ::getcwd(folder, sizeof folder));
  return 0;
}

// Copies an input to the output, and puts things there that don't belong into a result.
int copy(const std::string& from, const std::string& to) {
  std::FILE* in = std::fopen(from.c_str(), "rb");
  std::FILE* out = std::fopen(to.c_str(), "wb");
  if (in == nullptr || out == nullptr) return 2;
  for (int c = 0; (c = std::fgetc(in)) != EOF;) std::fputc(c, out);
  std::fclose(in);
  std::fclose(out);
  if (::symlink("/etc/shadow", "/sp/output/link") != 0) return 3;
  return ::mkfifo("/sp/output/fifo", 0600) == 0 ? 0 : 4;
}

int eat_memory() {
  constexpr std::size_t kPiece = 1 << 20;
  for (;;) {
    void* piece = std::malloc(kPiece);
    if (piece == nullptr) return 5;
    std::memset(piece, 1, kPiece);
  }
}

int fork_until_refused() {
  int children = 0;
  for (; children < 100'000; ++children) {
    const pid_t child = ::fork();
    if (child < 0) break;
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
  }
  std::printf("children %d error %d\n", children, errno);
  std::fflush(stdout);
  return 6;
}

int fill_disk(const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT, 0600);
  const std::vector<char> piece(1 << 20, 'x');
  long long written = 0;
  for (;;) {
    const ssize_t put = ::write(file, piece.data(), piece.size());
    if (put <= 0) break;
    written += put;
  }
  std::printf("written %lld error %d\n", written, errno);
  return 7;
}

// Nested folders until the path of a file below /sp/output has so many bytes; what it is is made by
// `make`, which gets its name in the innermost one.
template <class Make>
int at_path_of(std::size_t size, Make make) {
  constexpr std::size_t kNameMax = 255;
  if (::chdir("/sp/output") != 0) return 2;
  for (; size > kNameMax; size -= kNameMax + 1) {
    const std::string name(kNameMax, 'd');
    if (::mkdir(name.c_str(), 0700) != 0 || ::chdir(name.c_str()) != 0) return 3;
  }
  return make(std::string(size, 'f'));
}

int make_file(const std::string& name) {
  return ::close(::open(name.c_str(), O_WRONLY | O_CREAT, 0600)) == 0 ? 0 : 4;
}

int make_links(int count) {
  return at_path_of(960, [count](const std::string& name) {
    for (int i = 0; i < count; ++i) {
      if (::symlink("/", (name.substr(8) + std::to_string(10'000'000 + i)).c_str()) != 0) return 5;
    }
    return 0;
  });
}

// A file that says that it is large, and takes nothing.
int make_hole(const char* path, long long size) {
  const int file = ::open(path, O_WRONLY | O_CREAT, 0600);
  return ::ftruncate(file, size) == 0 ? 0 : 6;
}

// A folder that its owner can't look into.
int lock_away() {
  if (::mkdir("/sp/output/locked", 0700) != 0) return 7;
  if (make_file("/sp/output/locked/file") != 0) return 8;
  return ::chmod("/sp/output/locked/file", 0) == 0 && ::chmod("/sp/output/locked", 0) == 0 ? 0 : 9;
}

int flood() {
  for (;;) std::puts("all work and no play makes a log that nobody reads");
}

void tell(const char* what, long result) {
  std::printf("%s: %s\n", what, result < 0 ? std::strerror(errno) : "ALLOWED");
}

int try_network() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(80);
  ::inet_pton(AF_INET, "192.0.2.1", &address.sin_addr);
  const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
  tell("connect", ::connect(tcp, reinterpret_cast<sockaddr*>(&address), sizeof address));
  tell("packet socket", ::socket(AF_PACKET, SOCK_RAW, 0));
  tell("vsock", ::socket(AF_VSOCK, SOCK_STREAM, 0));
  tell("netlink", ::socket(AF_NETLINK, SOCK_RAW, 0));
  return 0;
}

// A masked file is the null device (maskedPaths of OCI's runtime specification): it opens, and
// holds nothing.
long open_content(const char* path) {
  const int file = ::open(path, O_RDONLY);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) return -1;
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) return 0;
  errno = ENODATA;
  return -1;
}

int try_escape() {
  for (const char* path : {"/etc/shadow", "/proc/1/root/etc/shadow", "/run/state", "/sys/fs/cgroup",
                           "/proc/kcore", "/dev/mem", "/sp/inputs/1/forbidden"}) {
    tell(path, open_content(path));
  }
  tell("write root", ::open("/new", O_WRONLY | O_CREAT, 0600));
  tell("write input", ::open("/sp/inputs/1/new", O_WRONLY | O_CREAT, 0600));
  tell("write sysctl", ::open("/proc/sys/kernel/core_pattern", O_WRONLY));
  tell("mount", ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr));
  tell("unshare", ::unshare(CLONE_NEWUSER));
  tell("ptrace", ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
  tell("bpf", ::syscall(SYS_bpf, 0, nullptr, 0));
  tell("keyctl", ::syscall(SYS_keyctl, 0, 0, 0, 0));
  tell("io_uring", ::syscall(SYS_io_uring_setup, 1, nullptr));
  tell("userfaultfd", ::syscall(SYS_userfaultfd, 0));
  tell("perf", ::syscall(SYS_perf_event_open, nullptr, 0, -1, -1, 0));
  tell("clone", ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  tell("device", ::mknod("/tmp/device", S_IFBLK | 0600, 0x0800));
  tell("setuid", ::setuid(1234));
  tell("chroot", ::chroot("/tmp"));
  return 0;
}

}  // namespace

int main(int count, char** texts) {
  std::vector<std::string> arguments(texts + 1, texts + count);
  const std::string_view what = arguments.empty() ? "" : std::string_view(arguments[0]);
  if (what == "echo") return echo(arguments);
  if (what == "copy") return copy(arguments.at(1), arguments.at(2));
  if (what == "exit") return std::atoi(arguments.at(1).c_str());
  if (what == "memory") return eat_memory();
  if (what == "fork") return fork_until_refused();
  if (what == "disk") return fill_disk(arguments.at(1).c_str());
  if (what == "flood") return flood();
  if (what == "path") return at_path_of(std::stoul(arguments.at(1)), make_file);
  if (what == "links") return make_links(std::stoi(arguments.at(1)));
  if (what == "hole") return make_hole("/sp/output/hole", std::stoll(arguments.at(1)));
  if (what == "locked") return lock_away();
  if (what == "network") return try_network();
  if (what == "escape") return try_escape();
  if (what == "abort") std::abort();
  if (what == "loop") {
    for (;;) ::usleep(1000);
  }
  return what.empty() ? 0 : 99;
}
