#!/usr/bin/env bash
# make-image.sh PROGRAM OUTDIR: an OCI image layout that holds one static program as its entry point. For tests and benchmarks.
set -euo pipefail
program=$1 out=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/fs" "$out/blobs/sha256"
install -m 755 "$program" "$root/fs/program"
tar -C "$root/fs" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$root/layer" .

blob() { # blob FILE: stores it and prints its digest
  local digest
  digest=$(sha256sum "$1" | cut -d' ' -f1)
  cp "$1" "$out/blobs/sha256/$digest"
  echo "$digest"
}
layer=$(blob "$root/layer")
printf '{"architecture":"amd64","os":"linux","config":{"Entrypoint":["/program"],"User":"65534:65534"},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$layer" >"$root/config"
config=$(blob "$root/config")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
  "$config" "$(stat -c %s "$root/config")" "$layer" "$(stat -c %s "$root/layer")" >"$root/manifest"
manifest=$(blob "$root/manifest")
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s}]}' \
  "$manifest" "$(stat -c %s "$root/manifest")" >"$out/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' >"$out/oci-layout"
