# Shared by the parts of tools/bench: sourced, never run. work is their folder, programs the one with what is built.
# shellcheck shell=bash

pids=()

# number NAME LINE: the value of NAME=… in a line that a program printed.
number() {
  sed -n "s|.*\b$1=\([0-9.]*\).*|\1|p" <<<"$2"
}

# median NUMBER...
median() {
  printf '%s\n' "$@" | sort -n | awk '{ a[NR] = $1 } END { print NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
}

# calculate FORMAT EXPRESSION: awk's arithmetic.
calculate() {
  awk "BEGIN { printf \"$1\", $2 }"
}

# row FORMAT VALUE...: a line of a table.
row() {
  # shellcheck disable=SC2059 # the formats are ours
  printf "$@"
  echo
}

# verdict WHAT VALUE LIMIT [UNIT]: remembers for the table at the end what has a budget, `at most` unless LIMIT begins with
# a `>`.
verdicts=()
verdict() {
  local word=missed most=${3#>} compare="($2 <= ${3#>})" text="<= ${3#>}"
  [ "$most" = "$3" ] || { compare="($2 >= $most)" && text=">= $most"; }
  [ "$(calculate %d "$compare")" -eq 0 ] || word=kept
  verdicts+=("$1|$2${4:+ $4}|$text${4:+ $4}|$word")
}

print_verdicts() {
  local line what value limit word
  row '\n%-78s %14s %14s  %s' "what has a budget" measured budget ""
  for line in "${verdicts[@]}"; do
    IFS='|' read -r what value limit word <<<"$line"
    row '%-78s %14s %14s  %s' "$what" "$value" "$limit" "$word"
  done
}

# start_drain, start_serve NAME [OPTION]..., start_null_sink NAME [OPTION]...: a sink at $work/NAME.sock, with its output
# in NAME.out and its log in NAME.log; its process is $sink.
start_drain() {
  "$programs/tests/drain" "$work/drain.sock" &
  sink=$!
  pids+=("$sink")
}

start_null_sink() {
  local name=$1
  shift
  "$programs/tests/null_sink" "$work/$name.sock" "$@" >"$work/$name.out" 2>"$work/$name.log" &
  sink=$!
  pids+=("$sink")
  wait_for_file "$work/$name.sock"
}

# The words in front of the daemon's name: what it is started by.
serve_prefix=()
start_serve() {
  local name=$1
  shift
  : >"$work/$name.log"
  "${serve_prefix[@]}" "$programs/seccheckd" serve --listen "$work/$name.sock" "$@" >"$work/$name.out" 2>"$work/$name.log" &
  sink=$!
  pids+=("$sink")
  wait_for "$name" "ready: "
}

# wait_for NAME TEXT [COUNT]: until the log of a daemon has so many lines with a text (1).
wait_for() {
  local tries
  for ((tries = 0; tries < 1200; tries++)); do
    [ "$(grep -sc "$2" "$work/$1.log" || true)" -lt "${3:-1}" ] || return 0
    sleep 0.05
  done
  tail -n 20 "$work/$1.log" >&2
  die "the log of $1 does not say: $2"
}

wait_for_file() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    [ ! -e "$1" ] || return 0
    sleep 0.05
  done
  die "$1 does not appear"
}

# stop PID: SIGTERM; its exit status must be that of one that was asked to go.
stop() {
  local status=0 pid left=()
  kill -TERM "$1"
  wait "$1" || status=$?
  for pid in "${pids[@]}"; do [ "$pid" = "$1" ] || left+=("$pid"); done
  pids=("${left[@]}")
  [ $status -eq 0 ] || [ $status -eq 143 ] || die "the exit status of a sink was $status"
}

# Whatever is still there, at the end or when something failed.
stop_all() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
}

# blast NAME TRACE REPEATS PID: the line of tests/bench/blast.
blast() {
  "$programs/tests/blast" "$work/$1.sock" "$2" "$3" "$4"
}

# compare_pairs FLOOR PID NAME PID TRACE: CPU of two sinks for each message, taking turns; the median of the ratios is left in
# $ratio.
compare_pairs() {
  local file=$5 messages times pair floors=() costs=() ratios=() format='  %-8s %20s %20s %8s'
  messages=$(number messages "$(blast "$1" "$file" 1 "$2")")
  times=$((messages_per_run / messages + 1))
  say "trace ${file##*/}: $messages messages, $times times in each run"
  row "$format" pair "$1 us/msg" "$3 us/msg" ratio
  for ((pair = 1; pair <= pairs; pair++)); do
    floors+=("$(number us/msg "$(blast "$1" "$file" "$times" "$2")")")
    costs+=("$(number us/msg "$(blast "$3" "$file" "$times" "$4")")")
    ratios+=("$(calculate %.2f "${costs[-1]} / ${floors[-1]}")")
    row "$format" "$pair" "${floors[-1]}" "${costs[-1]}" "${ratios[-1]}"
  done
  ratio=$(median "${ratios[@]}")
  row "$format" median "$(median "${floors[@]}")" "$(median "${costs[@]}")" "$ratio"
}
