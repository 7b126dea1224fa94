#!/bin/bash
# The solution owner's image build: an OCI image layout from Debian's own packages, without a
# container engine, without root and without chroot.
#
#   build-image.sh OUTDIR [--canary TEXT]
#
# Needs from Debian 12: apt, dpkg, tar, coreutils, findutils, sed (all in minbase) and zstd, and
# apt's lists (apt-get update). Packages are kept in flights-packages/ beside OUTDIR.
#
# How: apt's solver, on an empty status file, names the closure of Python and NumPy; of these
# packages only Python, NumPy, their licences and those shared libraries are kept which the kept
# programs really load. The image's own dynamic linker checks that none is missing.
# The same packages give the same layer, byte by byte: sorted names, time 0, owner 0.
#
# --canary plants a unique string in /app/canary.txt and, in clear, in a label of the image.
set -euo pipefail
export LC_ALL=C
umask 022

readonly kSeeds=(python3-minimal python3-numpy libblas3 liblapack3)
readonly kUser=65534:65534
readonly kZstdLevel=9
kHere=$(cd "$(dirname "$0")" && pwd)
readonly kHere

fail() {
  echo "build-image: $*" >&2
  exit 1
}

usage="usage: build-image.sh OUTDIR [--canary TEXT]"
out='' canary=''
while (($#)); do
  case $1 in
    --canary) canary=${2-}; shift 2 || fail "$usage"
      [[ $canary =~ ^[A-Za-z0-9._:-]{1,200}$ ]] || fail "canary: 1 to 200 of A-Z a-z 0-9 . _ : -" ;;
    -*) fail "unknown option $1"$'\n'"$usage" ;;
    *) [[ -z $out ]] || fail "$usage"
      out=$1; shift ;;
  esac
done
[[ -n $out ]] || fail "$usage"
for tool in apt-get dpkg dpkg-deb tar zstd; do
  command -v "$tool" >/dev/null || fail "$tool isn't installed"
done
if [[ -e $out ]]; then
  [[ -f $out/oci-layout || -z $(ls -A "$out") ]] || fail "$out holds other files; name a new folder"
fi
mkdir -p "$(dirname "$out")"
parent=$(cd "$(dirname "$out")" && pwd)
out=$parent/$(basename "$out")
cache=$parent/flights-packages
work=$(mktemp -d "$out.partial-XXXXXX")
trap 'rm -rf "$work"' EXIT
stage=$work/packages
root=$work/root
layout=$work/layout

# ---- packages -------------------------------------------------------------------------------

# An empty status makes apt count nothing as installed; its caches stay in memory.
readonly kApt=(-qq -o APT::Sandbox::User=root -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)

# Prints NAME=VERSION of each package of the closure.
closure() {
  apt-get "${kApt[@]}" -o Dir::State::status=/dev/null --no-install-recommends \
    --simulate install "${kSeeds[@]}" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1=\2/p' | sort
}

