#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# confined.sh - what the scheduler's process may still do while it schedules, what it does, and what it is refused.
. "$(dirname "$0")/lib.sh"

readonly tracing=/sys/kernel/tracing

# NAME FIELD VALUE: a line of status is the same for all threads.
every_thread() {
  local values
  values=$(sed -nE "s/^$2:\s+//p" /proc/"$scheduler"/task/*/status | sort | uniq -c | tr -s ' ')
  like "$1: $2 of all threads" "$values" " $(find "/proc/$scheduler/task" -mindepth 1 -maxdepth 1 | wc -l) $3"
}

# The system calls of the scheduler's threads for so many SECONDS, as lines "NUMBER RESULT".
watch_calls() {
  [[ -e $tracing/trace ]] || mount -t tracefs none $tracing
  echo 0 >$tracing/tracing_on
  ls "/proc/$scheduler/task" >$tracing/set_event_pid
  echo >$tracing/trace
  echo 1 >$tracing/events/raw_syscalls/sys_exit/enable
  echo 1 >$tracing/tracing_on
  sleep "$1"
  echo 0 >$tracing/tracing_on
  echo 0 >$tracing/events/raw_syscalls/sys_exit/enable
  sed -nE 's/.*sys_exit: NR ([0-9]+) = (.*)/\1 \2/p' $tracing/trace
}

confined() {
  local calls
  attach "it attaches" scx_cppland
  load cppland-load --frames 1 --pairs 1 --hogs-per-cpu 2 --seconds 1000
  sleep 1
  every_thread "while it schedules" CapEff 0000000000000000
  every_thread "while it schedules" CapPrm 0000000000000000
  every_thread "while it schedules" CapBnd 0000000000000000
  every_thread "while it schedules" NoNewPrivs 1
  every_thread "while it schedules" Seccomp 2
  like "the OOM killer's opinion of it" "$(<"/proc/$scheduler/oom_score_adj")" -1000
  calls=$(watch_calls 3)
  remark "system calls: $(cut -d ' ' -f 1 <<<"$calls" | sort -n | uniq -c | awk '{ printf "%s%s of number %s", sep, $1, $2; sep = ", " }')"
  compare "system calls seen" "$(wc -l <<<"$calls")" ">" 100
  compare "system calls that were refused" "$(grep -cE ' -1$' <<<"$calls")" == 0
  # sched_yield, poll
  compare "system calls of other kinds than it makes when all is well" \
    "$(grep -cvE '^(24|7) ' <<<"$calls")" == 0
  stays "while it is watched"
  detach "SIGINT ends it with status 0" INT
  quiet
}

# A policy that tries what no policy may.
refused() {
  attach "a policy that would escape attaches" scx_faulty --policy escapes
  load sh -c 'while :; do :; done'
  load sh -c 'while :; do :; done'
  load sh -c 'while :; do :; done'
  patiently "$PATIENCE" grep -q '^escapes: ' "$scheduler_log"
  stays "after that"
  detach "its SIGINT ends it with status 0" INT
  like "what it could do" "$(grep '^escapes: ' "$scheduler_log" | head -n 1)" "escapes: nothing of 6"
  quiet
}

unconfined() {
  attach "--no-sandbox attaches" scx_cppland --no-sandbox
  every_thread "--no-sandbox" Seccomp 0
  detach "--no-sandbox: SIGINT ends it with status 0" INT
}

watch_kernel
confined
refused
unconfined
kernel_is_content "the kernel has no complaint"
finish
