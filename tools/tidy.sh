#!/usr/bin/env bash
# make tidy: clang-tidy over the rooms and programs. Slow (minutes), so it isn't part of make lint.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null
git ls-files 'src/*.cpp' 'apps/*.cpp' | grep -vE '_(test|fuzz)\.cpp$' |
  xargs -P "$(nproc)" -n 4 clang-tidy-14 -p build/release --quiet