# Fills the array `debs` with the closure's package files, downloading those that aren't there.
fetch_packages() {
  local package missing=()
  mkdir -p "$cache"
  closure >"$work/closure" || fail "apt finds no closure of ${kSeeds[*]}: run apt-get update"
  mapfile -t packages <"$work/closure"
  ((${#packages[@]})) || fail "apt's closure is empty"
  debs=()
  for package in "${packages[@]}"; do
    local name=${package%%=*} version=${package#*=}
    local pattern=$cache/${name%%:*}_${version//:/%3a}_
    compgen -G "$pattern*.deb" >/dev/null || missing+=("$package")
  done
  if ((${#missing[@]})); then
    mkdir "$work/debs"
    (cd "$work/debs" && apt-get "${kApt[@]}" download "${missing[@]}")
    mv "$work"/debs/*.deb "$cache/"
  fi
  for package in "${packages[@]}"; do
    local name=${package%%=*} version=${package#*=}
    debs+=("$(compgen -G "$cache/${name%%:*}_${version//:/%3a}_*.deb")")
  done
}

# ---- root file system -----------------------------------------------------------------------

# Parts of Python and NumPy that a program of this kind doesn't use: tests, build tools,
# documentation, and modules for databases, terminals and the network.
readonly kUnused=(
  '*/test' '*/tests' '*/idlelib' '*/lib2to3' '*/ensurepip' '*/distutils' '*/pydoc_data'
  '*/config-3*' '*/python3.*/dist-packages' '*/pkg_resources' '*/setuptools*'
  '*/numpy/f2py' '*/numpy/core/include'
  '*/numpy/core/_simd.*.so' '*.pyi' '*.a' '*/turtle.py' '*/_test*.so' '*/_ctypes_test.*.so'
  '*/_xxtestfuzz*.so' '*/xxlimited*.so' '*/_ssl.*.so' '*/_hashlib.*.so' '*/_sqlite3.*.so'
  '*/_dbm.*.so' '*/_curses*.so' '*/readline.*.so' '*/nis.*.so' '*/_crypt.*.so' '*/_uuid.*.so'
  '*/ossaudiodev.*.so' '*/_codecs_??.*.so' '*/_codecs_iso2022.*.so' '*/_multibytecodec.*.so'
)

# Each package into a folder of its own, so that a file's path names its package.
unpack_packages() {
  local deb name
  for deb in "${debs[@]}"; do
    name=$(basename "${deb%%_*}")
    mkdir -p "$stage/$name"
    dpkg-deb -x "$deb" "$stage/$name"
  done
}

# Python, its modules and NumPy.
copy_python() {
  local package pattern prune=()
  mkdir -p "$root"/usr/{bin,lib,lib64} "$root"/{app,dev,etc,proc,sys,sp/inputs,sp/output}
  mkdir -m 1777 "$root/tmp"
  ln -s usr/bin "$root/bin"
  ln -s usr/lib "$root/lib"
  ln -s usr/lib64 "$root/lib64"
  for package in "$stage"/*; do
    if compgen -G "$package/usr/lib/python3*" >/dev/null; then
      cp -a --link "$package"/usr/lib/python3* "$root/usr/lib/"
      used+=("$(basename "$package")")
    fi
  done
  cp -a --link "$stage"/*/usr/bin/python3* "$root/usr/bin/"
  for pattern in "${kUnused[@]}"; do
    prune+=(-o -path "$pattern")
  done
  find "$root/usr/lib" '(' "${prune[@]:1}" ')' -prune -exec rm -rf {} +
}

# Runs a program through the packages' own dynamic linker, with the packages' own libraries.
with_libraries() {
  "$linker" --inhibit-cache --library-path "$library_path" "$@"
}

# Copies each shared library that the kept programs and modules load, under the name by which they
# ask for it; so BLAS and LAPACK need no update-alternatives. Fails when one is missing.
copy_libraries() {
  local file target package
  linker=$(echo "$stage"/libc6/lib/*-linux-gnu*/ld-linux*.so.*)
  library_path=$(find "$stage" -name '*.so.*' -printf '%h\n' | sort -u | paste -sd:)
  target=$root/usr/lib/$(basename "$(dirname "$linker")")
  mkdir "$target"
  find "$root/usr" -type f '(' -name 'python3.*' -perm /1 -o -name '*.so' ')' >"$work/programs"
  while read -r file; do
    with_libraries --list "$file" || fail "$file: a library is missing"
  done <"$work/programs" | sed -n 's/.*=> \(\/[^ ]*\) (.*/\1/p' | sort -u >"$work/needed"
  while read -r file; do
    [[ $file == "$stage"/* ]] || fail "$file is of this machine: no package of the image has it"
    cp -L --preserve=mode "$file" "$target/"
    package=${file#"$stage"/}
    used+=("${package%%/*}")
  done <"$work/needed"
  cp -L --preserve=mode "$linker" "$target/"
  ln -s "../lib/$(basename "$target")/$(basename "$linker")" "$root/usr/lib64/"
}

# The licences of the packages of which something is in the image. A package's folder of documents
# may be a link to that of another package of the same source.
copy_licences() {
  local package documents
  printf '%s\n' "${used[@]}" libc6 | sort -u >"$work/used"
  mapfile -t used <"$work/used"
  for package in "${used[@]}"; do
    documents=$stage/$package/usr/share/doc/$package
    if [[ -L $documents ]]; then
      documents=$(basename "$(readlink "$documents")")
      documents=$(echo "$stage"/*/usr/share/doc/"$documents")
    fi
    install -D -m 0644 "$documents/copyright" "$root/usr/share/doc/$package/copyright"
  done
}

# Byte code, because the root is read-only at run time; made by the image's own Python.
compile_python() {
  local library
  for library in "$root"/usr/lib/python3 "$root"/usr/lib/python3.*; do
    PYTHONHOME=$root/usr PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 \
      with_libraries "$root"/usr/bin/python3.* -S -m compileall -q -s "$root" \
      --invalidation-mode unchecked-hash "$library" || fail "compileall failed"
  done
}

add_program() {
  install -m 0644 "$kHere/flights.py" "$root/app/flights.py"
  if [[ -n $canary ]]; then echo "$canary" >"$root/app/canary.txt"; fi
  echo 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd"
  echo 'nogroup:x:65534:' >"$root/etc/group"
}

# ---- image layout ---------------------------------------------------------------------------

# Moves file $1 into the layout's blobs and sets `digest` and `size`.
add_blob() {
  digest=$(sha256sum <"$1")
  digest=${digest%% *}
  size=$(stat -c %s "$1")
  mv "$1" "$layout/blobs/sha256/$digest"
}

# Prints the descriptor of the blob added last: its media type's end $1, more members $2.
descriptor() {
  printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s%s}' \
    "$1" "$digest" "$size" "${2-}"
}

write_layout() {
  local arch layer diff_id config label=''
  arch=$(dpkg --print-architecture)
  mkdir -p "$layout/blobs/sha256"
  tar -c -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=posix \
    --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' \
    --hard-dereference . >"$work/layer.tar"
  diff_id=$(sha256sum <"$work/layer.tar")
  zstd -q -"$kZstdLevel" "$work/layer.tar" -o "$work/layer.tar.zst"
  unpacked=$(stat -c %s "$work/layer.tar")
  add_blob "$work/layer.tar.zst"
  layer=$(descriptor layer.v1.tar+zstd)
  packed=$size
  if [[ -n $canary ]]; then label=',"Labels":{"canary":"'$canary'"}'; fi
  printf '%s' '{"created":"1970-01-01T00:00:00Z","architecture":"'"$arch"'","os":"linux",' \
    '"config":{"User":"'$kUser'","WorkingDir":"/",' \
    '"Entrypoint":["/usr/bin/python3","/app/flights.py"],' \
    '"Env":["PATH=/usr/bin:/bin","LANG=C.UTF-8","HOME=/tmp","PYTHONDONTWRITEBYTECODE=1",' \
    '"PYTHONHASHSEED=0","OPENBLAS_NUM_THREADS=1","OMP_NUM_THREADS=1"]'"$label"'},' \
    '"rootfs":{"type":"layers","diff_ids":["sha256:'"${diff_id%% *}"'"]},' \
    '"history":[{"created":"1970-01-01T00:00:00Z","created_by":"build-image.sh"}]}' \
    >"$work/config"
  add_blob "$work/config"
  config=$(descriptor config.v1+json)
  printf '%s' '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",' \
    '"config":'"$config"',"layers":['"$layer"']}' >"$work/manifest"
  add_blob "$work/manifest"
  printf '%s' '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",' \
    '"manifests":['"$(descriptor manifest.v1+json ',"platform":{"architecture":"'"$arch"'",'\
'"os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"flights:1"}')"']}' \
    >"$layout/index.json"
  printf '%s' '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
}

began=$(date +%s)
used=()
fetch_packages
unpack_packages
copy_python
copy_libraries
copy_licences
compile_python
add_program
write_layout
rm -rf "$out"
mv "$layout" "$out"
echo "image of ${#used[@]} packages, $((unpacked / 1000000)) MB, packed" \
  "$((packed / 1000000)) MB -> $out in $(($(date +%s) - began)) s"
