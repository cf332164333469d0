# SPDX-License-Identifier: GPL-2.0-only
# lib.sh - what the guest's check scripts share: a report of checks, and schedulers that come and go.
# shellcheck shell=bash
#
# Every check prints one line, `ok NAME (FIGURES)` or `FAIL NAME: WHY`; lines that begin with `#` are remarks. A script
# ends with `finish`, whose line `done COUNT` tells the host that it got there.
#
# Waiting is by polling with patience that a slow machine does not exhaust: how long it took is no result.

set -uo pipefail
readonly sched_ext=/sys/kernel/sched_ext
readonly program=scx_cppland
readonly PATIENCE=120 # seconds

checks=0
failures=0
scheduler=       # process of the scheduler that was attached or started last
scheduler_log=   # what it wrote, both streams
attached_name=   # what the kernel calls it
attached_seq=    # how many schedulers the kernel had been given when it attached
background=()    # process groups that `quiet` ends

# --- the report ---

remark() { printf '# %s\n' "$*"; }

ok() { # NAME [FIGURES]
  checks=$((checks + 1))
  printf 'ok %s%s\n' "$1" "${2:+ ($2)}"
}

fail() { # NAME WHY
  checks=$((checks + 1))
  failures=$((failures + 1))
  printf 'FAIL %s: %s\n' "$1" "$2"
}

# NAME COMMAND...: the command must succeed.
holds() {
  local name=$1
  shift
  if "$@"; then ok "$name"; else fail "$name" "'$*' does not hold"; fi
}

# NAME FIGURE OPERATOR LIMIT: compares numbers, with a fraction or without.
compare() {
  if [[ ! $2 =~ ^-?[0-9]+([.][0-9]+)?$ ]]; then
    fail "$1" "'$2' is no number"
  elif awk "BEGIN { exit !($2 $3 $4) }"; then
    ok "$1" "$2"
  else
    fail "$1" "it is $2, and should be $3 $4"
  fi
}

# NAME TEXT PATTERN: the shell pattern must match the whole text.
like() {
  # shellcheck disable=SC2053 # it is a pattern
  if [[ $2 == $3 ]]; then ok "$1"; else fail "$1" "'$2' is not like '$3'"; fi
}

finish() {
  quiet
  end_scheduler KILL
  printf 'done %d\n' "$checks"
  exit $((failures > 0))
}

# --- patience ---

# SECONDS COMMAND...: until the command succeeds; fails when the time is over.
patiently() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# --- what the kernel thinks ---

state() { cat $sched_ext/state; }
ops() { cat $sched_ext/root/ops 2>/dev/null || echo none; }
enabled() { [[ $(state) == enabled && $(ops) == ${1:-$program}* ]]; }
disabled() { [[ $(state) == disabled ]]; }
enable_seq() { cat $sched_ext/enable_seq; }

# --- schedulers ---

# COMMAND...: starts it, in a process group of its own, where a background job does not ignore SIGINT.
start() {
  scheduler_log=$(mktemp /tmp/scheduler.XXXXXX)
  set -m
  "$@" </dev/null >"$scheduler_log" 2>&1 &
  scheduler=$!
  set +m
}

lives() { kill -0 "$1" 2>/dev/null; }
ended() { ! lives "$1"; }
decided() { ended "$scheduler" || enabled "${1:-}"; } # it has attached or given up

# NAME COMMAND...: starts it, and checks that it attaches; without that nothing else makes sense.
attach() {
  local name=$1
  shift
  start "$@"
  patiently $PATIENCE decided "$(basename "$(program_of "$@")")"
  if lives "$scheduler" && enabled "$(basename "$(program_of "$@")")"; then
    attached_name=$(ops) attached_seq=$(enable_seq)
    ok "$name"
  else
    fail "$name" "it did not: state $(state), ops $(ops)"
    tell_log
    finish
  fi
}

program_of() { # the first word that is no assignment to a variable
  local word
  for word; do
    case $word in
      env | *=*) ;;
      *) break ;;
    esac
  done
  echo "$word"
}

# SIGNAL: ends the scheduler, if there is one; its exit status into $status.
end_scheduler() {
  status=none
  [[ -n $scheduler ]] || return 0
  kill -"$1" "$scheduler" 2>/dev/null
  reap
}

reap() { # waits until it has ended, and kills what does not; its exit status into $status
  if ! patiently $PATIENCE ended "$scheduler"; then
    remark "it had to be killed"
    kill -KILL "$scheduler"
  fi
  wait "$scheduler"
  status=$?
  scheduler=
} 2>/dev/null # where the shell announces deaths

tell_log() { sed 's/^/# | /' "$scheduler_log"; }

