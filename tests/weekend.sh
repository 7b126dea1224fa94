#!/usr/bin/env bash
# weekend.sh BIN SECONDS [REPORT]: a whole local system left at work. Orders follow one another, some cancelled half-way; at the end no daemon holds more
# memory, descriptors or threads than soon after its start, beyond what the constants below allow, and none was started again. REPORT: a table, CSV.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
seconds=$2 report=${3:-/dev/null}
growth_kib=$((48 * 1024)) more_descriptors=16 more_threads=8 warm_orders=20 pause=${WEEKEND_PAUSE:-1}
# shellcheck source=tests/local.sh
. "$here/local.sh" "$1" "the weekend"
report=$(realpath "$report")

cat >"$work/program.c" <<'C'
#include <stdio.h>
#include <unistd.h>
int main(int argc, char** argv) {
  puts(argv[1]);
  fflush(stdout);
  if (argc > 2) sleep(60);
  FILE* out = fopen("/sp/output/name.txt", "w");
  return out == NULL || fputs(argv[1], out) == EOF || fclose(out) != 0;
}
C
cc -static -O2 -o "$work/program" "$work/program.c"
"$here/make-image.sh" "$work/program" "$work/image"
head -c 4000000 /dev/urandom >"$work/input"
spctl up >"$work/up.log"

declare -A pid first
for daemon in store broker provider; do
  pid[$daemon]=$(spctl status | awk -v name="$daemon" '$1 == name && $2 == "running" {print $3}')
  [ -d "/proc/${pid[$daemon]:-none}" ] || fail "no process of the $daemon"
done

# KiB, descriptors, threads of a daemon.
state_of() {
  local at=/proc/${pid[$1]}
  [ -d "$at" ] || fail "the $1 has ended"
  echo "$(awk '/^VmRSS/{print $2}' "$at/status") $(find "$at/fd" -mindepth 1 | wc -l) $(find "$at/task" -mindepth 1 -maxdepth 1 | wc -l)"
}
note() { # note ORDERS: a line of the report for each daemon
  for daemon in store broker provider; do
    echo "$SECONDS,$1,$daemon,$(state_of "$daemon" | tr ' ' ',')" >>"$report"
  done
}

order() { # order N: one that succeeds; every tenth is stopped while it runs
  if [ $(($1 % 10)) = 9 ]; then
    local code=0
    timeout --foreground -s INT 3 "$bin/spctl" --home "$home" run "$work/image" -- "name $1" stay >"$work/run.log" 2>&1 || code=$?
    [ "$code" = 124 ] || fail "order $1, which Ctrl-C should have stopped, ended with $code"
    grep -q "^The order was cancelled while it ran" "$work/run.log" || fail "order $1 wasn't cancelled"
    return 0
  fi
  spctl run "$work/image" --data "$work/input" --out "$work/out" -- "name $1" >"$work/run.log" 2>&1 || fail "order $1 ended with $?"
  grep -qx "name $1" "$work/out/output/name.txt" || fail "order $1 has another's result"
  rm -rf "$work/out"
}

echo "seconds,orders,daemon,kib,descriptors,threads" >"$report"
orders=0 noted=0
until=$((SECONDS + seconds))
while [ $SECONDS -lt $until ]; do
  order "$orders"
  orders=$((orders + 1))
  if [ "$orders" = "$warm_orders" ]; then
    for daemon in store broker provider; do first[$daemon]=$(state_of "$daemon"); done
  fi
  [ $((SECONDS - noted)) -lt 60 ] || { note "$orders" && noted=$SECONDS; }
  sleep "$pause"
done
[ "$orders" -gt "$warm_orders" ] || fail "only $orders orders in $seconds s: too few to say anything"
note "$orders"
for daemon in store broker provider; do
  read -r kib descriptors threads <<<"${first[$daemon]}"
  read -r kib_now descriptors_now threads_now <<<"$(state_of "$daemon")"
  echo "$daemon: $kib then $kib_now KiB, $descriptors then $descriptors_now descriptors, $threads then $threads_now threads"
  [ "$kib_now" -le $((kib + growth_kib)) ] || fail "the $daemon's memory grows"
  [ "$descriptors_now" -le $((descriptors + more_descriptors)) ] || fail "the $daemon's descriptors grow"
  [ "$threads_now" -le $((threads + more_threads)) ] || fail "the $daemon's threads grow"
done
echo "The weekend: $orders orders in $seconds s."
