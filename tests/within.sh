# shellcheck shell=bash
# What tests wait with. Sourced: . within.sh; `fail` is of who sources it.

within() { # within SECONDS COMMAND...: until it says yes
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -le "$end" ] || return 1
    sleep 0.05
  done
}
hold_lock() { # hold_lock PATH: the process `holder` has a lock on it, until it is killed
  flock -F "$1" sleep 120 >/dev/null 2>&1 &
  # shellcheck disable=SC2034  # of who sources it
  holder=$!
  within 10 is_locked "$1" || fail "$1 isn't locked"
}
is_locked() { ! flock -n "$1" true; }
