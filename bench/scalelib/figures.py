# SPDX-License-Identifier: GPL-2.0-only
"""Figures of simulated runs, and the tables made of them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchlib.figures import median

ONE, PER_LLC = "one", "per LLC"  # agents


@dataclass(frozen=True)
class Run:
    """One simulated run."""

    agents: str  # ONE or PER_LLC
    cpus: int
    pairs: int  # of tasks, for each CPU
    seed: int
    decisions_per_s: float
    p50_us: float  # of all wake-ups
    p99_us: float
    agent_share: float  # of all CPUs' time, of all agents

    def json(self) -> dict[str, Any]:
        return asdict(self)


def run_of(report: dict[str, Any], agents: str, pairs: int) -> Run:
    """Of the JSON of `cppland sim`, of one run."""
    run = report["runs"][0]
    return Run(
        agents=agents, cpus=run["cpus"], pairs=pairs, seed=run["seed"],
        decisions_per_s=run["decisions"] / run["seconds"],
        p50_us=run["all"]["p50_us"], p99_us=run["all"]["p99_us"], agent_share=run["agent_share"],
    )  # fmt: skip


def typical(runs: Sequence[Run], agents: str, cpus: int, pairs: int) -> Run | None:
    """Medians over the seeds."""
    found = [run for run in runs if (run.agents, run.cpus, run.pairs) == (agents, cpus, pairs)]
    if not found:
        return None
    return Run(
        agents, cpus, pairs, found[0].seed,
        *(median([getattr(run, name) for run in found])
          for name in ("decisions_per_s", "p50_us", "p99_us", "agent_share")),
    )  # fmt: skip


def places(runs: Sequence[Run]) -> list[tuple[int, int]]:
    """CPUs and pairs, ascending."""
    return sorted({(run.cpus, run.pairs) for run in runs})


@dataclass(frozen=True)
class Gain:
    """The most decisions/s at which wake-ups wait no longer than with one agent at its most."""

    cpus: int
    one: Run
    per_llc: Run

    @property
    def ratio(self) -> float:
        return self.per_llc.decisions_per_s / self.one.decisions_per_s


def gain(runs: Sequence[Run], cpus: int) -> Gain | None:
    loads = [pairs for at, pairs in places(runs) if at == cpus]
    alone = [run for pairs in loads if (run := typical(runs, ONE, cpus, pairs))]
    many = [run for pairs in loads if (run := typical(runs, PER_LLC, cpus, pairs))]
    best: Gain | None = None
    # One agent is at its most from some load on, and waits grow after that: the first within 1 %.
    most = max((run.decisions_per_s for run in alone), default=0.0)
    if most == 0:
        return None
    one = next(run for run in alone if run.decisions_per_s >= 0.99 * most)
    for run in many:
        if run.p99_us <= one.p99_us and (best is None or run.decisions_per_s > best.per_llc.decisions_per_s):
            best = Gain(cpus, one, run)
    return best


def table(runs: Sequence[Run]) -> str:
    """Markdown: for each number of CPUs and tasks, one agent and one for each cache."""
    lines = [
        "| CPUs | tasks | decisions/s: one agent | per LLC | | p99 wait (us): one agent | per LLC "
        "| agents' share: one | per LLC |",
        "| ---: " * 9 + "|",
    ]
    for cpus, pairs in places(runs):
        one, many = typical(runs, ONE, cpus, pairs), typical(runs, PER_LLC, cpus, pairs)
        if not one or not many:
            continue
        ratio = many.decisions_per_s / one.decisions_per_s if one.decisions_per_s else 0
        lines.append(
            f"| {cpus} | {2 * pairs * cpus} | {one.decisions_per_s:,.0f} | {many.decisions_per_s:,.0f} | x{ratio:.2f} "
            f"| {one.p99_us:.0f} | {many.p99_us:.0f} | {100 * one.agent_share:.2f} % | {100 * many.agent_share:.2f} % |"
        )
    return "\n".join(lines)


def gains_table(runs: Sequence[Run]) -> str:
    lines = [
        "| CPUs | one agent at its most: decisions/s | its p99 wait (us) | per LLC, waits no longer: decisions/s | p99 (us) | |",
        "| ---: " * 6 + "|",
    ]
    for cpus in sorted({run.cpus for run in runs}):
        if found := gain(runs, cpus):
            lines.append(
                f"| {cpus} | {found.one.decisions_per_s:,.0f} | {found.one.p99_us:.0f} "
                f"| {found.per_llc.decisions_per_s:,.0f} | {found.per_llc.p99_us:.0f} | x{found.ratio:.2f} |"
            )
    return "\n".join(lines)
