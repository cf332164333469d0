#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# upgrade.sh - another process takes over, again and again, while tasks are scheduled and CPUs come and go; and when it
# cannot, it says so, and the one before goes on.
#
# usage: upgrade.sh [UPGRADES HOTPLUGS]: how many of the run in which nothing may be lost (6 and 6)
. "$(dirname "$0")/lib.sh"

readonly UPGRADES=${1:-6} HOTPLUGS=${2:-6}
readonly HOGS=12 FORGOTTEN_US=501000 # a task that is not decided for is next after 500 ms, for a slice
last=$(($(nproc) - 1))

hotplugs() { # COUNT FILE: CPUs but the first go and come; how many times is in FILE
  local i cpu
  for ((i = 0; i < $1; i += 2)); do
    cpu=$((1 + i / 2 % last))
    turn "$cpu" 0 && echo "$((i + 1))" >"$2"
    sleep 0.1
    turn "$cpu" 1 && echo "$((i + 2))" >"$2"
    sleep 0.1
  done
}

# NAME COMMAND...
taken_over() {
  local name=$1
  shift
  take_over "$@"
  if [[ -z $wrong ]]; then ok "$name"; else fail "$name" "$wrong"; tell_log; fi
}

# NAME STATUS PATTERN COMMAND...: it does not take over, and the one before goes on.
refused() {
  local name=$1 expected=$2 pattern=$3 before=$scheduler before_log=$scheduler_log
  shift 3
  start "$@"
  patiently "$PATIENCE" has_answered
  reap
  compare "$name: status" "$status" == "$expected"
  like "$name: it says why" "$(tail -n 1 "$scheduler_log")" "$pattern"
  scheduler=$before scheduler_log=$before_log
  holds "$name: the one before lives" lives "$scheduler"
}

decides() { # WHEN: the agent that should is the one that decides
  local before
  before=$(decisions)
  sleep 1
  compare "decisions in a second, $1" $(($(decisions) - before)) ">" 10
}

many() {
  local policies=(deadline eevdf fifo edf mlfq lottery) i failed=0 done=/tmp/hotplugs figures=/tmp/figures.json
  attach "it attaches" scx_cppland
  cppland-load --frames 1 --frame-work-us 100 --loops-per-us "$loops" --hogs "$HOGS" --hog-pauses --warmup 1 --seconds 10000 --json - >"$figures" &
  local watched=$!
  load stress-ng --timeout 10000 --switch 1 --futex 1 --fork 1
  sleep 2
  hotplugs "$HOTPLUGS" "$done" &
  local plugging=$!
  for ((i = 1; i <= UPGRADES; i++)); do
    take_over scx_cppland --upgrade --policy "${policies[i % ${#policies[@]}]}" --slice-us $((5000 + i * 100))
    if [[ $wrong ]]; then
      remark "upgrade $i: $wrong"
      failed=$((failed + 1))
    fi
  done
  wait "$plugging"
  compare "upgrades that failed, of $UPGRADES" "$failed" == 0
  compare "CPUs that went or came" "$(<"$done")" ">=" "$HOTPLUGS"
  stays "after $UPGRADES upgrades and $HOTPLUGS hotplugs"
  decides "after all that"
  memory_is_small "after all that"
  kill -INT "$watched"
  wait "$watched"
  quiet
  detach "SIGINT ends the last one with status 0" INT
  compare "upgrades, as it has counted them" "$(summary upgrades)" == "$UPGRADES"
  waits "$figures"
}

# FIGURES
waits() {
  local hog idle
  hog=$(longest_of_hogs "$(<"$1")")
  idle=$(idle_hogs "$(<"$1")")
  remark "$(grep -o '"frame":.*"late":[0-9]*' "$1" | head -c 300)"
  compare "longest wait of a hog, in us" "${hog:-none}" "<=" $((FORGOTTEN_US + HOGS * 4000))
  compare "hogs without work" "$idle" == 0
}

when_it_cannot() {
  attach "with --upgrade and nothing to take over from, it attaches" scx_cppland --upgrade
  like "... and says so" "$(<"$scheduler_log")" "*no scheduler of ours runs*"
  load cppland-load --hogs "$HOGS" --seconds 10000
  refused "--upgrade --partial" 1 "*was loaded without --partial*with --force*" scx_cppland --upgrade --partial
  refused "--upgrade --numa-local" 1 "*was loaded without --numa-local*" scx_cppland --upgrade --numa-local
  refused "--force without --upgrade" 2 "*" scx_cppland --force
  refused "without privileges" 1 "*privileges*CAP_BPF*root*" su user -c "scx_cppland --upgrade"
  refused "without --upgrade" 1 "*another sched_ext scheduler is already running*" scx_cppland
  refused "a policy that never answers" 1 "*have not answered in time: process $scheduler goes on*" \
    scx_faulty --policy hangs --upgrade
  decides "after one that never answered"
  stays "after all that was refused"
  taken_over "one that has been gone back to gives way later" scx_cppland --upgrade --policy fifo
}

when_the_one_before_cannot() {
  local stopped=$scheduler
  kill -STOP "$stopped"
  start scx_cppland --upgrade
  patiently "$PATIENCE" has_answered
  holds "one that is stopped is taken over from" took_over
  decides "beside one that is stopped"
  kill -CONT "$stopped"
  patiently "$PATIENCE" ended "$stopped"
  wait "$stopped"
  compare "when it is continued it ends with status" $? == 0
  decides "when that has ended"
  stays "after one that was stopped"
}

forced() {
  local before=$scheduler
  start scx_cppland --upgrade --force --partial
  patiently "$PATIENCE" ended "$before"
  wait "$before"
  compare "--force: the one before ends with status" $? == 0
  patiently "$PATIENCE" enabled
  holds "--force: the new one is there" enabled
  compare "--force: it is loaded anew" "$(enable_seq)" ">" "$attached_seq"
  detach "--force: SIGINT ends it with status 0" INT
}

killed() {
  attach "it attaches once more" scx_cppland
  taken_over "it is taken over from" scx_cppland --upgrade
  kill -KILL "$scheduler"
  patiently "$PATIENCE" disabled
  holds "SIGKILL of the successor: the kernel's own scheduler is back" disabled
  reap
  patiently 10 nothing_is_left
  holds "SIGKILL of the successor: nothing is left behind" nothing_is_left
}

nothing_is_left() { ! bpftool prog show | grep -q cppland; }

loops=$(cppland-load --calibrate)
watch_kernel
many
when_it_cannot
when_the_one_before_cannot
quiet
forced
killed
kernel_is_content "the kernel has no complaint"
finish
