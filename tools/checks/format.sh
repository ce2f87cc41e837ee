#!/usr/bin/env bash
# Every C and C++ source is as clang-format leaves it, with the rules of .clang-format.
set -eu
cd "${1:-.}"
folders=()
for folder in server include tests probe; do
  [ ! -d "$folder" ] || folders+=("$folder")
done
# shellcheck disable=SC2038 # no file of ours has a blank in its name
find "${folders[@]}" -name '*.[ch]' -o -name '*.cc' | sort |
  xargs -r clang-format --dry-run -Werror --style=file 2>&1 |
  sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: error: .*/\1: not as clang-format has it/p' |
  awk '{ print } END { exit NR > 0 }'
