#include "prove/tsm.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "attest/identity.hpp"
#include "attest/snp.hpp"
#include "crypto/random.hpp"

namespace sp::prove {
namespace {

constexpr std::size_t kWordSizeMax = 64;  // of provider and generation
constexpr std::size_t kRequestNameBytes = 8;

Error io_error(const Path& path, int code) {
  const std::string what = path.string() + ": " + std::strerror(code);
  switch (code) {
    case ENOENT:
      return {Errc::not_found, what};
    case EEXIST:
      return {Errc::conflict, what};
    case EBUSY:
    case EWOULDBLOCK:
    case EINTR:
    case ETIMEDOUT:
      return {Errc::unavailable, what};
    default:
      return {Errc::io, what};
  }
}

class KernelTsm final : public Tsm {
 public:
  explicit KernelTsm(Path folder) : folder_(std::move(folder)) {}

  Status make(const std::string& request) override {
    const Path path = folder_ / request;
    if (::mkdir(path.c_str(), 0700) == 0) return {};
    return io_error(path, errno);
  }

  // One write call: the kernel takes a blob whole.
  Status write(const std::string& request, const std::string& attribute, ByteView bytes) override {
    const Path path = folder_ / request / attribute;
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (file.get() < 0) return io_error(path, errno);
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) return io_error(path, errno);
    if (static_cast<std::size_t>(written) == bytes.size()) return {};
    return Error{Errc::io, path.string() + ": written in part"};
  }

  // Attributes have no size before they are read, so it is read up to the end.
  Result<Bytes> read(const std::string& request, const std::string& attribute,
                     std::size_t size_max) override {
    const Path path = folder_ / request / attribute;
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return io_error(path, errno);
    Bytes bytes(size_max + 1);
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
      if (got < 0) return io_error(path, errno);
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    if (have > size_max) {
      return Error{Errc::too_large,
                   path.string() + " has over " + std::to_string(size_max) + " bytes"};
    }
    bytes.resize(have);
    return bytes;
  }

  Status remove(const std::string& request) override {
    const Path path = folder_ / request;
    if (::rmdir(path.c_str()) == 0) return {};
    return io_error(path, errno);
  }

 private:
  Path folder_;
};

// A request's folder, gone at the end of the scope.
class Request {
 public:
  static Result<std::unique_ptr<Request>> make(Tsm& tsm, Random& random) {
    Bytes name(kRequestNameBytes);
    random.fill(name);
    auto request = std::unique_ptr<Request>(new Request(tsm, "sp-" + to_hex(name)));
    if (const Status made = tsm.make(request->name_); !made) {
      request->name_.clear();
      return made.error().in("asking the kernel for a report");
    }
    return request;
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() {
    if (name_.empty()) return;
    // What is left is an empty request of the kernel's; it holds nothing secret.
    [[maybe_unused]] const Status removed = tsm_.remove(name_);
  }

  Status write(const std::string& attribute, ByteView bytes) {
    return tsm_.write(name_, attribute, bytes);
  }
  Result<Bytes> read(const std::string& attribute, std::size_t size_max) {
    return tsm_.read(name_, attribute, size_max);
  }
  Result<std::string> word(const std::string& attribute) {
    SP_ASSIGN(const Bytes bytes, read(attribute, kWordSizeMax));
    std::string text(as_text(bytes));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\0')) text.pop_back();
    return text;
  }
  Result<std::uint64_t> number(const std::string& attribute) {
    SP_ASSIGN(const std::string text, word(attribute));
    std::uint64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code == std::errc() && end == text.data() + text.size()) return value;
    return Error{Errc::malformed, attribute + " is \"" + text + "\", not a number"};
  }

 private:
  Request(Tsm& tsm, std::string name) : tsm_(tsm), name_(std::move(name)) {}
  Tsm& tsm_;
  std::string name_;
};

Result<attest::EvidenceKind> kind_of_provider(const std::string& provider) {
  if (provider == "sev_guest") return attest::EvidenceKind::sev_snp;
  if (provider == "tdx_guest") return attest::EvidenceKind::tdx;
  return Error{Errc::unsupported, "the kernel's report provider is \"" + provider +
                                      "\", known are sev_guest and "
                                      "tdx_guest"};
}

struct Reading {
  Bytes report;
  Bytes auxiliary;
  bool whole = false;  // nobody wrote to the request in between
};

Result<Reading> read_report(Request& request, const attest::ReportData& report_data) {
  SP_ASSIGN(const std::uint64_t before, request.number("generation"));
  SP_TRY(request.write("inblob", report_data.view()));
  Reading reading;
  SP_ASSIGN(reading.report, request.read("outblob", attest::kEvidenceBodyMax));
  auto auxiliary = request.read("auxblob", attest::kPieceSizeMax);
  // Only some providers have one.
  if (!auxiliary && auxiliary.error().code != Errc::not_found) return auxiliary.error();
  if (auxiliary) reading.auxiliary = std::move(*auxiliary);
  SP_ASSIGN(const std::uint64_t after, request.number("generation"));
  // Each write counts one; any other than ours could have changed what was reported.
  reading.whole = after == before + 1;
  return reading;
}

}  // namespace

std::unique_ptr<Tsm> kernel_tsm(Path folder) { return std::make_unique<KernelTsm>(folder); }

Result<attest::Evidence> collect_tsm(Tsm& tsm, const attest::ReportData& report_data,
                                     const TsmOptions& options, Random& random) {
  SP_ASSIGN(const std::unique_ptr<Request> request, Request::make(tsm, random));
  SP_ASSIGN(const std::string provider, request->word("provider"));
  attest::Evidence evidence;
  SP_ASSIGN(evidence.kind, kind_of_provider(provider));
  if (options.privilege_level) {
    const std::string level = std::to_string(*options.privilege_level);
    SP_TRY(request->write("privlevel", as_bytes(level)));
  }
  for (unsigned tries = 0; tries < kTsmTriesMax; ++tries) {
    SP_ASSIGN(Reading reading, read_report(*request, report_data));
    if (!reading.whole) continue;
    evidence.body = std::move(reading.report);
    if (evidence.kind == attest::EvidenceKind::sev_snp && !reading.auxiliary.empty()) {
      SP_ASSIGN(const attest::Collateral table,
                attest::collateral_from_certificate_table(reading.auxiliary));
      evidence.collateral = table.encode();
    }
    return evidence;
  }
  return Error{Errc::unavailable, "somebody else keeps writing to the kernel's report request"};
}

Result<std::unique_ptr<TsmProver>> TsmProver::open(std::unique_ptr<Tsm> tsm,
                                                   const TsmOptions& options, Random& random) {
  auto prover = std::unique_ptr<TsmProver>(new TsmProver(std::move(tsm), options, random));
  SP_ASSIGN(const attest::Evidence evidence, prover->evidence({}));
  SP_ASSIGN(const attest::ClaimedIdentity claimed, attest::claimed_identity(evidence));
  prover->identity_ = {claimed.kind, claimed.vendor, claimed.chip(),
                       attest::measurement_digest(claimed.kind, claimed.measurement)};
  return prover;
}

Result<attest::Evidence> TsmProver::evidence(const attest::ReportData& report_data) {
  return collect_tsm(*tsm_, report_data, options_, random_);
}

}  // namespace sp::prove
