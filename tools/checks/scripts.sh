#!/usr/bin/env bash
# Every shell program parses and passes shellcheck; every Python program compiles.
set -eu
cd "${1:-.}"
folders=()
for folder in tools .ci docker tests; do
  [ ! -d "$folder" ] || folders+=("$folder")
done

# files_with HEAD: those whose first line names the interpreter, and shell libraries by their name.
files_with() {
  find "${folders[@]}" -type f -size -256k ! -path '*/data/*' ! -path '*/corpus/*' -print0 | sort -z |
    while IFS= read -r -d '' file; do
      IFS= read -r line <"$file" 2>/dev/null || continue
      case $line in
      '#!'*"$1"*) echo "$file" ;;
      esac
    done
}

findings() {
  { files_with sh && find tools -name lib.sh; } | sort -u | while read -r file; do
    bash -n "$file" 2>&1 | sed 's/^\([^ ]*\): line \([0-9]*\): /\1:\2: /'
    shellcheck --external-sources --format=gcc "$file" | sed 's/^\([^ ]*:[0-9]*\):[0-9]*: /\1: /' || true
  done
  files_with python | while read -r file; do
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" 2>&1 |
      sed -n "s#^ *File \"\(.*\)\", line \([0-9]*\)#\1:\2: does not compile#p"
  done
}

findings | awk '{ print } END { exit NR > 0 }'
