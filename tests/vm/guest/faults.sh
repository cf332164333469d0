#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# faults.sh - whatever goes wrong in the agent, beside it or in the machine: nobody waits for longer than the bound, the
# kernel does not end the scheduler, and it is counted.
#
# usage: faults.sh [FAULT...]: all if none is named
. "$(dirname "$0")/lib.sh"

readonly HOGS=100 SECONDS_LONG=4 SLICE=1000
# In us, with a slice. A stuck agent is gone on without after 20 ms; what a live one forgets is next after 500.
readonly STUCK=$((20000 + SLICE)) FORGOTTEN=$((500000 + SLICE))
# Less than its fair share beside so many: who takes more waits its turn.
FRAME_US=$(($(nproc) > 1 ? 100 : 40))
# With a quarter of the hogs forgotten, a rescued one waits for those before it: for a round of turns, at a tick each.
ROUND=$((HOGS * 4000 / $(nproc)))
# Who waits by the order of a policy that lives, be it slow, is next after 2 s. With so many hogs the default one lets
# them take several turns each, and others wait.
readonly STARVED=$((2000000 + SLICE))

load_for() { # SECONDS: a 60 Hz task and many hogs; prints what cppland-load found
  cppland-load --frames 1 --frame-work-us "$FRAME_US" --hogs "$HOGS" --hog-pauses --loops-per-us "$loops" --warmup 1 \
    --seconds "$1" --json -
}

# SECONDS FRAME HOG WHEN: a 60 Hz task and many hogs, which shall not wait for longer than so many us.
fares() {
  local figures frame hog idle
  figures=$(load_for "$1")
  frame=$(sed -nE 's/.*"frame":.*"wakeup":\{[^}]*"max_us":([0-9.]+).*/\1/p' <<<"$figures")
  hog=$(longest_of_hogs "$figures")
  idle=$(idle_hogs "$figures")
  compare "longest wait of a 60 Hz task, in us, $4" "${frame:-none}" "<=" "$2"
  compare "longest wait of a hog, in us, $4" "${hog:-none}" "<=" "$3"
  compare "hogs without work, $4" "$idle" == 0
}

# FAULT FRAME COUNTER [HOG]: a policy that begins to go wrong a second after its first decision.
policy() {
  attach "$1: it attaches" scx_faulty --policy "$1"
  load sh -c 'while :; do :; done'
  load sh -c 'while :; do :; done'
  sleep 2
  fares "$SECONDS_LONG" "$2" "${4:-$((FORGOTTEN + ROUND))}" "$1"
  stays "$1"
  detach "$1: SIGINT ends it with status 0" INT
  [[ $3 == none ]] || compare "$1: it is counted ($3)" "$(summary "$3")" ">" 0
  quiet
}

# FAULT FRAME COUNTER COMMAND...: something beside a healthy scheduler, for as long as this is measured.
beside() {
  local fault=$1 frame=$2 counter=$3
  shift 3
  attach "$fault: it attaches" scx_cppland
  load "$@"
  sleep 1
  fares "$SECONDS_LONG" "$frame" "$STARVED" "$fault"
  stays "$fault"
  quiet
  detach "$fault: SIGINT ends it with status 0" INT
  [[ $counter == none ]] || compare "$fault: it is counted ($counter)" "$(summary "$counter")" ">" 0
}

stopped() {
  attach "stopped: it attaches" scx_cppland
  load sh -c 'while :; do :; done'
  sleep 1
  kill -STOP "$scheduler"
  fares "$SECONDS_LONG" "$STUCK" $((FORGOTTEN + ROUND)) stopped
  stays stopped
  kill -CONT "$scheduler"
  fares 1 "$STUCK" "$STARVED" continued
  detach "stopped: SIGINT ends it with status 0" INT
  compare "stopped: it is counted (failovers)" "$(summary failovers)" ">" 0
  quiet
}

# Back under the kernel's own scheduler within a second, with everybody running. FAULT SIGNAL COMMAND...
dies() {
  local fault=$1 signal=$2 figures=/tmp/$1.json
  shift 2
  attach "$fault: it attaches" "$@"
  load_for 4 >"$figures" &
  if [[ $signal ]]; then
    sleep 1
    kill -"$signal" "$scheduler"
  fi
  patiently "$PATIENCE" is_dead
  compare "$fault: seconds until the kernel's own scheduler is back" "$(seconds_until_disabled)" "<=" 1
  wait $!
  compare "$fault: longest wait of a hog, in us" "$(longest_of_hogs "$(<"$figures")")" "<=" 1000000
  compare "$fault: hogs without work" "$(idle_hogs "$(<"$figures")")" == 0
  reap
  holds "$fault: nothing is left behind" nothing_is_left
  quiet
}

