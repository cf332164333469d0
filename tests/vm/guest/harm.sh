#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# harm.sh - a policy that starves tasks, tasks that leave the scheduler's class while they run, more tasks than can have
# a turn while nobody waits for long: nobody is lost.
. "$(dirname "$0")/lib.sh"

cpu_times() { # PROCESS...: in ns, a line each
  local process
  for process; do cut -d ' ' -f 1 "/proc/$process/schedstat" || echo ended; done
}

# PROCESS...: waits until all are hogs. Until then they start programs, for which one may wait for another.
become_hogs() {
  local process
  for process; do
    for ((i = 0; i < 600; i++)); do
      [[ $(<"/proc/$process/comm") != sh ]] || break
      sleep 0.2
    done
  done
}

# On one CPU many hogs of lower priority than another.
starving_policy() {
  local hogs before now still i
  attach "a policy that starves tasks attaches" scx_priority
  load taskset -c 1 sh -c 'while :; do :; done'
  for _ in {1..40}; do load chrt -i 0 taskset -c 1 sh -c 'while :; do :; done'; done
  hogs=("${background[@]:1}")
  become_hogs "${hogs[@]}"
  for round in 1 2 3; do
    mapfile -t before < <(cpu_times "${hogs[@]}")
    sleep 12
    mapfile -t now < <(cpu_times "${hogs[@]}")
    still=0
    for i in "${!hogs[@]}"; do
      [[ ${now[i]} == "${before[i]}" ]] || continue
      still=$((still + 1))
      remark "did not run: $(cut -d ' ' -f 1-3 "/proc/${hogs[i]}/stat") $(tr '\n' ' ' <"/proc/${hogs[i]}/stack")"
    done
    compare "hogs of ${#hogs[@]} that it starves and that did not run, 12 s number $round" "$still" == 0
  done
  stays "at its end"
  detach "it ends with status 0" INT
  quiet
}

# A hog becomes a real-time task while it runs, and an ordinary one again: again and again.
changing_classes() {
  local figures max hog
  attach "it attaches" scx_cppland
  load cppland-load --hogs 2 --loops-per-us 100 --warmup 0 --seconds 1000
  load sh -c 'while :; do :; done'
  hog=${background[1]}
  sleep 1
  (
    for _ in 1 2 3 4; do
      sleep 1
      chrt -f -p 50 "$hog"
      sleep 0.7
      chrt -o -p 0 "$hog"
    done
  ) &
  figures=$(cppland-load --frames 2 --frame-work-us 500 --loops-per-us 100 --warmup 0 --seconds 7 --json -)
  wait $!
  max=$(sed -nE 's/.*"frame":[^[]*"max_us":([0-9]+).*/\1/p' <<<"$figures")
  compare "the longest wait of a frame beside it, in us" "${max:-none}" "<" 100000
  detach "SIGINT ends it with status 0" INT
  quiet
}

# A round of turns takes seconds on their CPU, so everybody waits for longer than the dispatcher likes.
many_hogs() {
  attach "it attaches before many hogs" scx_cppland
  load taskset -c 1 cppland-load --hogs 700 --loops-per-us 100 --warmup 0 --seconds 1000
  sleep 25
  stays "beside 700 hogs on one CPU"
  detach "SIGINT beside many hogs ends it with status 0" INT
  compare "rescued" "$(summary rescued)" ">" 0
  quiet
}

watch_kernel
starving_policy
changing_classes
many_hogs
kernel_is_content "the kernel has no complaint"
finish
