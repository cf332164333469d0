# SPDX-License-Identifier: GPL-2.0-only
"""Workloads that take more than a line: rt-app and a compile, and what the scheduler itself takes."""

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from benchlib import CompareError
from benchlib.figures import Latencies
from benchlib.job import COMPILED as TREE
from benchlib.job import ROOT
from fidelitylib.guest import CALIBRATION, PRELUDE
from fidelitylib.run import LOGS
from fidelitylib.workload import combined, read

Script = Callable[[int, bool], str]
APPS = ROOT / "src" / "sim" / "workloads" / "data"  # those of the simulator
# What compiles, and what of the tree it needs.
COMPILED: Sequence[Path] = (
    ROOT / "tools" / "demo" / "compile",
    *TREE,
)
COMPILE = """\
export TMPDIR=$PWD
compile="make -s -C $PWD -f compile/Makefile -j$(($(nproc) + 1))"
"""
# Some of the shortest.
FEW = " ".join(f"objects/{name}.o" for name in ("src/stats/fairness", "src/stats/histogram", "bench/load/shares"))


def toolchain() -> list[str]:
    return ["--add-toolchain"]


def rt_app() -> list[str]:
    found = subprocess.run([ROOT / "tools" / "rt-app"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise CompareError("there is no rt-app for the guest (see above)")
    return ["--add", f"{found.stdout.strip()}:/root/rt-app", *toolchain()]


# CPU time of the scheduler's threads since it began, in ns.
AGENT_TIME = """\
agent_ns() {
  if [[ -n $scheduler ]]; then
    cat /proc/$scheduler/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'
  else
    echo 0
  fi
}
"""
SAY_COST = """\
say figures "{\\"before\\": [$before], \\"after\\": [$after], \\
\\"cpus\\": $(nproc), \\"units\\": $(sed -nE 's/.*"hogs":\\{[^{]*"units":([0-9]+).*/\\1/p' load.json)}\""""


# --- rt-app beside a compile ---


def app_prepare(name: str) -> Script:
    """Before the scheduler is attached: rt-app's own calibration. Virtual CPUs that are busy share one stream of
    instructions, so that each of N has an Nth of it."""

    def script(_seed: int, quick: bool) -> str:
        tasks = read(APPS / f"{name}.json")
        file = json.dumps(combined(tasks, 0, seconds(quick), "CALIBRATION", LOGS))
        return f"""\
{PRELUDE}
cat >calibration.json <<'END'
{json.dumps(CALIBRATION)}
END
rt_app calibration.json
loop_ns=$(sed -nE 's/.*pLoad = ([0-9]+)ns.*/\\1/p' rt-app.log)
sed "s/\\"CALIBRATION\\"/$((loop_ns * $(nproc)))/" >workload.json <<'END'
{file}
END
{COMPILE}$compile first >&2"""

    return script


def app(_seed: int, quick: bool) -> str:
    return f"""\
cppland-load --with "$compile" --seconds {seconds(quick)} --warmup 1 --loops-per-us 1000 --json load.json >&2 &
load=$!
rt_app workload.json
wait "$load"
rows=$(awk '/^#idx/ {{ for (i = 1; i <= NF; ++i) at[$i] = i; next }}
  !/^#/ && NF && $(at["c_period"]) > 0 {{ print $(at["slack"]), $(at["wu_lat"]) }}' {LOGS}/*.log |
  awk '{{ printf "%s[%d, %d]", (NR > 1 ? ", " : ""), $1, $2 }}')
say figures "{{\\"rows\\": [$rows], \\"load\\": $(cat load.json)}}\""""


def read_app(text: str) -> dict[str, float]:
    """Rows are periods: what was left when the work was done, and how late the next wake-up came, both in us. Of a late
    period rt-app does not sleep, and says 0 for the wake-up that there was not."""
    found = json.loads(text)
    rows = found["rows"]
    if not rows:
        raise CompareError("rt-app's logs tell of no period")
    waits = Latencies((float(wait), 1) for slack, wait in rows if slack >= 0)
    figures = {
        "late": sum(slack < 0 for slack, _ in rows), "periods": len(rows),
        "compile_cpu_s": found["load"]["with"]["cpu_seconds"],
    }  # fmt: skip
    if waits.count:
        figures |= {"p99_us": waits.quantile(0.99), "max_us": waits.max}
    return figures


def seconds(quick: bool) -> int:
    return 4 if quick else 12


# --- a compile alone ---


def compile_prepare(_seed: int, _quick: bool) -> str:
    return f"{COMPILE}$compile {FEW} >&2"


def compile_alone(_seed: int, quick: bool) -> str:
    return f"""\
{AGENT_TIME}
before=$(agent_ns)
begin=$EPOCHREALTIME
$compile {FEW if quick else "all"} >&2
end=$EPOCHREALTIME
after=$(agent_ns)
say figures "{{\\"us\\": $((${{end/./}} - ${{begin/./}})), \\"agent_ns\\": $((after - before)), \\"cpus\\": $(nproc)}}\""""


def read_compile(text: str) -> dict[str, float]:
    found = json.loads(text)
    figures = {"ms": found["us"] / 1000}
    if found["agent_ns"] > 0:
        figures["agent_percent"] = found["agent_ns"] / 10 / found["us"] / found["cpus"]
    return figures


# --- timers ---


def timers(_seed: int, quick: bool) -> str:
    return f"""\
cppland-load --hogs-per-cpu=1 --seconds {seconds(quick)} --warmup 0 --loops-per-us 1000 --json hogs.json >&2 &
load=$!
cyclictest --policy=other --quiet --interval=1000 --duration={seconds(quick) - 1} --histogram=100000 \\
  --json=timers.json >/dev/null
wait "$load"
say figures "$(tr -d '\\n' <timers.json)\""""


def read_timers(text: str) -> dict[str, float]:
    thread = json.loads(text)["thread"]["0"]
    waits = Latencies((float(us), count) for us, count in thread["histogram"].items())
    return {"p50_us": waits.quantile(0.5), "p99_us": waits.quantile(0.99), "max_us": thread["max"],
            "avg_us": thread["avg"]}  # fmt: skip


# --- what the scheduler takes ---

# Decisions of its user space since it began, beside its CPU time and the clock. A scheduler that does not count those
# for which it leaves the choice of the CPU to the kernel, as scx_rustland, has them counted where it hands tasks to the
# kernel; without those that it did not ask its user space for, and those that came too late.
COUNTERS = f"""\
{AGENT_TIME}
find_counters() {{ # ours, or those of a scheduler that counts in variables of these names
  local id
  while read -r id; do
    if bpftool map dump id "$id" | grep '"nr_kernel_dispatches":\\|"counter":' >/dev/null; then
      counters_map=$id
      if bpftool map dump id "$id" | grep '"nr_kernel_dispatches":' >/dev/null; then count_inserted; fi
      return
    fi
  done < <(bpftool map show | sed -nE 's/^([0-9]+): array .*name ([^ ]*\\.bss|\\.bss\\.shm) .*/\\1/p')
}}

tracing=/sys/kernel/tracing
count_inserted() {{ # the function has the longer name in newer kernels, some have both
  local name
  [[ -e $tracing/kprobe_events ]] || mount -t tracefs tracefs "$tracing"
  for name in scx_bpf_dsq_insert_vtime __scx_bpf_dsq_insert_vtime; do
    if grep -x "$name" "$tracing/available_filter_functions" >/dev/null; then
      echo "p:inserted$name $name" >>"$tracing/kprobe_events"
      echo 1 >"$tracing/events/kprobes/inserted$name/enable"
    fi
  done
  inserted_file=$tracing/kprobe_profile
}}

counters() {{
  local decisions=0
  if [[ -n $counters_map ]]; then
    decisions=$({{ bpftool map dump id "$counters_map"; cat "$inserted_file"; }} | awk -v cpus="$(nproc)" '
      /"nr_(kernel|cancel)_dispatches":/ {{ gsub(/[^0-9]/, ""); sum -= $0; next }}
      /"counter": \\[/ && seen++ < cpus {{ sub(/.*\\[/, ""); sum += $0; next }}
      $1 ~ /^inserted/ {{ sum += $2 }}
      END {{ printf "%d", sum }}')
  fi
  echo "$(agent_ns), $decisions, ${{EPOCHREALTIME/./}}"
}}
counters_map= inserted_file=/dev/null
if [[ -n $scheduler ]]; then find_counters; fi
"""
MANY = 20_000
MANY_MEMORY = ("--mem", "4G")


def own_cost(load: str) -> Script:
    """What it takes while cppland-load does LOAD."""

    def script(seed: int, quick: bool) -> str:
        return f"""\
{COUNTERS}
loops=$(cppland-load --calibrate)
cppland-load {load} --seconds {seconds(quick)} --warmup 0 --seed {seed} --loops-per-us "$loops" --json load.json >&2 &
load=$!
sleep 1
before=$(counters)
sleep {seconds(quick) - 2}
after=$(counters)
wait "$load"
{SAY_COST}"""

    return script


def many_prepare(_seed: int, _quick: bool) -> str:
    """So many processes, each of which waits for longer than our watchdog usually lets them."""
    return """\
echo 60000 >/proc/sys/kernel/threads-max
echo 60000 >/proc/sys/kernel/pid_max
export SCX_TIMEOUT_MS=30000
loops=$(cppland-load --calibrate)"""


def many(seed: int, quick: bool) -> str:
    """Starting the tasks takes long; without a scheduler beside them this script has its turn when all is over."""
    return f"""\
{COUNTERS}
before="0, 0, 0" after="0, 0, 1"
cppland-load --hogs={MANY} --with ': >started; exec sleep 600' --seconds {3 if quick else 5} --warmup 0 --seed {seed} \\
  --loops-per-us "$loops" --json load.json >&2 &
load=$!
if [[ -n $scheduler ]]; then
  until [[ -e started ]]; do
    kill -0 "$load"
    kill -0 "$scheduler" || detach_scheduler
    sleep 0.1
  done
  sleep 0.5
  before=$(counters)
  sleep {1 if quick else 3}
  after=$(counters)
fi
wait "$load"
{SAY_COST}"""


def read_own_cost(text: str) -> dict[str, float]:
    """Time counts instructions, 2 ns each."""
    found = json.loads(text)
    ns, decisions, us = (after - before for before, after in zip(found["before"], found["after"], strict=True))
    figures = {"units": float(found["units"])}
    if ns > 0:
        figures["agent_percent"] = ns / 10 / us / found["cpus"]
    if decisions > 0:
        figures["instructions"] = ns / 2 / decisions
        figures["decisions_per_s"] = decisions / us * 1e6
    return figures


def read_tasks_cost(text: str) -> dict[str, float]:
    """Without what a decision takes: tasks that want a CPU all the time are decided long before they are dispatched,
    which is what counters tell of, so that the two are not of the same time."""
    figures = read_own_cost(text)
    return {name: value for name, value in figures.items() if name in ("units", "agent_percent")}
