#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# stopped.sh - the scheduler's process is stopped for some 20 s under load: nobody notices, and it comes back.
#
# usage: stopped.sh [exact]: with exact time, latencies while it is stopped are compared with those before.
. "$(dirname "$0")/lib.sh"

exact=${1-}
hogs=$((2 * $(nproc)))

# SECONDS NAME: how a 60 Hz task fares beside hogs; into $p99 (us) and $served (wake-ups)
measure() {
  local figures
  figures=$(cppland-load --frames 1 --frame-work-us 500 --hogs "$hogs" --loops-per-us "$loops" --warmup 1 \
    --seconds "$1" --json -)
  served=$(sed -nE 's/.*"wakeup":\{"count":([0-9]+).*/\1/p' <<<"$figures")
  p99=$(sed -nE 's/.*"wakeup":\{[^}]*"p99_us":([0-9.]+).*/\1/p' <<<"$figures")
  remark "$2: ${served:-no} wake-ups in $1 s, p99 ${p99:-unknown} us"
}

loops=$(cppland-load --calibrate)
watch_kernel
attach "it attaches" scx_cppland
load stress-ng --timeout 600 --switch 1 --futex 1 --fork 1

# With exact time for as long as it will be stopped: a p99 of few wake-ups is a matter of luck.
measure "$([[ $exact ]] && echo 18 || echo 5)" "before"
p99_before=$p99
at_stop=$(decisions)
compare "decisions before" "$at_stop" ">" 0

kill -STOP "$scheduler"
measure 18 "stopped" # and one second to warm up, and one until the next signal
sleep 1
stays "after 20 s"
compare "wake-ups of the 60 Hz task while it was stopped" "${served:-none}" ">" "(18 * 60 / 4)"
if [[ $exact ]]; then
  compare "p99 while it was stopped, in us" "${p99:-none}" "<=" "(2 * $p99_before)"
fi
while_stopped=$(decisions)
compare "decisions while it was stopped" $((while_stopped - at_stop)) "<" 1000

kill -CONT "$scheduler"
measure 3 "after"
compare "decisions after it was continued" $(($(decisions) - while_stopped)) ">" 100
stays "after it was continued"
detach "SIGINT ends it with status 0" INT
compare "failovers" "$(summary failovers)" ">=" 1
kernel_is_content "the kernel has no complaint"
finish
