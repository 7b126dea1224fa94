#!/usr/bin/env bash
# command_line.sh BIN: what the programs say and end with where the command line or its output is at fault; no network is needed.
set -euo pipefail
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "FAILED: $*"
  cat "$work/said"
  exit 1
}
spctl() { "$bin/spctl" --home "$work/home" "$@"; }
spnode() { "$bin/spnode" "$@"; }
# ends CODE WORDS COMMAND...: the command ends with the code, and its standard error holds the words.
ends() {
  local want=$1 words=$2 code=0
  shift 2
  "$@" 2>"$work/said" || code=$?
  [ "$code" = "$want" ] || fail "$* ended with $code, not $want"
  grep -qF -- "$words" "$work/said" || fail "$*: no word of: $words"
}

# Output that is lost is no success; a reader who has seen enough is one.
lost="No space left on device. What was asked for is done"
for command in "keys list" "--json keys list" "completion bash" "man" "--help" "--version"; do
  # shellcheck disable=SC2086
  ends 1 "$lost" spctl $command >/dev/full
done
for command in "completion bash" "man" "--help" "init store --folder $work/store --host 127.0.0.1"; do
  # shellcheck disable=SC2086
  ends 1 "$lost" spnode $command >/dev/full
done
spctl man | head -n 1 >/dev/null || fail "a reader who leaves is an error"
# What no order and no offer can be made with, before anything is asked or paid.
ends 2 "--pids: Value 0 not in range" spctl run ./image --pids 0
ends 2 "--time: Value 0 not in range" spctl orders create ./image --time 0
for days in 0 -3; do
  ends 2 "--days: Value $days not in range" spctl offers create data --package 0x1 --days $days
  ends 2 "--days: Value $days not in range" spctl policy template --days $days
done
ends 2 "--pids: Value 0 not in range" spctl offers create compute --pids 0

# What is no id and no address is wrong usage.
ends 2 'account "0x1" is refused' spctl tokens transfer 0x1 1
ends 2 'account "0x" is refused' spctl providers get 0x
ends 2 'offer "0x1" is refused' spctl offers get 0x1
ends 2 '--market "0x1" is refused' spctl contracts verify --rpc http://127.0.0.1:1 --market 0x1
ends 2 'package "abc" is refused' spctl files download abc --out "$work/out"
# JSON wherever it is asked for.
spctl --json completion bash | grep -q '"script"' || fail "no JSON of completion"
spctl --json man | grep -q '"page"' || fail "no JSON of man"

# A daemon's help shows its own examples.
for role in store broker provider; do
  spnode "$role" --help >"$work/said"
  grep -q "spnode $role --config $role.json" "$work/said" || fail "no example of $role"
  if grep -q "spnode init" "$work/said"; then fail "examples of others in the help of $role"; fi
done

# Where a daemon can't listen, and a certificate that its card's clients wouldn't take.
ends 2 "isn't an IP address" spnode init store --folder "$work/named" --host 127.0.0.1 --listen store.example
sed -i 's/0\.0\.0\.0/store.example/' "$work/store/store.json"
ends 2 "isn't an IP address" spnode check store --config "$work/store/store.json"
ends 2 "isn't an IP address" spnode init store --folder "$work/store" --host 127.0.0.1
sed -i 's/store\.example/127.0.0.1/' "$work/store/store.json"
ends 2 "isn't for other.example" spnode init store --folder "$work/store" --host other.example

# A store in a bucket whose credentials are nowhere, and where they are.
sed -i '0,/{/s||{"backend": {"s3": {"url": "s3://bucket/here"}},|' "$work/store/store.json"
check_store() { env -C "$work/store" -i HOME="$work" "$@" "$bin/spnode" check store --config store.json; }
ends 2 "backend.s3: nobody says who asks the S3 server" check_store
ends 2 "backend.s3: S3 settings: not a secret key" check_store AWS_ACCESS_KEY_ID=a
check_store AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b >/dev/null || fail "credentials of the environment don't count"
mkdir "$work/.aws"
printf '[default]\naws_access_key_id = a\naws_secret_access_key = b\n' >"$work/.aws/credentials"
check_store >/dev/null || fail "credentials of ~/.aws don't count"
ends 2 "backend.s3: $work/.aws/credentials: no profile [other]" check_store AWS_PROFILE=other

# A home that can't be written is in a customer's way.
if [ "$(id -u)" = 0 ]; then
  mkdir "$work/readonly"
  code=0
  # shellcheck disable=SC2016
  unshare -m bash -c 'mount -t tmpfs -o ro none "$1" || exit 99; "$2" --home "$1" doctor' \
    bash "$work/readonly" "$bin/spctl" >"$work/said" || code=$?
  [ "$code" = 1 ] || fail "doctor of a read-only home ended with $code"
  grep -q "^problem  home: .*Read-only file system" "$work/said" || fail "doctor doesn't see a read-only home"
fi

# Completion behind values. In each shell: what may stand at the end of a command line of spctl or spnode.
bash_offers() {
  bash -c '. "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); "_$2"; echo "${COMPREPLY[*]}"' \
    bash "$work/$1.bash" "$@"
}
zsh_offers() {
  zsh -f -c '
    compdef() { }
    compadd() { shift; print -r -- "$@" }
    . "$1"; words=("${@:2}"); CURRENT=$#words; before=$PATH; "_$2"; [[ $PATH == $before ]]
  ' zsh "$work/$1.zsh" "$@"
}
# shellcheck disable=SC2016
fish_offers() { fish --no-config -c '. $argv[1]; complete -C "$argv[2..]"' "$work/$1.fish" "$@"; }
for shell in bash zsh fish; do
  spctl completion "$shell" >"$work/spctl.$shell"
  spnode completion "$shell" >"$work/spnode.$shell"
  # offers WORD COMMAND...: the word is among what may stand in the last one's place.
  offers() {
    local word=$1
    shift
    "${shell}_offers" "$@" >"$work/said" || fail "$shell: $*"
    grep -qE -- "(^|[[:space:]])$word([[:space:]]|\$)" "$work/said" || fail "$shell: $*: no $word"
  }
  offers --data spctl run ./image --
  offers --memory spctl run ./image --data x --m
  offers --out spctl orders result 0x12 --
  offers resume spctl --home /tmp orders re
  offers orders spctl ord
  offers workflows spctl work
  offers --out spctl workflows result 0x12 --
  offers provider spnode pro
  offers --config spnode store --
  offers --authority spnode init provider --folder x --a
  offers --config spnode check broker --
done

echo "command line: all well"
