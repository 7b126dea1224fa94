// measure: what a guest's launch measurement must be, from the files that it starts from. These are
// the values that policies name.
#include <charconv>
#include <nlohmann/json.hpp>

#include "attest/launch_snp.hpp"
#include "attest/launch_tdx.hpp"
#include "crypto/hash.hpp"
#include "spctl/cli.hpp"
#include "spctl/commands.hpp"

namespace sp::spctl {
namespace {

constexpr std::size_t kFirmwareSizeMax = 64 * 1024 * 1024;
constexpr std::size_t kInitrdSizeMax = std::size_t{2} * 1024 * 1024 * 1024;

struct GuestFiles {
  std::string firmware;
  std::string kernel;
  std::string initrd;
  std::string append;
};

struct SnpOptions {
  GuestFiles files;
  std::uint32_t vcpus = 1;
  std::string vcpu_type = "EPYC-v4";
  std::string guest_features = "0x1";
  bool sev_es = false;
};

struct TdxOptions {
  GuestFiles files;
  std::string load_options;
  bool boot_separator = false;
};

Status check_kernel_files(const GuestFiles& files) {
  if (!files.kernel.empty() || (files.initrd.empty() && files.append.empty())) return {};
  return Error{Errc::usage,
               "--initrd and --append go with --kernel: without it the firmware boots "
               "from a disk, which no launch measurement covers"};
}

Result<Bytes> read_initrd(Context& context, const GuestFiles& files) {
  if (files.initrd.empty()) return Bytes();
  return context.files().read(files.initrd, kInitrdSizeMax);
}

Result<std::uint64_t> read_features(std::string_view text) {
  const std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (code == std::errc() && end == digits.data() + digits.size()) return value;
  return Error{Errc::usage, "--guest-features must be hexadecimal of at most 64 bits"};
}

int tell(Context& context, const Json& values) {
  for (const auto& [name, value] : values.items()) {
    context.console().line(name + ": " + value.get<std::string>());
  }
  context.console().result(values);
  return 0;
}

Result<int> measure_snp(Context& context, const SnpOptions& options) {
  SP_TRY(check_kernel_files(options.files));
  SP_ASSIGN(const Bytes firmware, context.files().read(options.files.firmware, kFirmwareSizeMax));
  attest::SevLaunch launch;
  launch.cpus = options.vcpus;
  SP_ASSIGN(launch.cpu_signature, attest::cpu_signature(options.vcpu_type));
  SP_ASSIGN(launch.guest_features, read_features(options.guest_features));
  if (!options.files.kernel.empty()) {
    SP_ASSIGN(const Bytes kernel,
              context.files().read(options.files.kernel, attest::kKernelSizeMax));
    SP_ASSIGN(const Bytes initrd, read_initrd(context, options.files));
    launch.kernel = attest::hash_kernel(kernel, initrd, options.files.append);
  }
  if (options.sev_es) {
    SP_ASSIGN(const Digest32 digest, attest::sev_es_launch_digest(firmware, launch));
    return tell(context, {{"launchDigest", digest.hex()}});
  }
  SP_ASSIGN(const attest::Measurement digest, attest::snp_launch_digest(firmware, launch));
  return tell(context, {{"measurement", digest.hex()}});
}

Result<int> measure_tdx(Context& context, const TdxOptions& options) {
  SP_TRY(check_kernel_files(options.files));
  SP_ASSIGN(const Bytes firmware, context.files().read(options.files.firmware, kFirmwareSizeMax));
  SP_ASSIGN(const attest::Measurement mrtd, attest::tdx_mrtd(firmware));
  Json values{{"measurement", mrtd.hex()}};
  if (!options.files.kernel.empty()) {
    SP_ASSIGN(const Bytes kernel,
              context.files().read(options.files.kernel, attest::kKernelSizeMax));
    SP_ASSIGN(const Digest48 image, attest::pe_image_digest(kernel));
    const auto separator =
        options.boot_separator ? attest::BootSeparator::present : attest::BootSeparator::absent;
    values["rtmr1"] = attest::tdx_rtmr1(image, separator).hex();
    SP_ASSIGN(const Bytes initrd, read_initrd(context, options.files));
    const std::string& load_options =
        options.load_options.empty() ? options.files.append : options.load_options;
    SP_ASSIGN(const Digest48 line, attest::load_options_digest(load_options));
    values["rtmr2"] = attest::tdx_rtmr2(line, crypto::sha384(initrd)).hex();
  }
  return tell(context, values);
}

void add_files(apps::Command command, GuestFiles& files) {
  command.add_option("--firmware", files.firmware, "OVMF image").required();
  command.add_option("--kernel", files.kernel, "Kernel that QEMU starts directly");
  command.add_option("--initrd", files.initrd, "Its initial ramdisk");
  command.add_option("--append", files.append, "Its command line");
}

}  // namespace

void add_measure_commands(Cli& cli) {
  apps::Command group =
      cli.add(cli.app(), "measure", "Launch measurements of a guest, from its files",
              "  spctl measure snp --firmware OVMF.fd --kernel vmlinuz --append console=ttyS0 "
              "--vcpus 4");
  group.require_command();

  auto snp = std::make_shared<SnpOptions>();
  apps::Command command = cli.add(
      group, "snp", "The launch digest of an SEV-SNP guest of QEMU",
      "  spctl measure snp --firmware OVMF.fd --vcpus 2 --vcpu-type EPYC-v4 --guest-features 0x1");
  add_files(command, snp->files);
  command.add_option("--vcpus", snp->vcpus, "Number of virtual processors").shows_default();
  command
      .add_option("--vcpu-type", snp->vcpu_type, "QEMU's processor model, or Milan, Genoa, Turin")
      .shows_default();
  command.add_option("--guest-features", snp->guest_features, "SEV_FEATURES, hexadecimal")
      .shows_default();
  command.add_flag("--sev-es", snp->sev_es, "The launch digest of an SEV-ES guest instead");
  cli.on(command, [snp](Context& context) { return measure_snp(context, *snp); });

  auto tdx = std::make_shared<TdxOptions>();
  command =
      cli.add(group, "tdx",
              "MRTD, and RTMR 1 and 2 of a kernel that is started directly. RTMR 0 depends on "
              "tables that QEMU makes up: take it from the event log of a trusted boot",
              "  spctl measure tdx --firmware OVMF.fd --kernel vmlinuz --append quiet");
  add_files(command, tdx->files);
  command.add_option("--load-options", tdx->load_options,
                     "What OVMF hands the kernel, where that isn't --append (some versions add "
                     "initrd=initrd)");
  command.add_flag("--boot-separator", tdx->boot_separator,
                   "This OVMF measures a separator into RTMR 1 before it starts the kernel");
  cli.on(command, [tdx](Context& context) { return measure_tdx(context, *tdx); });
}

}  // namespace sp::spctl
