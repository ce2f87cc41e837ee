# Shared by the programs in tools/: sourced, never run. Sets root, the top folder of the source tree.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=${JOBS:-$(nproc)}

# say TEXT...: one line of progress on standard error, so that results stay alone on standard output.
say() {
  printf '==> %s\n' "$*" >&2
}

# die TEXT...: why this cannot go on, and exit status 1.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage: prints the comment at the head of the running program, which is its manual.
usage() {
  sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
}

# configure DIR [CMAKE_OPTION...]: prepares $root/DIR for ninja.
configure() {
  local dir=$root/$1
  shift
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  cmake -S "$root" -B "$dir" -G Ninja "${launcher[@]}" "$@" >"$dir.log" 2>&1 || {
    cat "$dir.log" >&2
    die "cmake could not configure ${dir#"$root"/}"
  }
  rm -f "$dir.log"
}

# build DIR [TARGET...]: everything in it, or the targets.
build() {
  local dir=$1 targets=()
  shift
  [ $# -gt 0 ] && targets=(--target "$@")
  cmake --build "$root/$dir" -j "$jobs" "${targets[@]}" >&2
}
