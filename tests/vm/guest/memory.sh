#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# memory.sh - how much memory the scheduler takes: all of it is locked, so nobody else has it.
. "$(dirname "$0")/lib.sh"

policies() { scx_cppland --help | sed -nE 's/^ +--policy NAME:\{(.*)\}.*/\1/p' | tr , ' '; }

watch_kernel
attach "it attaches" scx_cppland
memory_is_small "at the start"
load stress-ng --timeout 600 --cpu "$(nproc)" --switch 2 --fork 2
load hackbench -g 2 -l 1000000
sleep 15
memory_is_small "beside load"
stays "after that"
detach "SIGINT ends it with status 0" INT
quiet
compare "page faults" "$(summary pf)" == 0
compare "policies" "$(policies | wc -w)" ">=" 6
for policy in $(policies); do
  attach "it attaches with --policy $policy" scx_cppland --policy "$policy"
  memory_is_small "--policy $policy"
  detach "SIGINT ends it, --policy $policy" INT
done
attach "it attaches with --partial" scx_cppland --partial
memory_is_small "--partial"
detach "SIGINT ends it, --partial" INT
kernel_is_content "the kernel has no complaint"
finish
