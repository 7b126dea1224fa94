# shellcheck shell=bash disable=SC2154  # bin and work are the sourcing script's
# lib.sh, to be sourced with $bin (the programs) and $work (an empty folder): a Debian 12 machine as its operator has it, in QEMU, with its own kernel, systemd as
# init, control groups of version 2, and our packages. Processors are emulated, so that it runs wherever QEMU does.
machine_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
machine_here=$machine_root/tests/machine
machine_disk=$work/root

# Why it can't run here; empty where it can.
machine_unfit() {
  if [ "$(id -u)" != 0 ]; then echo "making a disk needs root"; return; fi
  local tool
  for tool in debootstrap qemu-system-x86_64 mkfs.ext4 dpkg-shlibdeps; do
    if ! command -v "$tool" >/dev/null; then echo "$tool is missing (tools/install.sh machine)"; return; fi
  done
}

machine_told() { # machine_told LOG COMMAND...: silent, but for the log's end where it fails
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { tail -n 20 "$log"; return 1; }
}

# The packages as apt takes them, and a kernel that finds its disk.
machine_packages() {
  SP_DEB_LEVEL=0 "$machine_root/tools/deb.sh" "$bin" "$machine_disk/opt/deb"
  # shellcheck disable=SC2016  # the inner shell's
  unshare --mount sh -euc '
    mount -t proc proc "$1/proc"
    printf "virtio_pci\nvirtio_blk\nvirtio_net\next4\n" >"$1/etc/initramfs-tools/modules"
    echo MODULES=list >"$1/etc/initramfs-tools/conf.d/machine"
    chroot "$1" update-initramfs -u
    chroot "$1" systemctl enable systemd-networkd
    chroot "$1" apt-get update -qq
    chroot "$1" sh -c "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq /opt/deb/*.deb"' \
    sh "$machine_disk"
}

machine_make() { # machine_make GUEST: the disk of a machine that runs this script after each start
  local units=$machine_disk/etc/systemd/system
  machine_told "$work/debootstrap.log" debootstrap --variant=minbase \
    --include=systemd-sysv,udev,dbus,linux-image-cloud-amd64,initramfs-tools,zstd,curl,ca-certificates,procps,jq bookworm "$machine_disk"
  mkdir -p "$machine_disk"/opt/{deb,tests}
  machine_told "$work/packages.log" machine_packages
  install -m 755 "$machine_here/$1" "$machine_disk/opt/guest.sh"
  install -m 644 "$machine_here/guest-lib.sh" "$machine_disk/opt/guest-lib.sh"
  cc -static -O2 -o "$work/workload" "$machine_here/workload.c"
  "$machine_root/tests/make-image.sh" "$work/workload" "$machine_disk/opt/image"
  install -D -m 644 -t "$units" "$machine_here/guest.service"
  mkdir -p "$units/multi-user.target.wants"
  ln -s ../guest.service "$units/multi-user.target.wants/"
  ln -s /dev/null "$units/serial-getty@ttyS0.service"  # the console is the test's
  install -D -m 644 "$machine_here/qemu.network" "$machine_disk/etc/systemd/network/qemu.network"
  truncate -s 2G "$work/disk"
}

# What the machine's disk is made of can change until here.
machine_seal() { mkfs.ext4 -q -d "$machine_disk" "$work/disk"; }

# machine_boot WORDS: becomes the machine, its console on the standard output; WORDS for its kernel's command line. A kill of it is a loss of power: what programs
# have written without a sync, and the kernel hasn't written of itself, is gone. (What the kernel has flushed is never lost or reordered by this disk.)
machine_boot() {
  exec timeout 1200 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 3G -nographic -nodefaults -no-reboot -serial stdio \
    -drive "file=$work/disk,if=virtio,format=raw,cache=unsafe" -device virtio-rng-pci -netdev user,id=net -device virtio-net-pci,netdev=net,romfile= \
    -kernel "$(echo "$machine_disk"/boot/vmlinuz-*)" -initrd "$(echo "$machine_disk"/boot/initrd.img-*)" \
    -append "root=/dev/vda rw rootflags=noauto_da_alloc console=ttyS0 loglevel=3 systemd.show_status=0 $1" </dev/null 2>&1
}
