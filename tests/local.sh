# shellcheck shell=bash
# A test of a whole local system below a folder of its own, stopped and removed at the end. Sourced: . local.sh BIN WHAT
# Needs root and runc, and says so where it skips.
bin=$1
if [ "$(id -u)" != 0 ] || ! command -v runc >/dev/null; then
  echo "SKIPPED: $2 needs root and runc"
  exit 77
fi
work=$(mktemp -d)
home=$work/home
spctl() { "$bin/spctl" --home "$home" "$@"; }
finish() {
  spctl down >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "FAILED: $*"
  tail -n 30 "$work"/*.log "$home"/*/*.log || true
  exit 1
}
# shellcheck source=tests/within.sh
. "$(dirname "${BASH_SOURCE[0]}")/within.sh"
