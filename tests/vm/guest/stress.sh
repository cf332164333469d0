#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# stress.sh - a minute of everything at once: the scheduler stays, the kernel is content, the promises hold.
# shellcheck disable=SC2317 # functions are called by their names
. "$(dirname "$0")/lib.sh"

seconds=${1:-60}
cpus=$(nproc)

shells() { while :; do (echo | cat | wc -c >/dev/null); done; }
hackbenches() { while :; do hackbench -g 1 -f 5 -l 50; done; }

watch_kernel
attach "it attaches" scx_cppland

load stress-ng --aggressive --timeout $((seconds * 10)) --cpu "$cpus" --switch 2 --yield 2 --futex 2 --fork 2 --affinity 2
load hackbenches
load shells
sleep "$seconds"

memory_is_small "under load"
stays "after $seconds s"
detach "SIGINT under load ends it with status 0" INT
quiet
compare "decisions by the agent" "$(summary u)" ">" 10000
compare "page faults" "$(summary pf)" == 0
compare "decisions that make no sense" "$(summary f)" == 0
kernel_is_content "the kernel has no complaint"
finish
