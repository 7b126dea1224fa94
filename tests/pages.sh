#!/usr/bin/env bash
# pages.sh BIN: the manual pages name every command and every option that --help names, at the command's place, and groff, where
# it is, finds nothing to warn of.
set -euo pipefail
bin=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*"; exit 1; }

# names BLOCKS: the first words of what --help lists under such headings, each name of an option by itself, and without what the
# parser adds to a flag that says no.
names() {
  awk -v blocks="^($1):\$" '$0 ~ blocks { on = 1; next } /^$/ { on = 0 } on && /^  [^ ]/ { print $1 }' "$work/help" |
    sed 's/{.*//' | tr , '\n'
}
# section HEADING: what the page says below it, as it is read.
section() {
  sed 's/\\-/-/g; s/\\&//g; s/\\e/\\/g' "$work/page" |
    awk -v heading="$1" '$0 == heading { on = 1; next } /^\.S[SH]/ { on = 0 } on'
}
# check PROGRAM COMMAND...: the command, and all below it.
check() {
  local heading=".SS \"$*\"" name
  [ $# -gt 1 ] || heading=".SH OPTIONS"
  "$bin/$1" "${@:2}" --help >"$work/help" || fail "no help of $*"
  section "$heading" >"$work/section"
  [ -s "$work/section" ] || fail "the page says nothing of $*"
  if [ $# -gt 1 ]; then
    read -r name < <(sed '1s/ (alias: .*//' "$work/help")
    grep -qF -- "$name" "$work/section" || fail "the page doesn't say what $* is for: $name"
    commands=$((commands + 1))
  fi
  for name in $(names 'Options|Positionals'); do
    grep -qE -- "^\.B \"(.*, )?$name(,? .*)?\"\$" "$work/section" || fail "the page has no $name of $*"
    options=$((options + 1))
  done
  for name in $(names Subcommands); do check "$@" "$name"; done
}

for program in spctl spnode; do
  "$bin/$program" man >"$work/page"
  version=$("$bin/$program" --version)
  grep -qF "\"$program ${version##* }\"" "$work/page" || fail "the page of $program is of another version"
  commands=0 options=0
  check "$program"
  listed=$(grep -c '^\.SS' "$work/page")
  [ "$listed" = "$commands" ] || fail "the page of $program has $listed commands, its help $commands"
  echo "$program: $commands commands, $options options and arguments"
  if command -v groff >/dev/null; then
    groff -man -ww -z "$work/page" 2>"$work/warnings" || fail "groff refuses the page of $program"
    [ ! -s "$work/warnings" ] || fail "groff of $program: $(cat "$work/warnings")"
  else
    echo "no groff here: the page of $program isn't set"
  fi
done
[ "$options" -ge 10 ] || fail "no options were found"
