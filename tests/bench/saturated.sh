# Parts of tools/bench: a daemon that is sent as much as it can take. Sourced, never run.
# shellcheck shell=bash

# The proof rule matches the bundled trace of the demo, whatever the others do.
write_proof() {
  cat >"$work/proof.yaml" <<'YAML'
- rule: Bench proof
  desc: The demo's trace executes a file of this name.
  condition: evt.type = execve and proc.name = xmrig
  output: proof (%proc.exepath)
  priority: DEBUG
YAML
}

# prove_alerts NAME PID: plays the demo's trace until the daemon has alerted.
prove_alerts() {
  local tries
  blast "$1" "$root/tests/data/traces/demo-miner" 1 "$2" >/dev/null
  for ((tries = 0; tries < 600; tries++)); do
    if grep -q '"rule":"Bench proof"' "$work/$1.out"; then
      say "the daemon alerts: $(wc -l <"$work/$1.out") alerts on the trace of the demo"
      return
    fi
    sleep 0.05
  done
  tail -n 20 "$work/$1.log" >&2
  die "the daemon does not alert on the trace of the demo: nothing was measured"
}

part_floor() {
  local alerts drain
  write_proof
  start_drain
  drain=$sink
  start_serve seccheckd "${rules[@]}" --rules "$work/proof.yaml"
  prove_alerts seccheckd "$sink"
  alerts=$(wc -l <"$work/seccheckd.out")
  compare_pairs drain "$drain" seccheckd "$sink" "$trace"
  say "alerts meanwhile: $(($(wc -l <"$work/seccheckd.out") - alerts))"
  verdict "floor: CPU a message, all rules, against a receiver that does nothing" "$ratio" 2.0
  stop "$sink"
  stop "$drain"
}

# Rules that read one kind of event, of which the trace has none; of the trace, the points that state does not need.
part_unread() {
  local drain
  cat >"$work/unread.yaml" <<'YAML'
- rule: Bench unread
  desc: Nothing in the traces does this.
  condition: evt.type = ptrace and proc.name = xmrig
  output: unread
  priority: DEBUG
YAML
  say "of ${trace##*/}, what nobody reads: $("$programs/tests/select_messages" "$trace" "$work/unread")"
  start_drain
  drain=$sink
  start_serve unread --rules "$work/unread.yaml"
  compare_pairs drain "$drain" unread "$sink" "$work/unread"
  verdict "unread: CPU a message that no rule and no state reads" "$ratio" 1.2
  stop "$sink"
  stop "$drain"
}

# synthetic_rules COUNT: of two kinds of event, each with names of its own that no trace has.
synthetic_rules() {
  seq "$1" | awk '{
    printf "- rule: Bench %d\n  desc: None\n  priority: DEBUG\n  output: x\n  condition: >\n    ", $1
    if ($1 % 2) printf "evt.type in (open, openat) and proc.name = bench%d and fd.name startswith /bench/%d/\n", $1, $1
    else printf "evt.type = execve and proc.name in (bench%d, other%d) and proc.cmdline contains bench-%d\n", $1, $1, $1
  }'
}

# synthetic_list COUNT: one rule, with a list of so many paths.
synthetic_list() {
  echo "- list: bench_paths"
  seq "$1" | awk 'BEGIN { printf "  items: [" } { printf "%s/bench/%d/file", (NR > 1 ? ", " : ""), $1 } END { print "]" }'
  cat <<'YAML'
- rule: Bench list
  desc: None
  priority: DEBUG
  output: x
  condition: evt.type in (open, openat) and fd.name in (bench_paths)
YAML
}

# compare_rules WHAT FEW MANY: the cost with many of them to that with few; WHAT is the function that writes them.
compare_rules() {
  local few
  "$1" "$2" >"$work/few.yaml"
  "$1" "$3" >"$work/many.yaml"
  start_serve few --rules "$work/few.yaml"
  few=$sink
  start_serve many --rules "$work/many.yaml"
  compare_pairs few "$few" many "$sink" "$trace"
  verdict "scale: ${1#synthetic_}: $3, against $2" "$ratio" 1.3
  stop "$sink"
  stop "$few"
}

