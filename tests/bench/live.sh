# Part of tools/bench: real sandboxes that are busy, with retries 0. Sourced, never run.
# shellcheck shell=bash

# write_sessions: docker/session.json for the socket of each sink, and for gVisor's own sink that does nothing.
write_sessions() {
  local name
  for name in "$@"; do
    sed "s#\"endpoint\": \"[^\"]*\"#\"endpoint\": \"$work/$name.sock\"#; s#\"retries\": [0-9]*#\"retries\": 0#" \
      "$root/docker/session.json" >"$work/$name.json"
  done
  sed '/"sinks"/,$d' "$root/docker/session.json" >"$work/null.json"
  echo '"sinks": [{"name": "null"}]}}' >>"$work/null.json"
}

# run_sandbox INDEX SESSION: busy, in a sandbox, behind the gate; without a session it is not traced. A pipe keeps runsc off
# our files.
run_sandbox() {
  local options=()
  [ "$2" = none ] || options=(--pod-init-config="$work/$2.json")
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR="$work" "$runsc" --root "$work/runsc" --network=none --platform=ptrace \
    --ignore-cgroups "${options[@]}" "do" "$programs/tests/busy" "$live_seconds" "$programs/tests/busy" \
    <"$work/gate" 2>&1 | cat >"$work/busy.$1"
}

# run_sandboxes COUNT SESSION: all of them start together; the mean microseconds of an iteration are left in $us.
run_sandboxes() {
  local i tries gate sandboxes=()
  rm -f "$work"/busy.* "$work/gate"
  mkfifo "$work/gate"
  exec {gate}<>"$work/gate"
  for ((i = 0; i < $1; i++)); do
    run_sandbox "$i" "$2" {gate}>&- &
    sandboxes+=($!)
  done
  for ((tries = 0; tries < 1200; tries++)); do
    [ "$(cat "$work"/busy.* 2>/dev/null | grep -c ready)" -lt "$1" ] || break
    sleep 0.05
  done
  cpu_before=$(cpu_ms)
  exec {gate}>&-
  wait "${sandboxes[@]}" || { cat "$work"/busy.* >&2 && die "a sandbox failed"; }
  us=$(cat "$work"/busy.* | sed -n 's/.* us=//p' | awk '{ sum += $1 } END { if (NR) printf "%.2f", sum / NR }')
  [ -n "$us" ] || { cat "$work"/busy.* >&2 && die "the sandboxes said nothing"; }
}

# cpu_ms: what the sink has used so far, if there is one.
cpu_ms() {
  [ -z "${sink-}" ] || number cpu_ms "$("$programs/tests/usage" "$sink")"
}

# counts NAME: `MESSAGES DROPPED`, of all connections that have ended.
counts() {
  sed -n -e 's/.*; \([0-9]*\) messages, \([0-9]*\) dropped by the sender.*/\1 \2/p' -e 's/^messages=\(.*\) dropped=/\1 /p' \
    "$work/$1.log" "$work/$1.out" 2>/dev/null | awk '{ m += $1; d += $2 } END { print m + 0, d + 0 }'
}

# live_row COUNT BUFFER NAME FLOOR: a run with the sink that runs; its figures are left in $us, $rate, $dropped and
# $per_million.
live_row() {
  local cpu_before cpu messages ended
  run_sandboxes "$1" "$3"
  case $3 in
  *serve) wait_for "$3" "dropped by the sender" "$1" ;;
  esac
  cpu=$(calculate %.3f "$(cpu_ms) - $cpu_before")
  ended=$(counts "$3")
  messages=${ended% *} dropped=${ended#* }
  rate=$(calculate %.0f "$messages / $live_seconds")
  per_million=$(calculate %.3f "$cpu * 1000 / ($messages + ($messages == 0))")
  row "$live_format" "$1" "$2" "$3" "$us" "$(calculate %.2f "$us / ${4:-$us}")" \
    "$rate" "$dropped" "$per_million"
}

# live_pair COUNT BUFFER: a sink that does nothing, then the daemon, both with enlarged buffers or both with stock ones.
live_pair() {
  local us rate dropped per_million floor cpu_floor enlarge=() sink
  serve_prefix=()
  if [ "$2" = enlarged ]; then
    enlarge=(--enlarge)
  else
    serve_prefix=(setpriv --bounding-set=-sys_ptrace,-net_admin --inh-caps=-sys_ptrace,-net_admin)
  fi
  start_null_sink sink "${enlarge[@]}"
  live_row "$1" "$2" sink
  floor=$us cpu_floor=$per_million
  stop "$sink"
  rm -f "$work/sink.sock" "$work/sink.out"
  start_serve serve "${rules[@]}"
  live_row "$1" "$2" serve "$floor"
  stop "$sink"
  [ "$2" = enlarged ] || return 0
  say "the daemon's CPU for a message to that of the sink that does nothing: $(calculate %.2f "$per_million / $cpu_floor")"
  verdict "live: $1 sandboxes, messages dropped" "$dropped" 0
  verdict "live: $1 sandboxes, CPU-seconds for a million messages, at $rate/s" "$per_million" 0.5
  verdict "live: $1 sandboxes, the program's time against a sink that does nothing" "$(calculate %.2f "$us / $floor")" 1.5
}

# What the program takes when nobody listens, and when gVisor makes the events and nobody gets them.
live_alone() {
  local us sink=
  run_sandboxes 1 none
  row "$live_format" 1 "" "not traced" "$us" "" "" "" ""
  run_sandboxes 1 null
  row "$live_format" 1 "" "gVisor's own null" "$us" "" "" "" ""
}

part_live() {
  local live_format='  %9s  %-9s %-18s %9s %7s %11s %9s %14s' cpu_before count
  runsc=$(command -v runsc || echo /usr/bin/runsc)
  if [ "$(id -u)" -ne 0 ] || [ ! -x "$runsc" ]; then
    say "live: skipped: it needs root and runsc"
    return
  fi
  write_sessions sink serve
  say "$live_seconds s each, on $(nproc) processors"
  row "$live_format" sandboxes buffer sink "us/iter" ratio "messages/s" dropped "CPU s/million"
  live_alone
  for count in "${crowds[@]}"; do
    live_pair "$count" enlarged
    live_pair "$count" stock
  done
}
