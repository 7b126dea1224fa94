// Firmware and kernels: the first byte says which the rest is. Firmware is filled up to whole
// pages before its end, where its table lies.
#include "attest/launch_snp.hpp"
#include "attest/launch_tdx.hpp"

namespace sp::attest {
namespace {

Bytes whole_pages(ByteView input) {
  const std::size_t size = (input.size() + kPageSize - 1) / kPageSize * kPageSize;
  Bytes firmware(size - input.size());
  append(firmware, input);
  return firmware;
}

void check_firmware(ByteView firmware) {
  const auto ovmf = parse_ovmf(firmware);
  SevLaunch launch;
  launch.cpus = 2;
  launch.kernel = KernelHashes{};
  const auto snp = snp_launch_digest(firmware, launch);
  const auto es = sev_es_launch_digest(firmware, launch);
  const auto mrtd = tdx_mrtd(firmware);
  SP_CHECK(ovmf.ok() || (!snp.ok() && !es.ok() && !mrtd.ok()));
  if (!ovmf) return;
  SP_CHECK(ovmf->sev.size() <= kFirmwareSectionsMax && ovmf->tdx.size() <= kFirmwareSectionsMax);
  SP_CHECK(mrtd.ok() <= !ovmf->tdx.empty());
}

}  // namespace
}  // namespace sp::attest

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sp::attest;
  if (size == 0) return 0;
  const sp::ByteView input(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    check_firmware(whole_pages(input));
  } else {
    static_cast<void>(pe_image_digest(input));
  }
  return 0;
}
