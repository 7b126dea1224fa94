#!/usr/bin/env bash
# Installs what building, testing and the demo need on Debian 12: packages that are missing, and the npm tools of
# package-lock.json. Quick where all is there. Root, or sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  g++ make cmake ninja-build pkg-config ccache
  libboost-dev libssl-dev libsecp256k1-dev libcrypto++-dev libarchive-dev libzstd-dev zlib1g-dev
  libtss2-dev swtpm
  nlohmann-json3-dev libcli11-dev libgtest-dev libgmock-dev libbenchmark-dev
  runc ca-certificates curl xz-utils zstd procps iproute2
  dpkg-dev systemd zsh fish
)
case "${1:-}" in
  lint) packages+=(clang-format-14 clang-tidy-14 shellcheck) ;;
  fuzz) packages+=(clang-14 libclang-rt-14-dev) ;;
  bench) packages+=(jq nginx-light age) ;;
  machine) packages+=(debootstrap qemu-system-x86 e2fsprogs) ;;
  # The S3 server of tests/s3. Where systemd runs, they start as services when they are installed.
  s3) packages+=(swift-proxy swift-account swift-container swift-object memcached) ;;
esac
command -v node >/dev/null || packages+=(nodejs)
command -v npm >/dev/null || packages+=(npm)

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
fi

# npm ci is slow where nothing changed; the stamp holds the lock file that was installed.
if ! cmp -s package-lock.json node_modules/.installed-lock; then
  echo "installing npm tools"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.installed-lock
fi
