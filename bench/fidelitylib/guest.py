# SPDX-License-Identifier: GPL-2.0-only
"""A run of rt-app under scx_cppland in the virtual machine."""

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from benchlib import CompareError
from benchlib.figures import Latencies
from benchlib.job import ROOT, Guest, parse_scheduler, run_in_guest

from . import trace
from .run import LOGS, Run
from .workload import COMM, HOG, Workload

TRACE_MIB = 24  # for each CPU
# Virtual CPUs take turns; the shorter, the nearer to CPUs that run at once (docs/fidelity.md).
TURN_US = 10
# For so long, in seconds, rt-app starts one thread after the other and touches the buffers for its logs.
STARTS = 1
LOG = re.compile(r"log-(.+)-\d+\.log")
# What every job begins with; the programs of Debian's next release bring their own C library.
PRELUDE = f"""\
rt_app() {{
  local folder=/root/rt-app
  "$folder/lib/ld-linux-x86-64.so.2" --library-path "$folder/lib" "$folder/bin/rt-app" "$1" >rt-app.log 2>&1 || {{
    cat rt-app.log
    return 1
  }}
}}
mkdir -p {LOGS}
"""
CALIBRATION = {
    "tasks": {"one": {"loop": 1, "run": 1}},
    "global": {"duration": 1, "calibration": "CPU0", "log_size": "disable"},
}


def _rt_app_folder() -> Path:
    found = subprocess.run([ROOT / "tools" / "rt-app"], stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode != 0:
        raise CompareError("there is no rt-app for the guest (see above)")
    return Path(found.stdout.strip())


class RealKernel:
    """Where rt-app runs. KEEP is a folder for traces and logs, one in it for each run."""

    def __init__(self, kernel: str, keep: str | None = None) -> None:
        self._kernel = kernel
        self._keep = Path(keep) if keep else None
        self._rt_app = _rt_app_folder()

    def measure(self, run: Run) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="cppland-") as temporary:
            folder = Path(temporary)
            logs = folder / "logs"
            if self._keep:
                logs = self._keep / f"{run.workload.name}-{run.cpus}-{run.policy}-{run.seed}"
            logs.mkdir(parents=True, exist_ok=True)
            options = ["--turn-us", str(TURN_US), "--get", f"{LOGS}:{logs}"]
            options += self._adds(run.write(self._calibration(run), folder))
            guest = Guest(self._kernel, run.cpus, run.seed, options=options)
            megahertz = 0.0
            for event in run_in_guest(guest, _body(), parse_scheduler(f"scx_cppland --policy {run.policy}")):
                if event.kind == "megahertz":
                    megahertz = float(event.text)
            if not megahertz:
                raise CompareError("the guest did not say how fast its clock is")
            return figures(run.workload, logs / Path(LOGS).name, megahertz, (STARTS, run.seconds))

    def _calibration(self, run: Run) -> int:
        """What a loop of rt-app takes in RUN, in ns. Virtual CPUs share one stream of instructions: each of N that hogs
        keep busy has an Nth of it."""
        return self._alone * (run.cpus if run.hogs_per_cpu else 1)

    @cached_property
    def _alone(self) -> int:
        """The same on a CPU that runs nothing else; equal in every run, as time counts instructions."""
        with tempfile.TemporaryDirectory(prefix="cppland-") as folder:
            file = Path(folder, "calibration.json")
            file.write_text(json.dumps(CALIBRATION))
            body = PRELUDE + 'rt_app calibration.json\nsay calibration "$(grep pLoad rt-app.log)"'
            guest = Guest(self._kernel, options=self._adds(file))
            for event in run_in_guest(guest, body, parse_scheduler("none")):
                if found := re.search(r"pLoad = (\d+)ns", event.text):
                    return int(found[1])
        raise CompareError("rt-app did not say what its calibration found")

    def _adds(self, file: Path) -> list[str]:
        return ["--add", f"{self._rt_app}:/root/rt-app", "--add", f"{file}:/root/{file.name}"]


def figures(workload: Workload, logs: Path, megahertz: float, within: tuple[float, float]) -> dict[str, Any]:
    """Out of the trace and of rt-app's own logs, by class of task. Wake-ups count from so many seconds to so many after
    the workload's first: after its end rt-app wakes all threads, which write their logs."""
    file = logs / "trace"
    with open(file) as lines:
        if not trace.is_whole(lines):
            raise CompareError("the guest's trace is not whole: its buffer is too small for so many seconds")
    names = {name[:COMM]: name for name in [*workload.classes(), HOG]}
    latencies: dict[str, list[float]] = {name: [] for name in names.values()}
    with open(file) as lines:
        known = (wait for wait in trace.waits(lines) if wait.comm in names)
        first: float | None = None
        for wait in known:
            if first is None:
                first = wait.begin
            if within[0] <= (wait.begin - first) / megahertz / 1e6 < within[1]:
                latencies[names[wait.comm]].append((wait.end - wait.begin) / megahertz)
    periods: dict[str, list[bool]] = {name: [] for name in names.values()}
    for log in logs.iterdir():
        if (match := LOG.fullmatch(log.name)) and match[1] in periods:
            periods[match[1]] += missed_periods(log.read_text())
    classes = {
        name: {**_of_waits(values), "periods": len(periods[name]), "missed": sum(periods[name])}
        for name, values in latencies.items()
    }
    shown = [name for name in classes if name != HOG]
    return {
        "classes": classes,
        "all": {
            **_of_waits([value for name in shown for value in latencies[name]]),
            **{what: sum(classes[name][what] for name in shown) for what in ("periods", "missed")},
        },
    }  # fmt: skip


def missed_periods(log: str) -> Iterator[bool]:
    """For each of a task's phases that ends with a timer: whether the timer's time was over before."""
    columns: list[str] = []
    for line in log.splitlines():
        words = line.split()
        if line.startswith("#idx"):
            columns = words
        elif words and not line.startswith("#"):
            row = dict(zip(columns, words, strict=True))
            if int(row["c_period"]) > 0:
                yield int(row["slack"]) < 0


def _of_waits(values: Sequence[float]) -> dict[str, float]:
    found = Latencies((value, 1) for value in values)
    return {
        "wakeups": found.count, "p50_us": found.quantile(0.5), "p99_us": found.quantile(0.99), "max_us": found.max,
    }  # fmt: skip


def _body() -> str:
    # The TSC, and not one of the kernel's own clocks: those are printed in whole microseconds.
    return PRELUDE + f"""\
tracing=/sys/kernel/tracing
[[ -e $tracing/trace ]] || mount -t tracefs tracefs $tracing
echo {TRACE_MIB * 1024} >$tracing/buffer_size_kb
echo x86-tsc >$tracing/trace_clock
echo 0 >$tracing/options/record-cmd # names are in the events; this would take as long as an event does
say megahertz "$(awk '/^cpu MHz/ {{ print $4; exit }}' /proc/cpuinfo)"
attach_scheduler
echo 1 >$tracing/events/sched/sched_waking/enable
echo 1 >$tracing/events/sched/sched_switch/enable
rt_app workload.json
echo 0 >$tracing/tracing_on
detach_scheduler
cp $tracing/trace rt-app.log {LOGS}"""
