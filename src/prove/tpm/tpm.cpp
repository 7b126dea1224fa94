#include "prove/tpm/tpm.hpp"

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <memory>

namespace sp::prove {
namespace {

constexpr std::uint16_t kNvReadSize = 1024;  // of one command; every TPM takes as much
constexpr std::size_t kPcrSelectSize = 3;    // 24 PCRs
constexpr std::uint32_t kFormatOneBit = 0x80;
constexpr std::uint32_t kFormatOneCode = 0x3f;

struct EsysFree {
  void operator()(void* memory) const { Esys_Free(memory); }
};
template <class T>
using EsysPtr = std::unique_ptr<T, EsysFree>;

// Whether a TPM says that a handle names nothing (TPM_RC_HANDLE, format one).
bool is_no_handle(TSS2_RC code) {
  return (code & kFormatOneBit) != 0 && (code & (kFormatOneBit | kFormatOneCode)) == TPM2_RC_HANDLE;
}

Status checked(TSS2_RC code, std::string_view what) {
  if (code == TSS2_RC_SUCCESS) return {};
  const Errc errc = is_no_handle(code) ? Errc::not_found : Errc::io;
  return Error{errc, "the TPM, " + std::string(what) + ": " + Tss2_RC_Decode(code)};
}

// A connection to a TPM.
class Tpm {
 public:
  static Result<std::unique_ptr<Tpm>> connect(const std::string& tcti) {
    auto tpm = std::unique_ptr<Tpm>(new Tpm);
    TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), &tpm->tcti_);
    if (code == TSS2_RC_SUCCESS) code = Esys_Initialize(&tpm->esys_, tpm->tcti_, nullptr);
    if (code == TSS2_RC_SUCCESS) return tpm;
    return Error{Errc::unavailable,
                 "the TPM at " + tcti + " can't be reached: " + Tss2_RC_Decode(code)};
  }
  Tpm(const Tpm&) = delete;
  Tpm& operator=(const Tpm&) = delete;
  ~Tpm() {
    if (esys_ != nullptr) Esys_Finalize(&esys_);
    if (tcti_ != nullptr) Tss2_TctiLdr_Finalize(&tcti_);
  }
  [[nodiscard]] ESYS_CONTEXT* get() const { return esys_; }

 private:
  Tpm() = default;
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

// What stands at a handle of the TPM, for as long as it is used.
class Object {
 public:
  static Result<std::unique_ptr<Object>> open(const Tpm& tpm, std::uint32_t handle,
                                              std::string_view what) {
    auto object = std::unique_ptr<Object>(new Object(tpm));
    SP_TRY(checked(Esys_TR_FromTPMPublic(tpm.get(), handle, ESYS_TR_NONE, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &object->handle_),
                   what));
    return object;
  }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  ~Object() {
    if (handle_ != ESYS_TR_NONE) Esys_TR_Close(tpm_.get(), &handle_);
  }
  [[nodiscard]] ESYS_TR get() const { return handle_; }

