# SPDX-License-Identifier: GPL-2.0-only
"""Wake-up latencies out of the kernel's trace of `sched_waking` and `sched_switch`.

A latency is the time from the wake-up of a task that sleeps to its first moment on a CPU: the simulator's definition.
Whom a wake-up finds on its way to sleep, still on its CPU, waits from when it has left that.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SWITCH = re.compile(
    r" +(?P<ticks>[\d.]+): sched_switch: prev_comm=.* prev_pid=(?P<prev>\d+) prev_prio=-?\d+ prev_state=(?P<state>\S+)"
    r" ==> next_comm=(?P<comm>.*) next_pid=(?P<next>\d+) next_prio="
)
WAKING = re.compile(r" +(?P<ticks>[\d.]+): sched_waking: comm=(?P<comm>.*) pid=(?P<pid>\d+) prio=")
WRITTEN = re.compile(r"entries-in-buffer/entries-written: (\d+)/(\d+)")
RUNNABLE = "R"  # what prev_state begins with if the task did not block


@dataclass(frozen=True)
class Wait:
    comm: str
    begin: float  # in the unit of the trace's clock
    end: float


def is_whole(lines: Iterable[str]) -> bool:
    """Whether the trace's buffer was large enough, by what its head says."""
    written = next(filter(None, map(WRITTEN.search, lines)), None)
    return written is not None and written[1] == written[2]


def waits(lines: Iterable[str]) -> Iterator[Wait]:
    """In the order in which they end; LINES are in the order of time."""
    woken: dict[str, float] = {}
    early: dict[str, float] = {}  # woken while still on a CPU, on the way to sleep or not
    running: set[str] = set()
    for line in lines:
        if match := SWITCH.search(line):
            previous, task = match["prev"], match["next"]
            running.discard(previous)
            running.add(task)
            if match["state"].startswith(RUNNABLE):
                early.pop(previous, None)  # it was not on the way to sleep
            elif previous in early:
                early[previous] = float(match["ticks"])  # until now it did not wait: it still ran
            last = early.pop(task, None)
            begin = woken.pop(task, last)
            if begin is not None:
                yield Wait(match["comm"], begin, float(match["ticks"]))
        elif match := WAKING.search(line):
            if match["pid"] in running:
                early[match["pid"]] = float(match["ticks"])
            else:
                woken.setdefault(match["pid"], float(match["ticks"]))
