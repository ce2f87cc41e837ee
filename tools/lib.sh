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

# configure DIR [CMAKE_OPTION...]: prepares $root/DIR for ninja. Where the compiler is another one than last time, cmake
# begins again and forgets every option, so it is asked once more.
configure() {
  local dir=$root/$1 log=$root/$1/configure.log
  shift
  local launcher=()
  if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  mkdir -p "$dir"
  run_cmake() {
    cmake -S "$root" -B "$dir" -G Ninja "${launcher[@]}" "$@" >"$log" 2>&1 || {
      cat "$log" >&2
      die "cmake could not configure ${dir#"$root"/}"
    }
  }
  run_cmake "$@"
  ! grep -q "variables that require your cache to be deleted" "$log" || run_cmake "$@"
}

# build DIR [TARGET...]: everything in it, or the targets. What the compilers say is shown when they fail.
build() {
  local dir=$1 targets=()
  shift
  [ $# -gt 0 ] && targets=(--target "$@")
  cmake --build "$root/$dir" -j "$jobs" "${targets[@]}" >"$root/$dir/build.log" 2>&1 || {
    cat "$root/$dir/build.log" >&2
    die "$dir could not be built"
  }
}

# skipped_cases LOG: of ctest's LastTest.log, `PROGRAM TEST: REASON` for each test case that skipped itself; the reason
# is the last thing that it printed. A program that says `skipped: REASON` outside of a case has skipped all of itself.
skipped_cases() {
  awk '
    / Testing: / { program = $NF; test = ""; next }
    /^\[ RUN / { test = $NF; reason = "no reason given"; next }
    /^\[  SKIPPED \] / { if ($NF == test) print program " " test ": " reason }
    /^\[/ { test = ""; next }
    test == "" { if (sub(/^skipped: /, "")) print program ": " $0; next }
    { sub(/^skipped: /, ""); reason = $0 }
  ' "$1"
}

# alert_text EVENT: the output text of an alert object, cut to what a terminal shows in two lines.
alert_text() {
  sed -n 's/.*"output":"\(\([^"\\]\|\\.\)*\)".*/\1/p' <<<"$1" | sed 's/\\\(["\\/]\)/\1/g' | cut -c 1-160
}
