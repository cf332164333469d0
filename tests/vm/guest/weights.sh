#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# weights.sh - hogs of nice 0, 10 and -10 share one CPU by their weights.
. "$(dirname "$0")/lib.sh"

seconds=${1:-60}

# WHO LIMIT: each hog's share in units of the one due to it is off by at most LIMIT (no limit: a remark).
measure() {
  local figures nice ratio
  figures=$(cppland-load --hogs 3 --hog-nice 0,10,-10 --weights --loops-per-us "$loops" --warmup 5 --seconds "$seconds" --json -)
  while read -r nice ratio; do
    if [[ $2 ]]; then
      compare "$1: nice $nice has its share, which is 1" "$ratio" ">=" "1 - $2 && $ratio <= 1 + $2"
    else
      remark "$1: nice $nice has $ratio of its share"
    fi
  done < <(grep -oE '"nice":[^}]*' <<<"$figures" | awk -F '[:,]' '
    { for (i = 1; i < NF; i += 2) field[$i] = $(i + 1)
      printf "%d %.4f\n", $2, field["\"share\""] / field["\"expected_share\""] }')
  compare "$1: hogs" "$(grep -oE '"nice":' <<<"$figures" | wc -l)" == 3
}

loops=$(cppland-load --calibrate)
measure "the kernel's own scheduler" ""
watch_kernel
attach "it attaches" scx_cppland
measure "scx_cppland" 0.05
detach "SIGINT ends it with status 0" INT
kernel_is_content "the kernel has no complaint"
finish
