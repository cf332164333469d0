#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ends.sh - all the ways to end: by signals, by SysRq, by the kernel's watchdog.
. "$(dirname "$0")/lib.sh"

signals() {
  local signal
  for signal in TERM HUP; do
    attach "it attaches before SIG$signal" scx_cppland
    detach "SIG$signal ends it with status 0" $signal
    like "SIG$signal: it says why it ends" "$(<"$scheduler_log")" "*EXIT: *unregistered*"
  done
}

sysrq() {
  attach "it attaches before SysRq-S" scx_cppland
  echo S >/proc/sysrq-trigger
  reap
  compare "SysRq-S ends it with status" "$status" == 1
  like "SysRq-S: it says why it ends" "$(<"$scheduler_log")" "*EXIT: *"
  holds "SysRq-S: the kernel's own scheduler is back" disabled
}

# What it might leave behind: settings of the kernel, programs, maps, pins, files.
traces() {
  find /proc/sys/vm /proc/sys/kernel -name 'sched*' -o -path '/proc/sys/vm/*' -type f ! -name 'stat_refresh' |
    sort | while read -r file; do echo "$file $(cat "$file" 2>/dev/null)"; done
  echo "$(bpftool prog list | grep -c .) lines of programs, $(bpftool map list | grep -c .) of maps"
  find /sys/fs/bpf /run /var/run/ -name '*scx*' -o -name '*cppland*'
}
no_trace_left() { [[ $(traces) == "$traces_before" ]]; }

sigkill() {
  traces_before=$(traces)
  attach "it attaches before SIGKILL" scx_cppland
  load cppland-load --hogs 6 --seconds 1000
  sleep 1
  local begin=$EPOCHREALTIME
  kill -KILL "$scheduler"
  patiently $PATIENCE disabled
  local end=$EPOCHREALTIME
  compare "SIGKILL: microseconds until the kernel's own scheduler is back" $((${end/./} - ${begin/./})) "<" 1000000
  reap
  quiet
  patiently 10 no_trace_left
  if no_trace_left; then
    ok "SIGKILL leaves nothing behind"
  else
    fail "SIGKILL leaves nothing behind" "$(diff <(echo "$traces_before") <(traces) | grep '^[<>]' | tr '\n' ' ')"
  fi
}

gives_up() { [[ $(state) != enabled ]]; }

# A task that may use one CPU only, which one of a higher class never leaves: the kernel calls it a stall, and ends the
# scheduler for it, whoever wrote it. (The CPUs must share a cache, or the watchdog itself might starve.)
starve() {
  local server
  for server in /sys/kernel/debug/sched/ext_server/cpu*/runtime; do
    [[ -e $server ]] && echo 0 >"$server" # 7.x would give it some time all the same
  done
  load taskset -c 1 chrt -f 10 sh -c 'while :; do :; done'
  load taskset -c 1 sh -c 'while :; do :; done'
  patiently $PATIENCE gives_up
  quiet # to let go takes the CPU's own kernel threads
  reap
}

dump_of() { sed -n '/^DEBUG DUMP$/,$p' "$scheduler_log"; }

debug_dump() {
  local length shorter
  taskset -p 1 $$ >/dev/null # this script itself must not starve
  attach "it attaches before a stall" env SCX_TIMEOUT_MS=1000 scx_cppland
  starve
  compare "a stall ends it with status" "$status" == 1
  like "a stall: it says why it ends" "$(<"$scheduler_log")" "*EXIT: *stall*"
  length=$(dump_of | wc -c)
  compare "a stall: length of the debug dump" "$length" ">" 2000
  holds "a stall: the kernel's own scheduler is back" disabled

  attach "--exit-dump-len attaches" env SCX_TIMEOUT_MS=1000 scx_cppland --exit-dump-len 1000
  starve
  shorter=$(dump_of | wc -c)
  compare "--exit-dump-len 1000: length of the debug dump and its frame" "$shorter" "<" 1500
  compare "--exit-dump-len 1000: there is a dump" "$shorter" ">" 500
}

watch_kernel
signals
sysrq
sigkill
kernel_is_content "the kernel has no complaint"
debug_dump
finish
