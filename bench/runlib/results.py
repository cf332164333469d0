# SPDX-License-Identifier: GPL-2.0-only
"""Medians, ratios, the goals, and the tables made of them.

`results` here is what bench/run saves: {"conditions": ..., "jobs": [job...]}, where a job is one run of one scheduler:
its scheduler, workload, cpus and seed, and either its figures or a failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from benchlib.figures import median, ratio, ratio_text

from .schedulers import DEFAULT, OURS, RUSTLAND, SKIPPED
from .workloads import ALL

VERSION = 1
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Cell:
    """One scheduler on one workload and number of CPUs, over all seeds."""

    value: float | None  # the median of the workload's measure
    least: float = 0
    most: float = 0
    failure: str = ""


def cell(results: dict[str, Any], scheduler: str, workload: str, cpus: int, figure: str = "") -> Cell:
    jobs = [
        job for job in results["jobs"]
        if (job["scheduler"], job["workload"], job["cpus"]) == (scheduler, workload, cpus)
    ]  # fmt: skip
    failures = [job["failure"] for job in jobs if job.get("failure")]
    if failures:
        return Cell(None, failure=failures[0])
    name = figure or ALL[workload].measure
    values = [job["figures"][name] for job in jobs if name in job["figures"]]
    if not values:
        return Cell(None, failure=NOT_MEASURED)
    return Cell(median(values), min(values), max(values))


def places(results: dict[str, Any]) -> list[tuple[str, int]]:
    """Workloads with numbers of CPUs, in the order of the first job of each."""
    return list(dict.fromkeys((job["workload"], job["cpus"]) for job in results["jobs"]))


def schedulers(results: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(job["scheduler"] for job in results["jobs"]))


def table(results: dict[str, Any]) -> str:
    """Markdown: a row for each workload and number of CPUs, a column for each scheduler."""
    names = schedulers(results)
    lines = ["| workload | CPUs | " + " | ".join(names) + " |", "| --- " * (2 + len(names)) + "|"]
    for workload, cpus in places(results):
        for figure in ALL[workload].figures:
            cells = [cell(results, name, workload, cpus, figure) for name in names]
            if figure != ALL[workload].measure and all(each.value is None for each in cells):
                continue
            own = cell(results, DEFAULT, workload, cpus, figure)
            row = " | ".join(_cell_text(each, own) for each in cells)
            lines.append(f"| {workload} ({figure}) | {cpus} | {row} |")
    return "\n".join(lines)


def _cell_text(found: Cell, own: Cell) -> str:
    if found.value is None:
        return failure_word(found)
    text = number_text(found.value)
    if found.most > found.least:
        text += f" ({number_text(found.least)} to {number_text(found.most)})"
    if own.value:
        text += f" {ratio_text(found.value / own.value)}"
    return text


def number_text(value: float) -> str:
    """Three digits or more."""
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def failure_word(found: Cell) -> str:
    """In place of its figure."""
    if found.failure == NOT_MEASURED:
        return "-"
    return SKIPPED if found.failure.startswith(SKIPPED) else "failed"


def failures(results: dict[str, Any]) -> list[str]:
    return [
        f"{job['scheduler']}, {place_text(job['workload'], job['cpus'])}, seed {job['seed']}: {job['failure']}"
        for job in results["jobs"]
        if job.get("failure")
    ]


# --- the goals ---


@dataclass(frozen=True)
class Goal:
    workload: str
    cpus: int
    beside: str
    most: float  # of our median in units of theirs; of a figure where more is better, theirs in units of ours
    figure: str = ""  # if not what the workload measures
    more_is_better: bool = False


GOALS: Sequence[Goal] = (
    *(Goal("latency", 1, beside, 0.10) for beside in (DEFAULT, RUSTLAND)),
    *(Goal("latency", cpus, beside, 0.30) for cpus in (2, 4, 16) for beside in (DEFAULT, RUSTLAND)),
    *(Goal("latency-scaled", 16, beside, 0.30) for beside in (DEFAULT, RUSTLAND)),
    *(Goal("pipe", cpus, beside, most) for cpus in (1, 2) for beside, most in ((DEFAULT, 1.10), (RUSTLAND, 0.6))),
    *(
        Goal("hackbench", cpus, beside, most)
        for cpus in (1, 2, 4)
        for beside, most in ((DEFAULT, 1.05), (RUSTLAND, 0.8))
    ),
    *(Goal("compile", cpus, DEFAULT, 1 / 0.98) for cpus in (1, 2)),
    *(
        Goal(workload, cpus, DEFAULT, 1 / 0.98, "compile_cpu_s", more_is_better=True)
        for workload in ("video", "mp3")
        for cpus in (1, 2)
    ),
    *(Goal("decisions", cpus, RUSTLAND, 0.4, "instructions") for cpus in (1, 2)),
)
NO_LATE = ("video", "mp3")  # late frames: none where others have any
MOST_AGENT_PERCENT = 2
MOST_RSS_KB = 8 * 1024


WORDS = {True: "met", False: "missed", None: NOT_MEASURED}  # of verdicts


@dataclass(frozen=True)
class Verdict:
    what: str
    figure: str
    limit: str
    met: bool | None  # None: it was not measured


def verdicts(results: dict[str, Any]) -> list[Verdict]:
    found = [_verdict(results, goal) for goal in GOALS]
    found += [_late(results, workload, cpus) for workload in NO_LATE for cpus in (1, 2)]
    found += [_agent_share(results, cpus) for cpus in (1, 2)]
    sizes = [job["rss_kb"] for job in results["jobs"] if job["scheduler"] == OURS and "rss_kb" in job]
    size = max(sizes, default=None)
    found.append(Verdict(
        "memory (RSS)", "-" if size is None else f"{size / 1024:.1f} MiB", f"{MOST_RSS_KB // 1024} MiB",
        None if size is None else size <= MOST_RSS_KB,
    ))  # fmt: skip
    return found


def place_text(workload: str, cpus: int, figure: str = "") -> str:
    what = f"{workload} ({figure})" if figure else workload
    return f"{what}, {cpus_text(cpus)}"


def cpus_text(number: int) -> str:
    return f"{number} {'CPU' if number == 1 else 'CPUs'}"


def _verdict(results: dict[str, Any], goal: Goal) -> Verdict:
    ours = cell(results, OURS, goal.workload, goal.cpus, goal.figure).value
    other = cell(results, goal.beside, goal.workload, goal.cpus, goal.figure).value
    value = None
    if ours is not None and other is not None:
        value = ratio(other, ours) if goal.more_is_better else ratio(ours, other)
        if goal.more_is_better and other > 0 and ours == 0:
            value = inf
    return Verdict(
        f"{place_text(goal.workload, goal.cpus, goal.figure)}, beside {goal.beside}",
        "-" if value is None else f"{value:.3f}", f"{goal.most:.2f}", None if value is None else value <= goal.most,
    )  # fmt: skip


def _late(results: dict[str, Any], workload: str, cpus: int) -> Verdict:
    """With any of the seeds."""
    ours, *others = (cell(results, name, workload, cpus) for name in (OURS, DEFAULT, RUSTLAND))
    others = [other for other in others if other.value is not None]
    measured = ours.value is not None and bool(others)
    return Verdict(
        f"{place_text(workload, cpus)}: late where others are", "-" if ours.value is None else f"{ours.most:.0f}", "0",
        not ours.most or not any(other.most for other in others) if measured else None,
    )  # fmt: skip


def _agent_share(results: dict[str, Any], cpus: int) -> Verdict:
    share = cell(results, OURS, "compile", cpus, "agent_percent").value
    return Verdict(
        f"{place_text('compile', cpus)}: agent's share of the CPUs", "-" if share is None else f"{share:.2f} %",
        f"{MOST_AGENT_PERCENT} %", None if share is None else share <= MOST_AGENT_PERCENT,
    )  # fmt: skip


def goals_table(results: dict[str, Any]) -> str:
    """Markdown, of those that were measured."""
    found = verdicts(results)
    measured = [each for each in found if each.met is not None]
    lines = ["| goal | measured | at most | |", "| --- | --- | --- | --- |"]
    lines += [f"| {each.what} | {each.figure} | {each.limit} | {WORDS[each.met]} |" for each in measured]
    if len(measured) < len(found):
        lines += ["", f"{len(found) - len(measured)} goals more are of what was not measured."]
    return "\n".join(lines)


def releases(results: dict[str, Any]) -> str:
    """Of the kernels that it ran on."""
    return ", ".join(sorted({job["release"] for job in results["jobs"] if "release" in job})) or "release unknown"


def document(results: dict[str, Any]) -> str:
    """Everything, as Markdown."""
    conditions = results["conditions"]
    parts = [
        "# Benchmark",
        f"Kernel {conditions['kernel']} ({releases(results)}); seeds {', '.join(map(str, conditions['seeds']))}; medians (least to most), and "
        f"how many times the median of the kernel's default scheduler. `*_us`: microseconds of wake-up latency or round "
        f"trip; `ms`: time taken; less is better. `units` of work and `compile_cpu_s`: more is better.",
        table(results), "## Goals", goals_table(results),
    ]  # fmt: skip
    lost = failures(results)
    if lost:
        parts += ["## Failures", "\n".join(f"- {each}" for each in lost)]
    return "\n\n".join(parts) + "\n"
