#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# refusals.sh - when it cannot schedule, it says why in one line and ends with status 1.
# shellcheck disable=SC2317 # functions are called by their names
. "$(dirname "$0")/lib.sh"

# NAME PATTERN COMMAND...
refuses() {
  local name=$1 pattern=$2 status
  shift 2
  timeout "$PATIENCE" "$@" </dev/null >/tmp/out 2>/tmp/err
  status=$?
  compare "$name: status" "$status" == 1
  compare "$name: lines of the message" "$(grep -c '' /tmp/err)" == 1
  compare "$name: bytes on stdout" "$(wc -c </tmp/out)" == 0
  like "$name: the message" "$(</tmp/err)" "scx_cppland: $pattern"
}

# The kernel's description of its functions is malformed: no scheduler can be loaded.
malformed() {
  refuses "malformed kernel" "*faulty type information*" scx_cppland
  refuses "malformed kernel, --partial" "*faulty type information*" scx_cppland --partial
  holds "the kernel's own scheduler goes on" disabled
}

well_formed() {
  refuses "no privileges" "*privileges*CAP_*root*" su user -c scx_cppland
  refuses "no CAP_BPF" "*privileges*CAP_BPF*root*" /usr/bin/setpriv --bounding-set=-bpf,-sys_admin scx_cppland
  refuses "too little lockable memory" "*lock*memory*limit*64 KiB*" \
    /usr/bin/setpriv --bounding-set=-ipc_lock,-sys_resource sh -c 'ulimit -l 64 && exec scx_cppland'
  refuses "a PID namespace of its own" "*PID namespace*outside*" /usr/bin/unshare -p -f --mount-proc scx_cppland
  holds "the kernel's own scheduler goes on" disabled
  attach "the first scheduler attaches" scx_cppland
  refuses "another scheduler runs" "*already running*scx_cppland*" scx_cppland
  refuses "another scheduler runs, --partial" "*already running*scx_cppland*" scx_cppland --partial
  holds "the first scheduler goes on" enabled
  detach "SIGINT ends it with status 0" INT
}

watch_kernel
"$1"
kernel_is_content "the kernel has no complaint"
finish
