#!/usr/bin/env bash
# order.sh BIN: an order between six machines, with 50 ms of delay and 1% of loss between any two, over TLS, with no file
# shared. Needs root, runc and tun devices, and says so where it skips.
set -euo pipefail
bin=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/node_modules
work=$(mktemp -d)
# shellcheck source=tests/far/world.sh
. "$here/world.sh"
unfit=$(far_unfit)
if [ -n "$unfit" ]; then
  echo "SKIPPED: $unfit"
  exit 77
fi
finish() {
  far_down
  rm -rf "$work"
}
trap finish EXIT
fail() {
  echo "FAILED: $*"
  tail -n 20 "$work"/*.log || true
  exit 1
}

cat >"$work/program.c" <<'C'
#include <stdio.h>
int main(void) {
  char text[64] = "";
  FILE* in = fopen("/sp/inputs/1/note.txt", "r");
  if (in == NULL || fgets(text, sizeof text, in) == NULL) return 90;
  FILE* out = fopen("/sp/output/greeting.txt", "w");
  if (out == NULL || fprintf(out, "hello: %s", text) < 0) return 91;
  return fclose(out) == 0 ? 0 : 92;
}
C
cc -static -O2 -o "$work/program" "$work/program.c"
mkdir -p "$work/customer"
"$root/tests/make-image.sh" "$work/program" "$work/customer/image"
echo "a secret note" >"$work/customer/note.txt"

started=$(date +%s%3N)
far_up || fail "the machines aren't up"
echo "six machines are up after $(($(date +%s%3N) - started)) ms"
started=$(date +%s%3N)
far_spctl customer run image --data note.txt --out result --max-price 5 --memory 64M --disk 64M || fail "run ended with $?"
echo "the order took $(($(date +%s%3N) - started)) ms"
grep -q '^hello: a secret note$' "$work/customer/result/output/greeting.txt" || fail "wrong result"
far_spctl customer orders list | grep -q settled || fail "the order isn't settled"

# No machine has what isn't its own: no other's files in its sight, no secret on its disk, nothing reached without TLS.
for role in store broker provider chain; do
  [ -z "$(far_in "$role" find "$work" -mindepth 1)" ] || fail "$role sees others' files"
  if grep -rqaF 'a secret note' "$work/$role"; then fail "the secret is on the disk of $role"; fi
done
if far_in customer curl --silent --max-time 5 "http://${far_address[store]}:8301/health" | grep -q ok; then
  fail "the store answers without TLS"
fi
if far_in customer curl --silent --max-time 5 "https://${far_address[store]}:8301/health" | grep -q ok; then
  fail "the store's certificate holds for who doesn't know it"
fi
echo "far: all well"