part_scale() {
  compare_rules synthetic_rules 100 10000
  compare_rules synthetic_list 1000 1000000
}

# paced_row NAME PID RATE: twelve connections at a rate; the line is left in $line.
paced_row() {
  line=$("$programs/tests/paced" "$work/$1.sock" "$trace" 12 "$3" "$live_seconds" "$2")
  row "$paced_format" "$((12 * $3))" "$1" "$(number dropped "$line")" "$(number cpu_per_million "$line")" \
    "$(number late "$line")"
}

# Both with enlarged buffers.
part_paced() {
  local null line rate paced_format='  %11s  %-10s %9s %14s %6s'
  start_null_sink null_sink --enlarge
  null=$sink
  start_serve seccheckd "${rules[@]}"
  row "$paced_format" "messages/s" sink dropped "CPU s/million" late
  for rate in 100 1000 10000; do
    paced_row null_sink "$null" "$rate"
    paced_row seccheckd "$sink" "$rate"
  done
  verdict "paced: 12 connections, 10,000 messages a second each, dropped" "$(number dropped "$line")" 0
  verdict "paced: CPU-seconds for a million of them" "$(number cpu_per_million "$line")" 0.5
  stop "$sink"
  stop "$null"
}

# replay_ns FILE COUNT: nanoseconds of CPU a message, of a replay of the file so many times.
replay_ns() {
  local i files=() times messages
  for ((i = 0; i < $2; i++)); do files+=("$1"); done
  messages=$(number messages "$("$programs/tests/select_messages" --all "$1" "$work/all")")
  TIMEFORMAT='%U %S'
  times=$({ time "$programs/seccheckd" replay "${rules[@]}" "${files[@]}" >"$work/replay.out" 2>"$work/replay.log"; } 2>&1)
  calculate %.1f "(${times% *} + ${times#* }) * 1e9 / ($messages * $2)"
}

# of_decoder NAME: nanoseconds a message of one of the ways of bench_decode, whose output is $lines.
of_decoder() {
  sed -n "s/^$1 *\([0-9.]*\) .*/\1/p" <<<"$lines"
}

part_decode() {
  local lines messages replay of_ours=() of_arena=() round repeats format='  %-8s %10s %20s %18s %10s %18s'
  messages=$(number messages "$("$programs/tests/select_messages" --all "$trace" "$work/all")")
  repeats=$((2 * messages_per_run / messages + 1))
  row "$format" round "ours ns/msg" "protobuf-c, arena" "replay ns/msg" ratio "ratio to arena"
  for ((round = 1; round <= pairs; round++)); do
    lines=$("$programs/tests/bench_decode" "$trace" 21)
    replay=$(replay_ns "$trace" "$repeats")
    of_ours+=("$(calculate %.2f "$replay / $(of_decoder ours)")")
    of_arena+=("$(calculate %.2f "$replay / $(of_decoder arena)")")
    row "$format" "$round" "$(of_decoder ours)" "$(of_decoder arena)" "$replay" "${of_ours[-1]}" "${of_arena[-1]}"
  done
  sed 's/^/  /' <<<"$lines"
  say "alerts of the last replay: $(wc -l <"$work/replay.out")"
  verdict "decode: protobuf-c into an arena, against ours" "$(sed -n 's/^arena.*ratio //p' <<<"$lines")" ">1.0"
  verdict "decode: replay against decoding alone, by protobuf-c into an arena" "$(median "${of_arena[@]}")" 1.6
  verdict "decode: replay against decoding alone, by ours" "$(median "${of_ours[@]}")" 1.6
  verdict "decode: millions of messages replayed in a CPU-second" "$(calculate %.2f "1000 / $replay")" ">1.5"
}
