#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# smoke.sh - it attaches, schedules a load while a CPU goes and comes, and ends: `ok NAME` or `FAIL NAME` for each.
failed=0
check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then echo "ok $name"; else
    echo "FAIL $name"
    failed=1
  fi
}

scx_cppland 2>/root/log &
pid=$!
for _ in $(seq 600); do
  [[ $(cat /sys/kernel/sched_ext/state) == enabled ]] && break
  sleep 0.1
done
check "attached" test "$(cat /sys/kernel/sched_ext/state)" = enabled
check "root/ops names it" grep -q '^scx_cppland_' /sys/kernel/sched_ext/root/ops
seq=$(cat /sys/kernel/sched_ext/enable_seq)
stress-ng --cpu 6 --switch 2 --yield 2 --futex 2 --fork 2 -t 15 -q &
load=$!
for _ in 1 2 3; do
  echo 0 >/sys/devices/system/cpu/cpu2/online
  sleep 0.3
  echo 1 >/sys/devices/system/cpu/cpu2/online
  sleep 0.3
done
check "schedules on after a CPU has gone and come" test "$(cat /sys/kernel/sched_ext/state)" = enabled
wait "$load"
check "never left" test "$(cat /sys/kernel/sched_ext/enable_seq)" = "$seq"
rss=$(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")
check "RSS of $rss KiB is at most 16 MiB" test "$rss" -le 16384
kill -INT "$pid"
wait "$pid"
check "SIGINT ends it with status 0" test $? -eq 0
check "the kernel's own scheduler is back" test "$(cat /sys/kernel/sched_ext/state)" = disabled
check "no page fault" grep -q 'pf: 0 ' /root/log
check "the agent has decided" grep -Eq 'u: [1-9][0-9]{2}' /root/log
check "no warning of the kernel" bash -c "! dmesg | grep -E 'WARNING:|BUG:|stall|Oops'"
[[ $failed -eq 0 ]] || cat /root/log
exit "$failed"
