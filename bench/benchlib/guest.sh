# SPDX-License-Identifier: GPL-2.0-only
# guest.sh - the start of a job script: attach and detach a sched_ext scheduler, and tell the host what happens.
# shellcheck shell=bash
#
# What the host should know goes to stdout as lines of the form "@ KIND WORDS".

sched_ext=/sys/kernel/sched_ext
readonly ATTACH_SECONDS=60 DETACH_SECONDS=30
scheduler= # the process of the attached scheduler

say() { printf '@ %s\n' "$*"; }

lost() { # REASON: the scheduler under test did not do its part
  say lost "$1"
  sed 's/^/@ log /' "$scheduler_log"
  exit 3
}

running_ops() { cat "$sched_ext/root/ops" 2>/dev/null || true; }

attach() { # OPS-PREFIX COMMAND: returns when the kernel schedules by it
  scheduler_log=$(mktemp ./scheduler.XXXXXX)
  # In a process group of its own, where a background job does not ignore SIGINT.
  set -m
  bash -c "exec $2" </dev/null >"$scheduler_log" 2>&1 &
  scheduler=$!
  set +m
  local deadline=$((SECONDS + ATTACH_SECONDS))
  until [[ $(<"$sched_ext/state") == enabled && $(running_ops) == "$1"* ]]; do
    kill -0 "$scheduler" 2>/dev/null || ended_early
    ((SECONDS < deadline)) || lost "it did not attach within $ATTACH_SECONDS s"
    sleep 0.05
  done
  attached_as=$(<"$sched_ext/enable_seq")
  say attached "$(running_ops)"
}

ended_early() {
  local status=0
  wait "$scheduler" || status=$?
  scheduler=
  lost "it ended with status $status before it was attached"
}

# Stops it with SIGINT; not to have stayed attached until now, or not to end well, is a failure.
detach() {
  if [[ $(<"$sched_ext/state") != enabled || $(<"$sched_ext/enable_seq") != "$attached_as" ]]; then
    stop >/dev/null
    lost "it was ejected or gave up while it was measured"
  fi
  stop
  ((status == 0)) || lost "it ended with status $status after SIGINT"
  [[ $(<"$sched_ext/state") != enabled ]] || lost "the kernel still runs a sched_ext scheduler after it ended"
  say detached
}

stop() { # the scheduler, if there is one; its exit status into $status
  status=0
  [[ -n $scheduler ]] || return 0
  kill -INT "$scheduler" 2>/dev/null || true
  local deadline=$((SECONDS + DETACH_SECONDS))
  while kill -0 "$scheduler" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      kill -KILL "$scheduler" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
  wait "$scheduler" 2>/dev/null || status=$?
  scheduler=
}

trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