# Of a class that no hog is in: what is measured is the kernel's part.
seconds_until_disabled() {
  # shellcheck disable=SC2016 # the inner shell expands it
  chrt -f 10 bash -c '
    begin=$(cut -d " " -f 1 /proc/uptime)
    for ((i = 0; i < 1000; i++)); do
      read -r state </sys/kernel/sched_ext/state
      [[ $state != disabled ]] || break
      sleep 0.02
    done
    awk "BEGIN { print $(cut -d " " -f 1 /proc/uptime) - $begin }"'
}

is_dead() { ! readlink "/proc/$scheduler/exe" >/dev/null; }

# What the kernel says of memory that is used up is no complaint.
kernel_log() { dmesg | sed '/invoked oom-killer/,/Out of memory: Killed/d'; }

# No program, no map and no pin of ours.
nothing_is_left() {
  ! bpftool prog show | grep -q cppland && [[ -z $(find /sys/fs/bpf -mindepth 1 2>/dev/null) ]]
}

# Tasks that change where they may run and how much they are due, at random.
shuffle() {
  local pid
  while :; do
    grep -lx hog /proc/[0-9]*/comm | cut -d / -f 3 | while read -r pid; do
      renice -n $((RANDOM % 40 - 20)) -p "$pid"
      taskset -p "$(printf '%x' $((1 + RANDOM % ((1 << $(nproc)) - 1))))" "$pid"
    done
    sleep 0.05
  done >/dev/null 2>&1
}

fifo_hogs() { # all CPUs but one
  local cpu
  for ((cpu = 1; cpu < $(nproc); cpu++)); do chrt -f 50 taskset -c "$cpu" sh -c 'while :; do :; done' & done
  wait
}

tiny_quota() {
  mkdir -p /sys/fs/cgroup/tiny
  echo +cpu >/sys/fs/cgroup/cgroup.subtree_control
  echo "1000 100000" >/sys/fs/cgroup/tiny/cpu.max
  pidof scx_cppland >/sys/fs/cgroup/tiny/cgroup.procs
  sleep 1000
}

export -f shuffle fifo_hogs tiny_quota

declare -A FAULTS=(
  [spins]="policy spins $STUCK failovers"
  [sleeps]="policy sleeps $STUCK failovers"
  [dawdles]="policy dawdles $FORGOTTEN none"
  [page-faults]="policy page-faults $STUCK pf $STARVED"
  [never-decides]="policy never-decides $FORGOTTEN k"
  [forgets]="policy forgets $FORGOTTEN rescued"
  [decides-twice]="policy decides-twice $FORGOTTEN c"
  [lies]="policy lies $FORGOTTEN f"
  [floods]="policy floods $FORGOTTEN failovers"
  [crashes]="dies crashes '' scx_faulty --policy crashes"
  [killed]="dies killed KILL scx_cppland"
  [stopped]="stopped"
  [deaf]="beside deaf $FORGOTTEN cg scribble deaf 1000"
  [noise]="beside noise $FORGOTTEN f scribble noise 1000"
  [forks]="beside forks $STUCK none stress-ng --fork 4 --fork-ops 50000"
  [shuffle]="beside shuffle $FORGOTTEN none bash -c shuffle"
  [fifo]="beside fifo $FORGOTTEN none bash -c fifo_hogs"
  [quota]="beside quota $STUCK none bash -c tiny_quota"
  [oom]="beside oom $FORGOTTEN none stress-ng --vm 2 --vm-bytes 150% --vm-keep --oomable"
)

loops=$(cppland-load --calibrate)
watch_kernel
(($#)) || mapfile -t faults < <(printf '%s\n' "${!FAULTS[@]}" | sort)
for fault in "${@:-${faults[@]}}"; do
  [[ -v FAULTS[$fault] ]] || { fail "$fault" "there is no such fault"; continue; }
  eval "${FAULTS[$fault]}"
done
kernel_is_content "the kernel has no complaint, but of memory"
finish
