#!/usr/bin/env bash
# machine.sh BIN [CONSOLE]: a Debian 12 machine as its operator has it, in QEMU: its own kernel, systemd as init, control groups of version 2, our packages.
# guest.sh sets a network up there by docs/OPERATIONS.md, runs orders, kills the provider in one, and runs the sandbox's own tests. Processors are emulated,
# so that it runs wherever QEMU does: four minutes on 2 cores. CONSOLE: keeps what the machine said.
# Needs root, debootstrap, qemu-system-x86, e2fsprogs and dpkg-dev, and says so where it skips.
set -euo pipefail
bin=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/machine
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null || ! command -v qemu-system-x86_64 >/dev/null || ! command -v dpkg-shlibdeps >/dev/null; then
  echo "SKIPPED: a machine needs root, debootstrap, qemu-system-x86 and dpkg-dev"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
disk=$work/root console=${2:-$work/console}

# Its disk: Debian, the packages as apt takes them, and the test.
echo "Debian and its kernel ..."
debootstrap --variant=minbase --include=systemd-sysv,dbus,linux-image-cloud-amd64,initramfs-tools,zstd,curl,ca-certificates,procps,jq \
  bookworm "$disk" >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log"; exit 1; }
mkdir -p "$disk"/opt/{deb,tests}
SP_DEB_LEVEL=0 "$root/tools/deb.sh" "$bin" "$disk/opt/deb" >/dev/null
# shellcheck disable=SC2016  # the inner shell's
unshare --mount sh -euc '
  mount -t proc proc "$1/proc"
  printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"
  echo MODULES=list >"$1/etc/initramfs-tools/conf.d/machine"
  chroot "$1" update-initramfs -u
  chroot "$1" apt-get update -qq
  chroot "$1" sh -c "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends runc /opt/deb/*.deb"' \
  sh "$disk" >"$work/install.log" 2>&1 || { tail -n 20 "$work/install.log"; exit 1; }
cp "$bin"/{tee_test,loader_test,sploader_test,sploader,sploader_workload} "$disk/opt/tests"
install -m 755 "$here/guest.sh" "$disk/opt/guest.sh"
install -m 755 "$root/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil" "$disk/usr/local/bin/anvil"
cc -static -O2 -o "$work/workload" "$here/workload.c"
"$root/tests/make-image.sh" "$work/workload" "$disk/opt/image"
units=$disk/etc/systemd/system
install -D -m 644 -t "$units" "$here/guest.service"
mkdir -p "$units/multi-user.target.wants"
ln -s ../guest.service "$units/multi-user.target.wants/"
ln -s /dev/null "$units/serial-getty@ttyS0.service"  # the console is the test's
truncate -s 2G "$work/disk"
mkfs.ext4 -q -d "$disk" "$work/disk"

echo "Booting ..."
timeout 1200 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 3G -nographic -nodefaults -no-reboot -serial stdio \
  -drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" -device virtio-rng-pci \
  -kernel "$(echo "$disk"/boot/vmlinuz-*)" -initrd "$(echo "$disk"/boot/initrd.img-*)" \
  -append "root=/dev/vda rw console=ttyS0 loglevel=3 systemd.show_status=0" </dev/null 2>&1 |
  tee "$console" | grep -a --line-buffered -o "MACHINE: .*" || true
grep -aq "^MACHINE: ok" "$console" && exit 0
tail -n 60 "$console"
echo "FAILED: the machine isn't well"
exit 1
