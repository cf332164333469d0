# SPDX-License-Identifier: GPL-2.0-only
"""What runs in the guest, and which figures it leaves."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchlib.figures import latencies_of

from . import programs

FIGURES, RSS, RELEASE = "figures", "rss", "release"  # kinds of events
FEW_CPUS = (1, 2, 4)  # of 16 busy ones each has a sixteenth of one's speed


@dataclass(frozen=True)
class Workload:
    name: str
    summary: str
    script: Callable[[int, bool], str]  # of a seed, and whether it shall be quick; says FIGURES
    read: Callable[[str], dict[str, float]]  # what it said
    measure: str  # the figure that schedulers are compared by
    more_is_better: bool = False
    also: Sequence[tuple[str, bool]] = ()  # more figures to compare, and whether more is better
    prepare: Callable[[int, bool], str] | None = None  # before the scheduler is attached
    options: Callable[[], Sequence[str]] = tuple  # of tools/vm
    folders: Sequence[Path] = ()  # that the script finds
    cpus: Sequence[int] = ()  # the only numbers of CPUs that it makes sense on; none: any

    @property
    def figures(self) -> Mapping[str, bool]:
        """Those to compare, its measure first, and whether more is better."""
        return {self.measure: self.more_is_better, **dict(self.also)}


def body(workload: Workload, seed: int, quick: bool) -> str:
    """For benchlib.job.run_in_guest()."""
    prepare = f"{workload.prepare(seed, quick)}\n" if workload.prepare else ""
    return f"""\
{prepare}attach_scheduler
{workload.script(seed, quick)}
if [[ -n $scheduler ]]; then say {RSS} "$(sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/\\1/p' "/proc/$scheduler/status")"; fi
say {RELEASE} "$(uname -r)"
detach_scheduler"""


def _load(options: str) -> Callable[[int, bool], str]:
    def script(seed: int, quick: bool) -> str:
        load = f"cppland-load {options} --seconds={3 if quick else 10} --warmup=1 --seed={seed} --json=-"
        return f'say {FIGURES} "$({load} --loops-per-us "$(cppland-load --calibrate)")"'

    return script


def _timed(command: str, quick_command: str) -> Callable[[int, bool], str]:
    """After one run to warm up."""

    def script(_seed: int, quick: bool) -> str:
        chosen = quick_command if quick else command
        return f"""\
{chosen} >/dev/null 2>&1
begin=$EPOCHREALTIME
{chosen} >/dev/null 2>&1
end=$EPOCHREALTIME
say {FIGURES} $((${{end/./}} - ${{begin/./}}))"""

    return script


def _frame(text: str) -> dict[str, float]:
    load = json.loads(text)
    latencies = latencies_of(load["frame"]["wakeup"])
    return {
        "p50_us": latencies.quantile(0.5), "p99_us": latencies.quantile(0.99), "max_us": latencies.max,
        "missed": load["frame"]["missed"], "units": load["hogs"]["units"],
    }  # fmt: skip


def _request(text: str) -> dict[str, float]:
    load = json.loads(text)
    latencies = latencies_of(load["pair"]["round_trip"])
    return {
        "p50_us": latencies.quantile(0.5), "p99_us": latencies.quantile(0.99), "max_us": latencies.max,
        "units": load["hogs"]["units"],
    }  # fmt: skip


def _time(text: str) -> dict[str, float]:
    return {"ms": int(text) / 1000}


ALL: Mapping[str, Workload] = {
    each.name: each
    for each in (
        Workload("latency", "a 60 Hz task beside four hogs per CPU",
                 _load("--frames=1 --frame-work-us=500 --hogs-per-cpu=4"), _frame, "p99_us"),
        Workload("latency-scaled", "the same, with a frame whose work is divided by the number of CPUs",
                 _load("--frames=1 --frame-work-us=$((500 / $(nproc))) --hogs-per-cpu=4"), _frame, "p99_us"),
        Workload("request", "four clients with their servers beside a hog per CPU: round trips",
                 _load("--pairs=4 --hogs-per-cpu=1"), _request, "p99_us"),
        *(
            Workload(f"request-{n}", f"{what} beside a hog per CPU: round trips",
                     _load(f"--pairs={n} --hogs-per-cpu=1"), _request, "p99_us")
            for n, what in ((1, "one client with its server"), (16, "sixteen clients with their servers"))
        ),
        Workload("pipe", "perf bench sched pipe",
                 _timed("perf bench sched pipe -l 20000", "perf bench sched pipe -l 5000"), _time, "ms"),
        Workload("messaging", "perf bench sched messaging",
                 _timed("perf bench sched messaging -g 10 -l 50", "perf bench sched messaging -g 2 -l 50"), _time, "ms"),
        Workload("hackbench", "hackbench with 10 groups of 40 tasks",
                 _timed("hackbench -g 10 -l 100", "hackbench -g 10 -l 20"), _time, "ms"),
        Workload("hackbench-small", "hackbench with 2 groups of 10 tasks",
                 _timed("hackbench -g 2 -f 5 -l 500", "hackbench -g 2 -f 5 -l 200"), _time, "ms"),
        Workload("switch", "stress-ng --switch",
                 _timed("stress-ng --switch 2 --switch-ops 50000", "stress-ng --switch 2 --switch-ops 10000"), _time, "ms"),
        Workload("forks", "a storm of short processes",
                 _timed("stress-ng --fork 4 --fork-ops 2000", "stress-ng --fork 4 --fork-ops 500"), _time, "ms"),
        *(
            Workload(name, f"rt-app: {what}, beside a parallel compile", programs.app, programs.read_app, "late",
                     also=[("compile_cpu_s", True)], prepare=programs.app_prepare(name), options=programs.rt_app,
                     folders=programs.COMPILED, cpus=FEW_CPUS)
            for name, what in (
                ("mp3", "a music player"), ("video", "a video player"), ("browser", "a browser"),
            )
        ),
        Workload("compile", "a parallel compile alone", programs.compile_alone, programs.read_compile, "ms",
                 also=[("agent_percent", False)], prepare=programs.compile_prepare, options=programs.toolchain,
                 folders=programs.COMPILED, cpus=FEW_CPUS),
        Workload("timers", "cyclictest, a timer each millisecond, beside a hog per CPU", programs.timers,
                 programs.read_timers, "p99_us"),
        Workload("decisions", "a frame, requests and hogs: what the scheduler itself takes",
                 programs.own_cost("--frames=1 --pairs=4 --hogs-per-cpu=2"), programs.read_own_cost, "units",
                 more_is_better=True, also=[("instructions", False), ("agent_percent", False)], cpus=FEW_CPUS),
        *(
            Workload(f"tasks-{n}", f"{n} tasks that want a CPU all the time", programs.own_cost(f"--hogs={n}"),
                     programs.read_tasks_cost, "units", more_is_better=True, cpus=FEW_CPUS)
            for n in (20, 1000)
        ),
        Workload(f"tasks-{programs.MANY}", f"{programs.MANY} tasks that want a CPU all the time", programs.many,
                 programs.read_tasks_cost, "units", more_is_better=True, prepare=programs.many_prepare,
                 options=lambda: programs.MANY_MEMORY, cpus=(1, 2)),
    )
}  # fmt: skip
