#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# flags.sh - what each flag does, on a machine of two CPUs in two nodes.
. "$(dirname "$0")/lib.sh"

# NUMBER SECONDS [COMMAND...]: hogs, started by COMMAND
hogs() { "${@:3}" cppland-load --hogs "$1" --warmup 0 --seconds "$2" --loops-per-us 100 >/dev/null; }

# SECONDS COMMAND...: by how much the number of decisions grows meanwhile, into $grown
grown_while() {
  local begin
  begin=$(decisions)
  "$@"
  grown=$(($(decisions) - begin))
}

policies() {
  local policy
  for policy in deadline eevdf edf mlfq lottery fifo; do
    attach "--policy $policy attaches" scx_cppland --policy $policy
    hogs 6 2
    detach "--policy $policy ends with status 0" INT
    compare "--policy $policy decides" "$(summary u)" ">" 100
    like "--policy $policy is what it says" "$(<"$scheduler_log")" "*policy $policy,*"
  done
}

# Tasks of one CPU only: with -l the agent never hears of them.
percpu_local() {
  attach "without -l it attaches" scx_cppland
  grown_while hogs 3 2 taskset -c 1
  compare "without -l the agent decides for tasks of one CPU" "$grown" ">" 100
  detach "without -l it ends with status 0" INT
  attach "-l attaches" scx_cppland -l
  grown_while hogs 3 2 taskset -c 1
  compare "-l: it does not" "$grown" "<" 50
  grown_while hogs 6 2
  compare "-l: the agent decides for others" "$grown" ">" 100
  detach "-l ends with status 0" INT
}

numa_local() {
  compare "nodes" "$(grep -c . < <(compgen -G "/sys/devices/system/node/node[0-9]*"))" == 2
  attach "-n attaches" scx_cppland -n
  grown_while hogs 6 2
  compare "-n: the agent decides" "$grown" ">" 100
  holds "-n: a task runs on the other node's CPU" timeout $PATIENCE taskset -c 1 true
  detach "-n ends with status 0" INT
}

policy_of() { sed 's/.*) //' "$1/stat" | cut -d ' ' -f 39; } # FOLDER in /proc

partial() {
  local task agent=none
  attach "-p attaches" scx_cppland -p
  for task in "/proc/$scheduler/task"/*; do
    [[ $(<"$task/comm") == cppland-agent ]] && agent=$(policy_of "$task")
  done
  compare "-p: the agent has the policy SCHED_EXT" "$agent" == 7
  grown_while hogs 6 2
  compare "-p: decisions for ordinary tasks" "$grown" "<" 10
  grown_while hogs 6 2 as_sched_ext
  compare "-p: decisions for tasks with SCHED_EXT" "$grown" ">" 100
  # Longer than the kernel's watchdog waits for a task that cannot run.
  hogs 6 9
  stays "with -p beside ordinary tasks that take all CPUs"
  detach "-p ends with status 0" INT
}

verbose() {
  echo >/sys/kernel/tracing/trace
  attach "without -v it attaches" scx_cppland
  hogs 6 1
  detach "without -v it ends with status 0" INT
  compare "without -v: events in the trace pipe" "$(grep -c 'cppland: ' /sys/kernel/tracing/trace)" == 0
  compare "without -v: lines of libbpf" "$(grep -c libbpf "$scheduler_log")" == 0
  attach "-v attaches" scx_cppland -v
  hogs 6 1
  detach "-v ends with status 0" INT
  compare "-v: events in the trace pipe" "$(grep -c 'cppland: ' /sys/kernel/tracing/trace)" ">" 100
  compare "-v: lines of libbpf" "$(grep -c libbpf "$scheduler_log")" ">" 10
  echo >/sys/kernel/tracing/trace
}

watch_kernel
policies
percpu_local
numa_local
partial
verbose
kernel_is_content "the kernel has no complaint"
finish
