#!/usr/bin/env bash
# deb.sh BIN: the packages are built twice with the same bytes, hold what they should, install, work, and purge without a trace;
# the units are well-formed and hardened. The installation happens in an overlay over this machine that ends with the test.
set -euo pipefail
bin=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
fail() { echo "FAILED: $*"; exit 1; }
# What `systemd-analyze security` may say at most: 0 is closed, 10 open. A provider needs root.
exposure_max=(store=15 broker=17 provider=63)

# Inside the overlay: install, use, purge.
if [ "${2:-}" = inside ]; then
  work=$3
  debs=("$work"/one/*.deb)
  dpkg -i "${debs[@]}" >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; fail "dpkg -i ended with $?"; }
  [ "$(spctl --version)" = "$("$bin/spctl" --version)" ] || fail "spctl isn't the one that was packed"
  /usr/lib/superprotocol/sploader --version >/dev/null 2>&1 || [ $? -lt 126 ] || fail "sploader doesn't run"
  id superprotocol-store >/dev/null || fail "no user for the store"
  [ "$(stat -c '%U %a' /var/lib/superprotocol/broker)" = "superprotocol-broker 700" ] || fail "the broker's folder is open"
  man -w spctl >/dev/null 2>&1 || ! command -v man >/dev/null || fail "no manual page"
  # A store as its own user, in its own folder.
  folder=/var/lib/superprotocol/store
  setpriv --reuid superprotocol-store --regid superprotocol-store --clear-groups sh -euc "umask 077; cd $folder
    head -c 32 /dev/urandom >key
    printf '{\"listen\":{\"address\":\"127.0.0.1\",\"port\":0},\"folder\":\"blobs\",\"key\":\"key\",\"bytesMax\":0}' >store.json
    spnode check store --config store.json >/dev/null" || fail "spnode check"
  for role in store broker provider; do
    systemd-analyze verify "/lib/systemd/system/superprotocol-$role.service" 2>"$work/verify" || fail "unit: $(cat "$work/verify")"
    ! grep superprotocol "$work/verify" || fail "a warning about the unit of $role"
  done
  dpkg -P superprotocol-node >"$work/purge.log" 2>&1
  grep -q "is kept, it holds keys" "$work/purge.log" || fail "keys may be gone with a purge"
  [ -s "$folder/key" ] || fail "a purge removed a key"
  rm -r "$folder"
  dpkg -i "$work"/one/superprotocol-node_*.deb >/dev/null 2>&1
  dpkg -P superprotocol-node superprotocol-spctl >/dev/null 2>&1
  ! id superprotocol-store >/dev/null 2>&1 || fail "a user is left"
  exit 0
fi
# left UPPER: what the installation wrote and the purge didn't take away, save what package manager and users' tools keep.
left() {
  find "$1" -name '*superprotocol*' ! -path '*/var/lib/dpkg/*'
  (cd "$1" && find . ! -type d | grep -v -e '^./var/\(lib/dpkg\|log\|cache\)/' -e '^./\(run\|tmp\|proc\|sys\|dev\)/' \
    -e '^./etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-\?$' -e '^./etc/.pwd.lock$' -e '^./root/') || true
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SP_DEB_LEVEL=0 SOURCE_DATE_EPOCH=1700000000  # quick to pack, and whatever is committed meanwhile
"$root/tools/deb.sh" "$bin" "$work/one" >/dev/null
"$root/tools/deb.sh" "$bin" "$work/two" >/dev/null

# refuses WORDS: with the dpkg-shlibdeps of $work/path no package is made, and it is said why.
refuses() {
  rm -rf "$work/none"
  ! PATH=$work/path:$PATH "$root/tools/deb.sh" "$bin" "$work/none" >"$work/said" 2>&1 || fail "a package without: $1"
  grep -qF -- "$1" "$work/said" || fail "no word of: $1; but: $(cat "$work/said")"
  [ -z "$(ls "$work/none")" ] || fail "a package is there without: $1"
}
mkdir "$work/path"
install -m 755 /dev/stdin "$work/path/dpkg-shlibdeps" <<<'#!/bin/sh
echo "no dependency information found" >&2; exit 2'
refuses "can't say what spctl depends on: no dependency information found"
install -m 755 /dev/stdin "$work/path/dpkg-shlibdeps" <<<'#!/bin/sh
echo shlibs:Depends='
refuses "names no package that spctl depends on"

(cd "$work/one" && sha256sum ./*.deb) >"$work/sums"
(cd "$work/two" && sha256sum -c --quiet "$work/sums") || fail "the same programs gave other packages"

spctl=("$work"/one/superprotocol-spctl_*.deb)
node=("$work"/one/superprotocol-node_*.deb)
dpkg-deb -c "${spctl[0]}" >"$work/spctl.list"
dpkg-deb -c "${node[0]}" >"$work/node.list"
for deb in "${spctl[0]}" "${node[0]}"; do
  [[ $(dpkg-deb -f "$deb" Depends) == *libssl3* ]] || fail "the libraries aren't in Depends of $deb"
done
for file in ./usr/bin/spctl ./usr/share/man/man1/spctl.1.gz ./usr/share/doc/superprotocol-spctl/copyright \
  ./usr/share/doc/superprotocol-spctl/changelog.gz ./usr/share/bash-completion/completions/spctl \
  ./usr/share/zsh/vendor-completions/_spctl ./usr/share/fish/vendor_completions.d/spctl.fish; do
  grep -q "root/root .* $file\$" "$work/spctl.list" || fail "$file isn't in the package"
done
for file in ./usr/bin/spnode ./usr/lib/superprotocol/sploader ./lib/systemd/system/superprotocol-provider.service \
  ./usr/share/man/man1/spnode.1.gz ./usr/share/bash-completion/completions/spnode \
  ./usr/share/zsh/vendor-completions/_spnode ./usr/share/fish/vendor_completions.d/spnode.fish; do
  grep -q "root/root .* $file\$" "$work/node.list" || fail "$file isn't in the package"
done

for limit in "${exposure_max[@]}"; do
  unit=$root/packaging/superprotocol-${limit%=*}.service
  systemd-analyze security --offline=true --threshold="${limit#*=}" "$unit" >"$work/security" ||
    fail "the unit of ${limit%=*} is too open: $(tail -n 1 "$work/security")"
done

if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED in part: installing needs root"
  exit 77
fi
mkdir "$work/over"
# Everything that the installation writes lies in memory, in a mount namespace of its own.
# shellcheck disable=SC2016  # the inner shell expands its own arguments
unshare -m --propagation private bash -euc '
  mount -t tmpfs -o size=1g none "$0/over"
  mkdir "$0/over/upper" "$0/over/work" "$0/over/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$0/over/upper,workdir=$0/over/work" "$0/over/root" || exit 77
  for folder in proc sys dev; do mount --rbind "/$folder" "$0/over/root/$folder"; done
  mkdir -p "$0/over/root$0" "$0/over/root$1" "$0/over/root$2"
  mount --bind "$0" "$0/over/root$0"
  mount --bind "$1" "$0/over/root$1"
  mount --bind "$2" "$0/over/root$2"
  mount -t tmpfs none "$0/over/root/run"
  chroot "$0/over/root" bash "$2/deb.sh" "$1" inside "$0"
  eval "$3"
  left "$0/over/upper" >"$0/left"' "$work" "$bin" "$root/tests/ops" "$(declare -f left)" || {
  code=$?
  [ $code = 77 ] && { echo "SKIPPED in part: no overlay over this machine"; exit 77; }
  exit $code
}
[ ! -s "$work/left" ] || fail "a purge leaves something: $(cat "$work/left")"
echo "deb: all well"
