#!/bin/bash
# Runs the whole example without the market: converts, builds the image, runs the program in the
# image's root file system, and compares the result with the independent computation.
#
#   selftest.sh [WORKDIR]      default: build/flights of this project
#
# Needs what convert.mjs (Node 18, npm ci) and build-image.sh need. As root the program also runs
# under chroot as the image's user, with the image's own entry point and environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
mkdir -p "${1:-$project/build/flights}"
work=$(cd "${1:-$project/build/flights}" && pwd)
source=$project/node_modules/vega-datasets/data/flights-3m.parquet
arguments=(--min-flights 200 --top 15 --title 'Delays <by hour> & "airport" Ünïcode')
readonly kMemoryKiB=409600 # the address space that the program may have

fail() {
  echo "selftest: FAILED: $*" >&2
  exit 1
}

# Says what it does, runs the rest, and says how long that took.
step() {
  local began=$EPOCHREALTIME
  echo "== $1"
  "${@:2}"
  awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "   %.1f s\n", b - a }'
}

# Expects a command to fail with the text $1 in its output; leaves that in `refusal`.
refused() {
  if refusal=$("${@:2}" 2>&1); then fail "not refused: ${*:2}"; fi
  grep -qF -- "$1" <<<"$refusal" || fail "expected \"$1\", got: $refusal"
  echo "   refused: $(tail -n 1 <<<"$refusal")"
}

convert_data() {
  node "$here/convert.mjs" "$source" "$work/data" --canary selftest-data-canary
  grep -qx selftest-data-canary "$work/data/canary.txt" || fail "canary.txt"
}

refusals_of_converter() {
  # The same file with a column of another name: the footer's text is patched in place.
  sed 's/delay/depay/g' "$source" >"$work/other-schema.parquet"
  head -c 1000000 "$source" >"$work/cut.parquet"
  refused 'missing "delay INT64"' node "$here/convert.mjs" "$work/other-schema.parquet" "$work/none"
  refused 'is no Parquet file' node "$here/convert.mjs" "$work/cut.parquet" "$work/none"
  refused "can't read" node "$here/convert.mjs" "$work/absent.parquet" "$work/none"
  refused 'holds other files' node "$here/convert.mjs" "$source" "$work"
  [[ ! -e $work/none ]] || fail "a refused conversion left something"
}

# Follows the layout as a reader would: index, manifest, configuration, layer; all digests checked.
read_layout() {
  node --input-type=module - "$work" <<'JS'
import fs from 'node:fs'
import { createHash } from 'node:crypto'
const work = process.argv[2]
const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
function blob({ digest, size }) {
  const bytes = fs.readFileSync(`${work}/image/blobs/${digest.replace(':', '/')}`)
  if (bytes.length !== size || sha256(bytes) !== digest) throw new Error(`blob ${digest} is wrong`)
  return bytes
}
const [entry] = JSON.parse(fs.readFileSync(`${work}/image/index.json`)).manifests
const manifest = JSON.parse(blob(entry))
const { config, rootfs } = JSON.parse(blob(manifest.config))
if (manifest.layers.length !== 1) throw new Error('one layer expected')
fs.writeFileSync(`${work}/layer.tar.zst`, blob(manifest.layers[0]))
fs.writeFileSync(`${work}/diff_id`, `${rootfs.diff_ids[0].replace('sha256:', '')}  -\n`)
fs.writeFileSync(`${work}/entrypoint`, config.Entrypoint.join('\n'))
fs.writeFileSync(`${work}/env`, config.Env.join('\n'))
fs.writeFileSync(`${work}/user`, config.User)
JS
}

unpack_image() {
  read_layout
  zstd -dqf "$work/layer.tar.zst" -o "$work/layer.tar"
  sha256sum --quiet -c "$work/diff_id" <"$work/layer.tar" || fail "diff_id"
  rm -rf "$work/root"
  mkdir "$work/root"
  tar -x -f "$work/layer.tar" -C "$work/root"
  grep -qx selftest-solution-canary "$work/root/app/canary.txt" || fail "canary in the layer"
  grep -rqF selftest-solution-canary "$work/image/blobs" || fail "canary in clear"
}

# The image's Python, its libraries and the program, without leaving this root.
run_in_place() {
  rm -rf "$work/inputs" "$work/result"
  mkdir -p "$work/inputs" "$work/result"
  ln -s "$work/data" "$work/inputs/1"
  (
    ulimit -v "$kMemoryKiB"
    SP_INPUTS=$work/inputs SP_OUTPUT=$work/result PYTHONHOME=$work/root/usr \
      OPENBLAS_NUM_THREADS=1 "$(echo "$work"/root/lib64/ld-linux-*.so.*)" --inhibit-cache \
      --library-path "$(echo "$work"/root/usr/lib/*-linux-gnu*)" \
      "$work"/root/usr/bin/python3.* "$work/root/app/flights.py" "$@"
  )
}

run_in_chroot() {
  local entry env
  mapfile -t entry <"$work/entrypoint"
  mapfile -t env <"$work/env"
  mkdir -p "$work/root/sp/inputs/1"
  cp "$work"/data/* "$work/root/sp/inputs/1/"
  chown "$(cat "$work/user")" "$work/root/sp/output"
  (
    ulimit -v "$kMemoryKiB"
    env -i "${env[@]}" "$(command -v chroot)" --userspec="$(cat "$work/user")" "$work/root" \
      "${entry[@]}" "${arguments[@]}"
  )
  diff -r "$work/result" "$work/root/sp/output" || fail "chroot gives another result"
  echo "   the same bytes as in place"
}

check_result() {
  node "$here/check.mjs" "$source" "$work/result" "${arguments[@]}"
}

# The check itself must see a single changed digit, a lost row and broken XML.
refusals_of_check() {
  local spoilt=$work/spoilt
  rm -rf "$spoilt"
  cp -r "$work/result" "$spoilt"
  sed -i '7s/[0-4]$/9/;7s/[5-8]$/1/' "$spoilt/by_airport.csv"
  sed -i '$d' "$spoilt/by_hour.csv"
  sed -i 's/<\/svg>/<\/svg/' "$spoilt/chart.svg"
  refused 'by_airport.csv line 7 column 6' node "$here/check.mjs" "$source" "$spoilt" \
    "${arguments[@]}"
  local text
  for text in 'by_hour.csv: expected 25 lines, found 24' "chart.svg isn't well-formed"; do
    grep -qF "$text" <<<"$refusal" || fail "expected \"$text\", got: $refusal"
  done
}

refusals_of_program() {
  refused 'a whole number' run_in_place --top 0
  refused 'control characters' run_in_place --title $'a\nb'
  refused 'unrecognized arguments' run_in_place --unknown
}

step "convert" convert_data
step "convert refuses" refusals_of_converter
step "build the image" "$here/build-image.sh" "$work/image" --canary selftest-solution-canary
step "unpack and check the image" unpack_image
step "the program refuses" refusals_of_program
step "run in place" run_in_place "${arguments[@]}"
if ((EUID == 0)); then step "run in chroot" run_in_chroot; fi
step "check" check_result
step "the check refuses" refusals_of_check
rm -rf "$work"/{spoilt,inputs,root,cut.parquet,other-schema.parquet}
rm -f "$work"/{layer.tar,layer.tar.zst,diff_id,entrypoint,env,user}
echo "selftest: all passed; the result is in $work/result"
