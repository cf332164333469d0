#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# idle.sh - a machine with nothing to do: the scheduler costs next to nothing, and the watchdog lets it live.
. "$(dirname "$0")/lib.sh"

# CPU time of all its threads so far, in ticks of 10 ms.
cpu_time() { sed 's/.*) //' "/proc/$scheduler"/task/*/stat | awk '{ sum += $12 + $13 } END { print sum }'; }

watch_kernel
attach "it attaches" env SCX_TIMEOUT_MS=2000 scx_cppland
sleep 2
begin=$(cpu_time)
sleep 20
compare "CPU time in 20 s, in ticks of 10 ms" $(($(cpu_time) - begin)) "<" 20
stays "after ten times the watchdog's timeout"
detach "SIGINT ends it with status 0" INT
compare "passes of the agent, which the heartbeat asks for" "$(summary passes)" ">=" 10
kernel_is_content "the kernel has no complaint"
finish
