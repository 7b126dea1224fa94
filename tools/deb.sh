#!/usr/bin/env bash
# tools/deb.sh BIN OUTPUT: the Debian packages superprotocol-spctl and superprotocol-node of the programs in BIN.
#
# The same programs give the same bytes: files are root's, and no time is later than SOURCE_DATE_EPOCH (the newest commit's).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "$1" && pwd)
mkdir -p "$2"
output=$(cd "$2" && pwd)
version=$("$bin/spctl" --version | awk '{print $2}')
arch=$(dpkg --print-architecture)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 1)}
command -v dpkg-shlibdeps >/dev/null || { echo "deb.sh: no dpkg-shlibdeps here: apt-get install dpkg-dev" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# place MODE SOURCE TARGET: one file of the package in $tree.
place() { install -D -m "$1" "$2" "$tree/$3"; }

# A program without its symbols, under TARGET.
program() {
  place 755 "$bin/$1" "$2"
  strip --strip-unneeded --remove-section=.comment --remove-section=.note "$tree/$2"
}

# Manual page and completion of a program, from its parser.
pages() {
  mkdir -p "$tree/usr/share/man/man1" "$tree/usr/share/bash-completion/completions" \
    "$tree/usr/share/zsh/vendor-completions" "$tree/usr/share/fish/vendor_completions.d"
  "$bin/$1" man | gzip -9n >"$tree/usr/share/man/man1/$1.1.gz"
  "$bin/$1" completion bash >"$tree/usr/share/bash-completion/completions/$1"
  "$bin/$1" completion zsh >"$tree/usr/share/zsh/vendor-completions/_$1"
  "$bin/$1" completion fish >"$tree/usr/share/fish/vendor_completions.d/$1.fish"
}

# Licence and changelog, where Debian's policy has them.
documents() {
  local folder=$tree/usr/share/doc/$1
  mkdir -p "$folder"
  install -m 644 "$root/packaging/copyright" "$folder/copyright"
  {
    echo "superprotocol ($version) unstable; urgency=medium"
    echo
    echo "  * CHANGELOG.md of the project says what is in this version."
    echo
    echo " -- Super Protocol in C++ <root@localhost>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")"
  } | gzip -9n >"$folder/changelog.gz"
}

fail() { echo "deb.sh: $*" >&2; exit 1; }

# depends_of PROGRAM: sets $depends to the packages that the program's libraries belong to. Not for $(...) among
# arguments, where a failure is lost.
depends_of() {
  local said=$work/shlibs/said
  mkdir -p "$work/shlibs/debian"
  printf 'Source: superprotocol\n\nPackage: superprotocol\nArchitecture: any\n' >"$work/shlibs/debian/control"
  depends=$(cd "$work/shlibs" && dpkg-shlibdeps -O "$1" 2>"$said") ||
    fail "dpkg-shlibdeps can't say what ${1##*/} depends on: $(cat "$said")"
  depends=${depends#shlibs:Depends=}
  [ -n "$depends" ] || fail "dpkg-shlibdeps names no package that ${1##*/} depends on: $(cat "$said")"
}

# pack NAME DEPENDS RECOMMENDS DESCRIPTION: makes the package of $tree. RECOMMENDS may be empty.
pack() {
  local name=$1 size
  size=$(du -k -s --apparent-size "$tree" | cut -f1)
  mkdir -p "$tree/DEBIAN"
  cat >"$tree/DEBIAN/control" <<CONTROL
Package: $name
Version: $version
Architecture: $arch
Maintainer: Super Protocol in C++ <root@localhost>
Installed-Size: $size
Depends: $2${3:+
Recommends: $3}
Section: net
Priority: optional
Description: $4
CONTROL
  (cd "$tree" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum) \
    >"$tree/DEBIAN/md5sums"
  find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  dpkg-deb --root-owner-group -Zxz "-z${SP_DEB_LEVEL:-6}" --threads-max=1 --build "$tree" "$output/${name}_${version}_$arch.deb" >/dev/null
  echo "$output/${name}_${version}_$arch.deb"
}

tree=$work/spctl
program spctl usr/bin/spctl
pages spctl
documents superprotocol-spctl
depends_of "$tree/usr/bin/spctl"
pack superprotocol-spctl "$depends" "" \
  "client of Super Protocol
 Orders computations on others' hardware without showing them to its owner,
 and proves what ran."

tree=$work/node
program spnode usr/bin/spnode
program sploader usr/lib/superprotocol/sploader
pages spnode
documents superprotocol-node
for role in store broker provider; do
  place 644 "$root/packaging/superprotocol-$role.service" "lib/systemd/system/superprotocol-$role.service"
  place 644 "$root/docs/settings/$role.schema.json" "usr/share/doc/superprotocol-node/settings/$role.schema.json"
  place 644 "$root/docs/settings/$role.example.json" "usr/share/doc/superprotocol-node/settings/$role.example.json"
done
place 644 "$root/packaging/superprotocol.sysusers" usr/lib/sysusers.d/superprotocol.conf
place 644 "$root/packaging/superprotocol.tmpfiles" usr/lib/tmpfiles.d/superprotocol.conf
for script in postinst prerm postrm; do place 755 "$root/packaging/node.$script" "DEBIAN/$script"; done
depends_of "$tree/usr/bin/spnode"
pack superprotocol-node "$depends, systemd (>= 252), ca-certificates" runc \
  "daemons of Super Protocol
 Store, key broker and provider, each a systemd service that starts once
 \`spnode init\` has made its keys and settings. A provider needs runc."
