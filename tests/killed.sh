# shellcheck shell=bash
# Transfers of spctl that are killed at random moments and have to go on where they were. Sourced: . killed.sh
# It needs `bin`, `work`, `fail` and the home $work/home; `midway` is what happens besides when half of the kills are over.
# shellcheck disable=SC2154  # of who sources it
kills=${KILLS:-12}                   # in each direction
longest_ms=${longest_ms:-400}        # before the last of them; the first come early, so that no machine is too quick for them
under_way=$((8 * ((1 << 20) + 16))) # bytes that a kill may cost: as many chunks as are moved at once
most_kib=0
midway() { :; }

# attempt SECONDS COMMAND...: runs it, and kills it after that time, 0 = never; the exit code is in `code`.
attempt() {
  local seconds=$1
  shift
  "$bin/spctl" --home "$work/home" "$@" >"$work/out" 2>>"$work/spctl.log" &
  local pid=$! kib
  if [ "$seconds" != 0 ]; then
    sleep "$seconds"
  fi
  while kill -0 "$pid" 2>/dev/null; do
    kib=$(sed -n 's/^VmHWM:[ \t]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null || true)
    if [ "${kib:-0}" -gt "$most_kib" ]; then most_kib=$kib; fi
    if [ "$seconds" != 0 ]; then
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.02
  done
  code=0
  wait "$pid" 2>/dev/null || code=$?
}
# kept: bytes of what the home has of transfers: an upload's journal, a download's blobs and parts of them.
kept() {
  if [ ! -d "$work/home/transfers" ]; then echo 0 && return; fi
  find "$work/home/transfers" -type f -regextype posix-extended -regex '.*/([0-9a-f]{64}(\.part)?|[0-9a-f]+\.upload)' \
    -printf '%s\n' 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'
}
# repeat COMMAND...: kills it again and again at random moments, then lets it end. `killed` says how often.
# Where a machine is so slow that nothing is kept by then, it is killed some times more, later and later.
repeat() {
  local i ms now had=0
  killed=0
  for ((i = 0; i < kills || (had == 0 && i < 2 * kills); ++i)); do
    if [ "$i" = $((kills / 2)) ]; then midway; fi
    ms=$((1 + RANDOM % (longest_ms * (i + 1) / kills)))
    attempt "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))" "$@"
    if [ "$code" = 0 ]; then break; fi
    [ "$code" = 137 ] || fail "$* ended with $code"
    killed=$((killed + 1))
    # A kill may come when all has been done and said.
    if [ -s "$work/out" ]; then
      code=0
      break
    fi
    now=$(kept)
    # What lies at its place isn't kept any more.
    [ -e "$work/got" ] || [ "$now" -ge "$had" ] || fail "$*: of $had bytes that were kept a kill left $now"
    had=$now
  done
  if [ "$code" != 0 ]; then attempt 0 "$@"; fi
  [ "$code" = 0 ] || fail "$* ended with $code after $killed kills"
  [ "$killed" -ge 2 ] || fail "too quick to be killed: set SIZE_MIB"
  [ "$had" -gt 0 ] || [ -e "$work/got" ] || fail "$*: nothing is kept after a kill"
}
# moved_once MOVED SIZE: all was moved, and besides what was under way at a kill nothing twice.
moved_once() {
  echo "$1 bytes were moved of $2, with $killed kills"
  [ "$1" -le $(($2 + killed * under_way)) ] || fail "it begins anew after a kill: $1 bytes were moved of $2"
  # A store that is killed forgets what it counted of the last moment.
  [ "$1" -ge $(($2 - under_way)) ] || fail "the count of what is moved is none"
}