# WHEN: the scheduler that has been attached is so still, and was all the time.
stays() {
  holds "it is still attached $1" enabled "$attached_name"
  compare "it was attached all the time" "$(enable_seq)" == "$attached_seq"
}

# NAME SIGNAL: the scheduler ends with status 0, and the kernel's own takes over; its last word is told.
detach() {
  end_scheduler "$2"
  if [[ $status == 0 ]] && disabled; then
    ok "$1"
    remark "$(tail -n 1 "$scheduler_log")"
  else
    fail "$1" "status $status, state $(state)"
    tell_log
  fi
}

# WHEN: the memory that it has, all of it locked, is no more than was promised.
memory_is_small() {
  local rss
  rss=$(sed -nE 's/^VmRSS:\s+([0-9]+) kB/\1/p' "/proc/$scheduler/status")
  compare "resident memory in KiB, $1" "${rss:-none}" "<=" 8192
}

# LABEL: a figure of the summary in the log, such as `u` of "u: 12".
summary() { sed -nE "s/.*[ |]$1: ([0-9]+).*/\1/p" "$scheduler_log" | tail -n 1; }

# Decisions of the agent so far, from the memory that it shares with the dispatcher.
decisions() {
  bpftool map dump name .bss.shm | awk -v cpus="$(nproc)" '
    /"counter": \[/ { sub(/.*\[/, ""); sum += $0; if (++seen == cpus) exit }
    END { printf "%d\n", sum }'
}

# --- upgrades ---

took_over() { grep -q 'takes over from' "$scheduler_log"; }
has_answered() { took_over || ended "$scheduler"; }

# COMMAND...: takes over from the scheduler that is there, which ends; if not, why is in $wrong.
take_over() {
  local before=$scheduler before_log=$scheduler_log before_status
  wrong=
  start "$@"
  patiently "$PATIENCE" has_answered
  if ! took_over; then
    wrong="$* did not take over: $(tail -n 1 "$scheduler_log")"
    reap
    scheduler=$before scheduler_log=$before_log
    return 1
  fi
  patiently "$PATIENCE" ended "$before" || wrong="the one before does not end"
  wait "$before"
  before_status=$?
  [[ $before_status == 0 ]] || wrong="the one before ended with status $before_status: $(tail -n 1 "$before_log")"
  grep -q "process $scheduler has taken over" "$before_log" || wrong="the one before does not say who has taken over"
  rm -f "$before_log"
  [[ -z $wrong ]]
} 2>/dev/null # where the shell announces deaths

# --- CPUs ---

turn() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; } # CPU 0|1

# --- load ---

# FIGURES of cppland-load --json
longest_of_hogs() { sed -nE 's/.*"longest_unit_us":([0-9.]+).*/\1/p' <<<"$1"; } # FIGURES: in us
idle_hogs() { grep -o '"units":0[,}]' <<<"$1" | wc -l; } # FIGURES

# COMMAND...: runs in the background until `quiet`.
load() {
  set -m
  "$@" </dev/null >/dev/null 2>&1 &
  set +m
  background+=($!)
}

quiet() {
  local group
  for group in "${background[@]}"; do
    kill -KILL -- "-$group"
    wait "$group"
  done
  background=()
} 2>/dev/null # where the shell announces deaths

# --- the kernel's log ---

watch_kernel() { echo "$0: from here on" >/dev/kmsg; }

# The kernel's log, without a mistake of its own: until 7e0ffb72de8a ("sched_ext: Fix stale direct dispatch state in
# ddsp_dsq_id"), which 7.3 has, it forgets to take back where ops.select_cpu() has sent a task, if the scheduler goes
# before the task gets there. The next scheduler that sends it somewhere sees a warning, and nothing else happens.
kernel_log() {
  if [[ $(uname -r) == 6.* ]]; then
    dmesg | sed '/WARNING: .* scx_dsq_insert_commit/,/---\[ end trace/d'
  else
    dmesg
  fi
}

# NAME: since watch_kernel there was no warning, and nothing was stuck.
kernel_is_content() {
  local log found
  log=$(kernel_log)
  if [[ $log != *"$0: from here on"* ]]; then
    fail "$1" "its log does not reach back to where the check began"
    return
  fi
  found=$(grep -E 'WARNING:|BUG:|Oops|general protection|Call Trace|[Ss]tall|soft lockup|hard LOCKUP|blocked for more than|sched_ext: .*(error|failed)' \
    <<<"${log##*"$0: from here on"}")
  if [[ -z $found ]]; then
    ok "$1"
  else
    fail "$1" "$(head -n 1 <<<"$found")"
    kernel_log | tail -n 60 | sed 's/^/# | /'
  fi
}

trap 'quiet; end_scheduler KILL' EXIT
trap 'exit 143' TERM INT HUP