 private:
  explicit Object(const Tpm& tpm) : tpm_(tpm) {}
  const Tpm& tpm_;
  ESYS_TR handle_ = ESYS_TR_NONE;
};

Result<Bytes> read_nv(const Tpm& tpm, std::uint32_t index) {
  constexpr std::string_view kWhat = "reading the HCL report";
  SP_ASSIGN(const auto object, Object::open(tpm, index, kWhat));
  TPM2B_NV_PUBLIC* public_area = nullptr;
  SP_TRY(checked(Esys_NV_ReadPublic(tpm.get(), object->get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                    ESYS_TR_NONE, &public_area, nullptr),
                 kWhat));
  const EsysPtr<TPM2B_NV_PUBLIC> owned(public_area);
  const std::size_t size = public_area->nvPublic.dataSize;
  if (size > attest::kHclReportSizeMax)
    return Error{Errc::too_large, "the HCL report is too large"};
  Bytes bytes;
  while (bytes.size() < size) {
    const auto piece =
        static_cast<std::uint16_t>(std::min<std::size_t>(kNvReadSize, size - bytes.size()));
    TPM2B_MAX_NV_BUFFER* read = nullptr;
    SP_TRY(checked(
        Esys_NV_Read(tpm.get(), ESYS_TR_RH_OWNER, object->get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                     ESYS_TR_NONE, piece, static_cast<std::uint16_t>(bytes.size()), &read),
        kWhat));
    const EsysPtr<TPM2B_MAX_NV_BUFFER> buffer(read);
    if (buffer->size != piece) return Error{Errc::io, "the TPM reads less than it has"};
    append(bytes, {buffer->buffer, buffer->size});
  }
  return bytes;
}

TPML_PCR_SELECTION all_pcrs() {
  TPML_PCR_SELECTION selection{};
  selection.count = 1;
  selection.pcrSelections[0].hash = TPM2_ALG_SHA256;
  selection.pcrSelections[0].sizeofSelect = kPcrSelectSize;
  for (std::size_t i = 0; i < kPcrSelectSize; ++i) selection.pcrSelections[0].pcrSelect[i] = 0xff;
  return selection;
}

// A command reads eight PCRs at most, and says which it has read.
Result<std::vector<std::optional<Digest32>>> read_pcrs(const Tpm& tpm) {
  std::vector<std::optional<Digest32>> pcrs(attest::kPcrCount);
  for (std::size_t byte = 0; byte < kPcrSelectSize; ++byte) {
    TPML_PCR_SELECTION wanted = all_pcrs();
    for (std::size_t i = 0; i < kPcrSelectSize; ++i) {
      wanted.pcrSelections[0].pcrSelect[i] = i == byte ? 0xff : 0;
    }
    TPML_DIGEST* values = nullptr;
    SP_TRY(checked(Esys_PCR_Read(tpm.get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
                                 nullptr, nullptr, &values),
                   "reading PCRs"));
    const EsysPtr<TPML_DIGEST> owned(values);
    if (values->count != 8)
      return Error{Errc::unsupported, "the TPM has no SHA-256 bank of 24 PCRs"};
    for (std::size_t i = 0; i < 8; ++i) {
      SP_ASSIGN(pcrs[byte * 8 + i],
                Digest32::from({values->digests[i].buffer, values->digests[i].size}));
    }
  }
  return pcrs;
}

struct Quoted {
  Bytes message;
  Bytes signature;
};

Result<Quoted> quote(const Tpm& tpm, std::uint32_t ak_handle, ByteView extra_data) {
  constexpr std::string_view kWhat = "quoting";
  SP_ASSIGN(const auto key, Object::open(tpm, ak_handle, "finding the attestation key"));
  TPM2B_DATA data{};
  SP_CHECK(extra_data.size() <= sizeof data.buffer);
  data.size = static_cast<std::uint16_t>(extra_data.size());
  std::copy(extra_data.begin(), extra_data.end(), data.buffer);
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;  // the key's own
  const TPML_PCR_SELECTION selection = all_pcrs();
  TPM2B_ATTEST* message = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  SP_TRY(checked(Esys_Quote(tpm.get(), key->get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                            &data, &scheme, &selection, &message, &signature),
                 kWhat));
  const EsysPtr<TPM2B_ATTEST> owned_message(message);
  const EsysPtr<TPMT_SIGNATURE> owned_signature(signature);
  Bytes marshalled(sizeof(TPMT_SIGNATURE));
  std::size_t used = 0;
  SP_TRY(checked(
      Tss2_MU_TPMT_SIGNATURE_Marshal(signature, marshalled.data(), marshalled.size(), &used),
      kWhat));
  marshalled.resize(used);
  return Quoted{to_bytes({message->attestationData, message->size}), std::move(marshalled)};
}

}  // namespace

Result<attest::TpmEvidence> collect_tpm(const TpmSettings& settings,
                                        const attest::ReportData& report_data) {
  SP_ASSIGN(const std::unique_ptr<Tpm> tpm, Tpm::connect(settings.tcti));
  attest::TpmEvidence evidence;
  SP_ASSIGN(evidence.hcl_report, read_nv(*tpm, settings.hcl_index));
  SP_ASSIGN(Quoted quoted, quote(*tpm, settings.ak_handle, report_data.view()));
  SP_ASSIGN(evidence.pcrs, read_pcrs(*tpm));
  evidence.quote = std::move(quoted.message);
  evidence.signature = std::move(quoted.signature);
  return evidence;
}

}  // namespace sp::prove
