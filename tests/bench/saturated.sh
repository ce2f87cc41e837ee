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
  local alerts
  write_proof
  start_drain
  drain=$sink
  start_serve rules "${rules[@]}" --rules "$work/proof.yaml"
  prove_alerts rules "$sink"
  alerts=$(wc -l <"$work/rules.out")
  compare_pairs rules "$sink" "$trace"
  say "alerts meanwhile: $(($(wc -l <"$work/rules.out") - alerts))"
  verdict "floor: CPU a message, all rules, against a receiver that does nothing" "$ratio" 2.0
  stop "$sink"
  stop "$drain"
}

# Rules that read one kind of event, of which the trace has none; of the trace, the points that state does not need.
part_unread() {
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
  start_serve nobody --rules "$work/unread.yaml"
  compare_pairs nobody "$sink" "$work/unread"
  verdict "unread: CPU a message that no rule and no state reads" "$ratio" 1.2
  stop "$sink"
  stop "$drain"
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

part_decode() {
  local lines messages ours replay runs=() round repeats
  messages=$(number messages "$("$programs/tests/select_messages" --all "$trace" "$work/all")")
  repeats=$((2 * messages_per_run / messages + 1))
  row '  %-8s %20s %20s %10s' round "decode ns/msg" "replay ns/msg" ratio
  for ((round = 1; round <= pairs; round++)); do
    lines=$("$programs/tests/bench_decode" "$trace" 21)
    ours=$(sed -n 's/^ours *\([0-9.]*\) .*/\1/p' <<<"$lines")
    replay=$(replay_ns "$trace" "$repeats")
    runs+=("$(calculate %.2f "$replay / $ours")")
    row '  %-8s %20s %20s %10s' "$round" "$ours" "$replay" "${runs[-1]}"
  done
  sed 's/^/  /' <<<"$lines"
  say "alerts of the last replay: $(wc -l <"$work/replay.out")"
  verdict "decode: protobuf-c into an arena, against ours" "$(sed -n 's/^arena.*ratio //p' <<<"$lines")" ">1.0"
  verdict "decode: replay against decoding alone" "$(median "${runs[@]}")" 1.6
  verdict "decode: millions of messages replayed in a CPU-second" "$(calculate %.2f "1000 / $replay")" ">1.5"
}
