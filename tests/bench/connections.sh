# Part of tools/bench: many sandboxes that connect at once, and stay. Sourced, never run.
# shellcheck shell=bash

# connect_row WHAT SINK PROGRAM [ARGUMENT]...: 1,000 of them, or 100 with --quick; the line is left in $line.
connect_row() {
  local what=$1 socket=$work/$2.sock program=$programs/tests/$3
  shift 3
  line=$("$program" "$socket" "$crowd" "$@")
  row "$connect_format" "$what" "$(number p50_ms "$line")" "$(number p95_ms "$line")" "$(number max_ms "$line")" \
    "$(number connected_kib "$line")" "$(number with_state_kib "$line")"
  [ "$(number answered "$line")" -eq "$crowd" ] || say "only $(number answered "$line") of $crowd were answered"
}

part_connections() {
  local floor idle_mib single trace=$root/tests/data/traces/detect-python line
  local connect_format='  %-44s %9s %9s %9s %12s %12s'
  ulimit -n "$(ulimit -H -n)"
  start_null_sink accept
  floor=$sink
  start_serve crowd "${rules[@]}"
  say "$crowd at once, one silent and one garbage in front of them; KiB of the daemon for each connection"
  row "$connect_format" "" "p50 ms" "p95 ms" "max ms" "KiB idle" "KiB + state"
  single=$("$programs/tests/connections" "$work/crowd.sock" 1 "$sink")
  connect_row "seccheckd, each looks like runsc" crowd connections "$sink" "$trace"
  verdict "connections: KiB of an idle one" "$(number connected_kib "$line")" 32
  verdict "connections: KiB of an idle one in which programs ran" "$(number with_state_kib "$line")" 32
  idle_mib=$(calculate %.1f "$(number with_state_kib "$line") * $crowd / 1024")
  [ "$crowd" -lt 1000 ] || verdict "connections: MiB of 1,000 idle ones" "$idle_mib" 48
  verdict "connections: ms to the answer, one alone" "$(number max_ms "$single")" 5
  verdict "connections: ms to the answer, $crowd at once, median" "$(number p50_ms "$line")" 50
  verdict "connections: ms to the answer, $crowd at once, longest" "$(number max_ms "$line")" 250
  connect_row "accept and answer only, the same" accept connections "$floor"
  connect_row "seccheckd, strangers of one process" crowd strangers
  verdict "connections: the same, of strangers, median" "$(number p50_ms "$line")" 50
  verdict "connections: the same, of strangers, longest" "$(number max_ms "$line")" 250
  connect_row "accept and answer only, the same" accept strangers
  stop "$sink"
  stop "$floor"
}
