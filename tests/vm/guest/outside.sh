#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# outside.sh - a scheduler that was built outside the tree schedules a load.
#
# usage: outside.sh PROGRAM
. "$(dirname "$0")/lib.sh"

watch_kernel
attach "it attaches under its own name" "$1"
cppland-load --frames 1 --hogs-per-cpu 4 --seconds 5 | sed 's/^/# /'
load stress-ng --timeout 100 --switch 1 --futex 1 --fork 1
sleep 2
stays "at its end"
detach "SIGINT under load ends it with status 0" INT
compare "decisions by its policy" "$(summary u)" ">" 1000
compare "page faults" "$(summary pf)" == 0
kernel_is_content "the kernel has no complaint"
finish
