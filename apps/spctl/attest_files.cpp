#include "spctl/attest_files.hpp"

#include <filesystem>

#include "attest/tpm.hpp"

namespace sp::spctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHclFile = "hcl-report.bin";
constexpr const char* kQuoteFile = "quote.bin";
constexpr const char* kTdQuoteFile = "td-quote.bin";

Result<attest::Evidence> read_azure_folder(const Files& files, const Path& folder) {
  SP_ASSIGN(const Bytes hcl, files.read(folder / kHclFile, attest::kHclReportSizeMax));
  SP_ASSIGN(const Bytes quote, files.read(folder / kQuoteFile, attest::kInputSizeMax));
  SP_ASSIGN(attest::TpmEvidence evidence, attest::azure_quote_from_v0(quote));
  evidence.hcl_report = hcl;
  if (fs::exists(folder / kTdQuoteFile)) {
    SP_ASSIGN(evidence.td_quote, files.read(folder / kTdQuoteFile, attest::kEvidenceBodyMax));
  }
  return attest::Evidence{attest::EvidenceKind::tpm, evidence.encode(), {}};
}

Result<std::vector<Path>> files_of(const Path& folder) {
  std::vector<Path> paths;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    if (!entry->is_regular_file(code)) continue;
    paths.push_back(entry->path());
    if (paths.size() > attest::kInputFilesMax) {
      return Error{Errc::too_large, folder.string() + " has over " +
                                        std::to_string(attest::kInputFilesMax) + " files"};
    }
  }
  if (code) return Error{Errc::io, folder.string() + ": " + code.message()};
  std::sort(paths.begin(), paths.end());
  return paths;
}

// Every file of a folder that isn't the evidence itself is collateral.
Result<attest::Collateral> read_collateral_path(const Files& files, const Path& path,
                                                const Path& evidence) {
  std::vector<Path> paths{path};
  if (fs::is_directory(path)) {
    SP_ASSIGN(paths, files_of(path));
  }
  attest::Collateral all;
  std::error_code code;
  for (const Path& file : paths) {
    if (paths.size() > 1 && fs::equivalent(file, evidence, code)) continue;
    SP_ASSIGN(const Bytes bytes, files.read(file, attest::kInputSizeMax));
    const auto pieces = attest::read_collateral(bytes);
    if (!pieces) return pieces.error().in(file.string());
    if (const Status added = attest::add_collateral(all, *pieces); !added) {
      return added.error().in(file.string());
    }
  }
  return all;
}

}  // namespace

Result<attest::Evidence> load_evidence(const Files& files, const EvidenceFiles& what) {
  std::optional<attest::EvidenceKind> kind;
  if (!what.kind.empty()) {
    SP_ASSIGN(kind, attest::kind_from_name(what.kind));
  }
  attest::Evidence evidence;
  if (fs::is_directory(what.evidence)) {
    SP_ASSIGN(evidence, read_azure_folder(files, what.evidence));
  } else {
    SP_ASSIGN(const Bytes bytes, files.read(what.evidence, attest::kInputSizeMax));
    SP_ASSIGN(evidence, attest::read_evidence(bytes, kind));
  }
  if (what.collateral.empty()) return evidence;
  SP_ASSIGN(attest::Collateral all, attest::Collateral::decode(evidence.collateral));
  SP_ASSIGN(const attest::Collateral more,
            read_collateral_path(files, what.collateral, what.evidence));
  SP_TRY(attest::add_collateral(all, more));
  evidence.collateral = all.encode();
  return evidence;
}

}  // namespace sp::spctl
