#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# hotplug.sh - CPUs come and go, under load while it schedules, and while it is being started.
. "$(dirname "$0")/lib.sh"

last=$(($(nproc) - 1))

# CPU: a task that may use no other gets to run.
runs_on() { timeout "$PATIENCE" taskset -c "$1" true; }

# SECONDS: all CPUs but the first go and come, as fast as they can.
flap() {
  local end=$((SECONDS + $1)) cpu online
  while ((SECONDS < end)); do
    for online in 0 1; do
      for ((cpu = 1; cpu <= last; cpu++)); do turn "$cpu" "$online"; done
    done
  done
}

restarts() { grep -c 'asks for a restart' "$scheduler_log"; }

under_load() {
  local turns_done=0 wrong="" cpu i
  attach "it attaches" scx_cppland
  load cppland-load --frames 1 --hogs-per-cpu 2 --seconds 1000
  load stress-ng --timeout 1000 --switch 2 --futex 1 --fork 1
  sleep 1
  for ((i = 0; i < 10; i++)); do
    cpu=$((1 + i % last))
    turn "$cpu" 0 && patiently $PATIENCE enabled && runs_on 0 || wrong+=" (CPU $cpu went: state $(state), ops $(ops))"
    sleep 0.3
    turn "$cpu" 1 && patiently $PATIENCE enabled && runs_on "$cpu" || wrong+=" (CPU $cpu came: state $(state), ops $(ops))"
    sleep 0.3
    turns_done=$((turns_done + 1))
  done
  if [[ -z $wrong ]]; then
    ok "it schedules on when a CPU goes and comes" "$turns_done times, $(restarts) restarts"
  else
    fail "it schedules on when a CPU goes and comes" "${wrong# }"
    tell_log
  fi
  detach "SIGINT after hotplug under load ends it with status 0" INT
  quiet
}

# NUMBER: starts it while CPUs come and go; it may give up, but must say why.
start_in_storm() {
  local name="start $1 in a hotplug storm" storm
  flap 6 &
  storm=$!
  start scx_cppland
  wait "$storm"
  patiently $PATIENCE decided
  if lives "$scheduler" && enabled; then
    ok "$name" "attached after $(restarts) restarts"
    seen_restarts=$((seen_restarts + $(restarts)))
    memory_is_small "start $1"
    runs_on "$last" || fail "$name" "no task gets to run on CPU $last"
    detach "SIGINT after start $1 ends it with status 0" INT
  elif lives "$scheduler"; then
    fail "$name" "it lives, but the state is $(state)"
    tell_log
    end_scheduler KILL
  else
    reap
    if [[ $status == 1 ]] && grep -q '^scx_cppland: ' "$scheduler_log"; then
      ok "$name" "gave up: $(tail -n 1 "$scheduler_log" | cut -c 1-200)"
    else
      fail "$name" "it ended with status $status"
      tell_log
    fi
  fi
}

storms() {
  local number storm
  for number in 1 2 3; do start_in_storm "$number"; done
  compare "restarts in the same process" "$seen_restarts" ">=" 1

  # It is told to end when it may be anywhere between two attempts.
  flap 6 &
  storm=$!
  start scx_cppland
  sleep 3
  detach "SIGINT in a hotplug storm ends it with status 0" INT
  wait "$storm"
}

watch_kernel
under_load
seen_restarts=0
if [[ $(uname -r) == 6.* ]]; then
  remark "no hotplug storms here: on Linux 6.16 a CPU that goes and a BPF map (task storage) that is let go at the same"
  remark "time may wait for each other for ever, whoever owns the map"
else
  storms
fi
kernel_is_content "the kernel has no complaint"
finish
