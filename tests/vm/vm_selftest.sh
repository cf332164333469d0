#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
# vm_selftest - does tools/vm keep its promises? Prints `ok NAME` or `FAIL NAME` per check.
#
# usage: tests/vm/vm_selftest.sh [--kernel K]
set -uo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
kernel=7
if [[ ${1-} == --kernel && -n ${2-} ]]; then
  kernel=$2
elif (($#)); then
  echo "usage: tests/vm/vm_selftest.sh [--kernel K]" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp # whatever tools/vm might leave behind shows here
readonly mark=vm_selftest.run=$$ # and here, in the command line of QEMU
failures=0

vm() { # run tools/vm; leaves $status, $work/out and $work/err
  "$root/tools/vm" --kernel "$kernel" --append "$mark" "$@" >"$work/out" 2>"$work/err"
  status=$?
}

check() { # NAME TEST...: one line of the report
  local name=$1
  shift
  if "$@"; then
    echo "ok $name"
  else
    echo "FAIL $name"
    failures=$((failures + 1))
    if [[ -s $work/out ]]; then head -n 40 "$work/out" | sed 's/^/  stdout: /'; fi
    if [[ -s $work/err ]]; then head -n 40 "$work/err" | sed 's/^/  stderr: /'; fi
  fi
}

says() { grep -qxF -e "$2" "$work/$1"; }       # STREAM LINE
mentions() { grep -qF -e "$2" "$work/$1"; }    # STREAM TEXT
nothing_runs() { ! pgrep -f -- "$mark" >/dev/null; }
nothing_lies_about() { [[ -z $(ls -A "$TMPDIR") ]]; }

one_message() { # a usage error: status 2, and one line that says what is wrong
  [[ $status == 2 && $(wc -l <"$work/err") == 1 && ! -s $work/out ]] && mentions err "$1"
}

usage_errors() {
  vm --no-such-flag -- true
  check "an unknown flag is refused" one_message --no-such-flag
  vm --cpus 0 -- true
  check "no CPUs are refused" one_message "--cpus takes 1 to"
  vm --cpus 3 --topology sockets=2,cores=2 -- true
  check "a topology that contradicts --cpus is refused" one_message "makes 4 CPUs, but --cpus says 3"
  vm --topology cores=2,floors=3 -- true
  check "an unknown part of a topology is refused" one_message "floors=3"
  vm --mem much -- true
  check "a senseless size is refused" one_message "--mem takes a size"
  vm --mem 64M -- true
  check "too little memory is refused" one_message "is too little"
  local seconds
  for seconds in 0 -1 nan inf 1e300; do
    vm --timeout "$seconds" -- true
    check "a timeout of $seconds is refused" one_message "--timeout takes"
  done
  vm --console "$work/nowhere/console" -- true
  check "a console in a missing folder is refused" one_message "$work/nowhere"
  vm --console / -- true
  check "a folder as console is refused" one_message "is a folder"
  vm --get "/etc/passwd:$work/nowhere/deep/file" -- true
  check "a --get into a missing folder is refused" one_message "$work/nowhere/deep"
  vm --seed 3 -- true
  check "a seed without --exact is refused" one_message "--exact"
  vm --turn-us 10 -- true
  check "turns without --exact are refused" one_message "--exact"
  vm --exact --turn-us 0 -- true
  check "turns of no length are refused" one_message "--turn-us takes 1 to"
  vm --add "$work/nowhere" -- true
  check "a missing file is refused" one_message "$work/nowhere"
  vm --get /etc/passwd -- true
  check "a --get without its target is refused" one_message "GUESTFILE:HOSTFILE"
  vm --kernel "$work/nowhere" -- true
  check "a missing kernel is refused" one_message "$work/nowhere"
  vm --build "$work/nowhere" -- true
  check "a missing build is refused" one_message "$work/nowhere"
  vm --cpus 1
  check "a missing command is refused" one_message "no COMMAND"
}

# One guest answers many questions: its script prints a line per answer.
one_guest() {
  mkdir -p "$work/folder/deep/bin" "$work/build/bin"
  printf 'binary\0content\n' >"$work/folder/deep/file"
  printf '#!/bin/sh\necho "the program ran with $# arguments"\n' >"$work/folder/deep/bin/program"
  chmod 755 "$work/folder/deep/bin/program"
  chmod 644 "$work/folder/deep/file"
  cp "$work/folder/deep/bin/program" "$work/build/bin/built-program"
  cat >"$work/questions.sh" <<'QUESTIONS'
echo "on stdout"
echo "on stderr" >&2
echo "reopened" >/dev/stderr
for argument; do echo "argument <$argument>"; done
echo "cpus $(nproc)"
echo "packages $(sort -u /sys/devices/system/cpu/cpu*/topology/physical_package_id | wc -l)"
echo "siblings $(cat /sys/devices/system/cpu/cpu0/topology/thread_siblings_list)"
echo "nodes $(cat /sys/devices/system/node/online)"
echo "caches $(sort -u /sys/devices/system/cpu/cpu*/cache/index3/shared_cpu_list | wc -l)"
echo "sched_ext $(cat /sys/kernel/sched_ext/state)"
echo "variable <$VARIABLE>"
echo "home of others <$HOST_VARIABLE>"
echo "user $(su user -c 'id -u')"
echo "folder $PWD"
for kind in proc sysfs devtmpfs devpts cgroup2 bpf debugfs tracefs; do
  grep -q " $kind " /proc/mounts && echo "mounted $kind"
done
ping -c 1 -w 5 127.0.0.1 >/dev/null && echo "loopback up"
built-program
folder/deep/bin/program 1 2
cmp folder/deep/file /opt/elsewhere/file && echo "added twice alike"
echo "new" >folder/new
exit 7
QUESTIONS
  printf 'binary\0content\n' >"$work/single"
  export HOST_VARIABLE=leaks
  # shellcheck disable=SC2016 # that nothing expands is the point
  local unexpanded='$(echo no) *'
  vm --topology sockets=2,cores=1,threads=2,nodes=2 --timeout 120 --env "VARIABLE=a value" \
    --build "$work/build" --add "$work/folder" --add "$work/questions.sh" --add "$work/single:/opt/elsewhere/file" \
    --get folder:"$work/fetched" --get /opt/elsewhere/file:"$work/fetched-file" --get /proc/version:"$work/version" \
    --get /sys/kernel/sched_ext/state:"$work/state" --console "$work/console" \
    -- bash questions.sh 'with  two spaces' "quote's" "$unexpanded" ""
  check "the exit status is the command's" test "$status" = 7
  check "stdout arrives on stdout" says out "on stdout"
  check "stderr arrives on stderr" says err "on stderr"
  check "stderr can be opened again" says err "reopened"
  check "streams are apart" test "$(wc -l <"$work/err")" = 2
  check "an argument keeps its spaces" says out "argument <with  two spaces>"
  check "an argument keeps its quotes" says out "argument <quote's>"
  check "no shell expands an argument" says out "argument <$unexpanded>"
  check "an empty argument arrives" says out "argument <>"
  check "CPUs are as many as asked for" says out "cpus 4"
  check "sockets are visible" says out "packages 2"
  check "SMT siblings are visible" says out "siblings 0-1"
  check "nodes are visible" says out "nodes 0-1"
  check "each socket has its last-level cache" says out "caches 2"
  check "the kernel has sched_ext" says out "sched_ext disabled"
  check "--env sets a variable" says out "variable <a value>"
  check "no other variable gets in" says out "home of others <>"
  check "there is an ordinary user" says out "user 1000"
  check "the command starts in /root" says out "folder /root"
  local kind
  for kind in proc sysfs devtmpfs devpts cgroup2 bpf debugfs tracefs; do
    check "$kind is mounted" says out "mounted $kind"
  done
  check "the loopback device is up" says out "loopback up"
  check "the build's programs are in the PATH" says out "the program ran with 0 arguments"
  check "an added program is executable" says out "the program ran with 2 arguments"
  check "added files have their content" says out "added twice alike"
  check "--get returns a file as it was" cmp -s "$work/fetched-file" "$work/single"
  check "--get returns a file of /proc" grep -q '^Linux version' "$work/version"
  check "--get returns a file of /sys" cmp -s "$work/state" <(echo disabled)
  check "--get returns a folder's new file" test "$(cat "$work/fetched/new")" = new
  check "--get keeps the executable bit" test -x "$work/fetched/deep/bin/program"
  check "--get adds no executable bit" test ! -x "$work/fetched/deep/file"
  check "--console keeps a log" test -f "$work/console"
}

bad_ends() {
  CPPLAND_CACHE=/proc/nowhere vm -- true
  check "a useless cache is 125" test "$status" = 125
  check "a useless cache is one message" test "$(wc -l <"$work/err")" = 1
  check "a useless cache is named" mentions err "/proc/nowhere"
  vm --get /nowhere:"$work/nothing" -- true
  check "a --get of nothing fails" test "$status" = 1
  check "a --get of nothing says so" mentions err "/nowhere"
  vm -- no-such-program
  check "a missing program is 127" test "$status" = 127
  vm --timeout 120 -- sh -c 'echo started; echo c >/proc/sysrq-trigger; sleep 60'
  check "a panic is 125" test "$status" = 125
  check "a panic says so" mentions err "kernel panic"
  check "a panic shows the console" mentions err "sysrq triggered crash"
  check "output before a panic is kept" says out started
  vm --timeout 20 -- sh -c 'echo started; sleep 600'
  check "a hang is 125" test "$status" = 125
  check "a hang says so" mentions err "did not end within 20 s"
  check "output before a hang is kept" says out started
}

interruption() {
  rm -f "$work/out"
  "$root/tools/vm" --kernel "$kernel" --append "$mark" -- sh -c 'echo started; sleep 600' >"$work/out" 2>"$work/err" &
  local job=$! waited=0
  until [[ -s $work/out ]] || ((waited++ > 600)); do sleep 0.1; done
  check "output arrives while the command runs" says out started
  kill -TERM "$job"
  wait "$job"
  status=$?
  check "SIGTERM ends the run" test "$status" = 143
  check "SIGTERM leaves no process" nothing_runs
}

repeat_exactly() { # CPUS: two runs with one seed are the same run, another seed makes another
  local -a facts=()
  local seed
  for seed in 5 5 6; do
    vm --exact --seed "$seed" --cpus "$1" -- bash -c '
      for turn in 1 2 3; do hackbench -l 5 -g 1 -f 4 | grep Time; done
      grep ctxt /proc/stat; date +%s.%N; cat /proc/sys/kernel/random/uuid'
    facts+=("$status $(cat "$work/out")")
  done
  check "an exact run succeeds with $1 CPUs" test "${facts[0]%% *}" = 0
  check "an exact run can be repeated with $1 CPUs" test "${facts[0]}" = "${facts[1]}"
  check "another seed is another run with $1 CPUs" test "${facts[0]}" != "${facts[2]}"
  check "an exact run has its own time with $1 CPUs" mentions out 17672256
}

"$root/tools/kernels" "$kernel" >/dev/null || exit 1
usage_errors
one_guest
bad_ends
interruption
repeat_exactly 1
repeat_exactly 2
check "no process is left behind" nothing_runs
check "no file is left behind" nothing_lies_about
if ((failures)); then
  echo "$failures checks failed" >&2
  exit 1
fi
