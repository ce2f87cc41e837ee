#!/usr/bin/env bash
# clang-tidy has nothing to say, with the checks of .clang-tidy, about any source that build/ compiles for the daemon.
set -eu
cd "${1:-.}"
[ -f build/compile_commands.json ] || { echo "build:1: there is no compile_commands.json; build first" && exit 1; }
root=$PWD
find server -name '*.c' -o -name '*.cc' | sort |
  xargs -r -P "$(nproc)" -n 1 clang-tidy --quiet -p build 2>/dev/null |
  sed -n "s#^$root/##; /^[^ ]*:[0-9]*:[0-9]*: \(warning\|error\): /p" | sort -u |
  awk '{ print } END { exit NR > 0 }'
