#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# soak.sh - load, faults, hotplug and upgrades, at random, for long.
#
# usage: soak.sh SEED SECONDS
#
# After each act: the scheduler is attached, and all the while it was the same dispatcher, but where the act ends it; no
# hog went without work or waited for longer than a policy may let it; and the kernel has no complaint.
. "$(dirname "$0")/lib.sh"

RANDOM=${1:-1}
readonly END=$((SECONDS + ${2:-60})) BEGIN=$SECONDS
readonly HOGS=10 STARVED_US=2600000 # 2 s, looked after every 50 ms, and a turn of each of them before it
readonly POLICIES=(deadline eevdf fifo edf mlfq lottery)
last=$(($(nproc) - 1))
declare -A times=()
longest_hog=0
told=0

pick() { picked=${*:1+RANDOM % $#:1}; } # WORD...: one of them into $picked

# --- acts ---

upgrade() {
  pick "${POLICIES[@]}"
  take_over scx_cppland --upgrade --policy "$picked" --slice-us $((2000 + RANDOM % 30000)) ||
    fail "$act" "$wrong"
}

hang() { # a successor that never answers
  if take_over scx_faulty --policy hangs --upgrade; then fail "$act" "it was believed"; fi
}

faulty() { # a policy that goes wrong, and is replaced
  pick spins sleeps dawdles page-faults never-decides forgets decides-twice lies floods
  act="faulty $picked"
  take_over scx_faulty --policy "$picked" --upgrade || { fail "$act" "$wrong"; return; }
  sleep 4
  upgrade
}

stop() {
  kill -STOP "$scheduler"
  sleep $((1 + RANDOM % 3))
  kill -CONT "$scheduler"
}

die() { # and begin anew
  kill -KILL "$scheduler"
  patiently 5 disabled || fail "$act" "the kernel's own scheduler is not back"
  reap
  begin
}

hotplug() {
  local i cpu
  for ((i = 0; i < 6; i++)); do
    cpu=$((1 + RANDOM % last))
    turn "$cpu" 0
    sleep 0.$((1 + RANDOM % 3))
    turn "$cpu" 1
  done
}

all_but_one() {
  local cpu
  for ((cpu = 1; cpu <= last; cpu++)); do turn "$cpu" 0; done
  sleep 1
  for ((cpu = last; cpu > 0; cpu--)); do turn "$cpu" 1; done
}

scribbles() {
  pick deaf noise
  timeout 3 scribble "$picked" 2
}

beside() { # SECONDS COMMAND...
  timeout -s KILL "$@" >/dev/null 2>&1
}

forks() { beside 4 stress-ng --timeout 3 --fork 2 --switch 1 --futex 1; }
pipes() { beside 4 stress-ng --timeout 3 --pipe 2 --sem 2; }
timers() { beside 4 stress-ng --timeout 3 --timer 1 --cyclic 1; }
changes() { beside 4 stress-ng --timeout 3 --affinity 2 --schedpolicy 1 --resched 1; }
memory() { beside 6 stress-ng --timeout 3 --vm 1 --vm-bytes 130% --oomable; }
fifo() { beside 3 chrt -f 50 taskset -c $((1 + RANDOM % last)) sh -c 'while :; do :; done'; }
quiet_time() { sleep 2; }

readonly ACTS=(upgrade upgrade upgrade hang faulty faulty stop die hotplug hotplug all_but_one scribbles forks pipes timers
  changes memory fifo quiet_time)

# --- what is looked at ---

begin() {
  start scx_cppland
  patiently "$PATIENCE" decided
  enabled || { fail "it attaches" "state $(state), ops $(ops)"; tell_log; finish; }
  attached_name=$(ops) attached_seq=$(enable_seq)
}

watch_load() {
  figures=$(mktemp /tmp/figures.XXXXXX)
  cppland-load --frames 1 --hogs "$HOGS" --hog-pauses --seconds 10000 --json - >"$figures" 2>/dev/null &
  watched=$!
}

look_at_load() {
  local hog idle
  kill -INT "$watched"
  wait "$watched"
  hog=$(longest_of_hogs "$(<"$figures")")
  hog=${hog%.*}
  idle=$(idle_hogs "$(<"$figures")")
  rm -f "$figures"
  [[ ${hog:-} ]] || { fail "$act" "the load does not say how it fared"; return; }
  ((hog <= longest_hog)) || longest_hog=$hog
  ((hog <= STARVED_US)) || fail "$act" "a hog waited for $((hog / 1000)) ms"
  ((idle == 0)) || fail "$act" "$idle hogs went without work"
}

run_act() {
  watch_load
  sleep 0.5
  "$1"
  sleep 0.5
  if ! enabled "${attached_name}" || [[ $(enable_seq) != "$attached_seq" ]]; then
    fail "$act" "state $(state), ops $(ops), $(enable_seq) schedulers so far, not $attached_seq: $(tail -n 2 "$scheduler_log")"
    end_scheduler KILL
    patiently "$PATIENCE" disabled
    begin
  fi
  look_at_load
}

watch_kernel
begin
while ((SECONDS < END)); do
  pick "${ACTS[@]}"
  act=$picked
  times[$picked]=$((${times[$picked]:-0} + 1))
  run_act "$picked"
  if ((SECONDS / 600 != told)); then
    told=$((SECONDS / 600))
    remark "$((SECONDS - BEGIN)) s, $failures violations"
  fi
done
for act in "${!times[@]}"; do remark "$act: ${times[$act]} times"; done
remark "longest wait of a hog: $((longest_hog / 1000)) ms"
if ((failures == 0)); then ok "$((SECONDS - BEGIN)) seconds without a violation"; fi
detach "SIGINT ends it with status 0" INT
kernel_log() { dmesg | sed '/invoked oom-killer/,/Out of memory: Killed/d'; }
kernel_is_content "the kernel has no complaint, but of memory"
finish
