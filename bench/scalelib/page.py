# SPDX-License-Identifier: GPL-2.0-only
"""The figures as one page that needs nothing else, with plots whose axes are logarithmic."""

import math
from collections.abc import Callable, Sequence
from html import escape

from .figures import ONE, PER_LLC, Run, gain, places, typical

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 340, 80, 40, 16, 150
COLOURS = {ONE: "#d9730d", PER_LLC: "#0b6e99"}
Points = dict[str, list[tuple[float, float]]]


def page(runs: Sequence[Run], conditions: str) -> str:
    cpus = sorted({run.cpus for run in runs})
    loads = sorted({run.pairs for run in runs})
    parts = [
        "<!doctype html>", '<html lang="en"><meta charset="utf-8"><title>Scale</title>',
        "<style>body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em }"
        " svg text { font: 12px system-ui, sans-serif }</style>",
        f"<h1>One agent, and one for each cache</h1><p>{escape(conditions)}</p>",
        "<h2>Decisions a second against CPUs</h2><p>The most at which wake-ups wait no longer than with one agent.</p>",
        plot(_gains(runs, cpus), "CPUs", "decisions/s"),
    ]  # fmt: skip
    for load in loads:
        parts.append(f"<h2>{2 * load} tasks for each CPU</h2>")
        for name, of in MEASURES.items():
            points = _points(runs, [(at, load) for at in cpus], of, lambda place: place[0])
            parts.append(f"<h3>{escape(name)}</h3>{plot(points, 'CPUs', name)}")
    for at in cpus:
        here = [place for place in places(runs) if place[0] == at]
        if len(here) > 1:
            parts.append(f"<h2>{at} CPUs, against tasks</h2>")
            for name, of in MEASURES.items():
                points = _points(runs, here, of, lambda place: 2 * place[0] * place[1])
                parts.append(f"<h3>{escape(name)}</h3>{plot(points, 'tasks', name)}")
    return "\n".join([*parts, "</html>", ""])


MEASURES: dict[str, Callable[[Run], float]] = {
    "decisions/s": lambda run: run.decisions_per_s,
    "p99 wait (us)": lambda run: run.p99_us,
    "agents' share (%)": lambda run: 100 * run.agent_share,
}


def _points(
    runs: Sequence[Run], at: Sequence[tuple[int, int]], of: Callable[[Run], float],
    x: Callable[[tuple[int, int]], float],
) -> Points:  # fmt: skip
    return {
        agents: [(x(place), of(run)) for place in at if (run := typical(runs, agents, *place)) and of(run) > 0]
        for agents in (ONE, PER_LLC)
    }


def _gains(runs: Sequence[Run], cpus: Sequence[int]) -> Points:
    found = [each for at in cpus if (each := gain(runs, at))]
    return {
        ONE: [(each.cpus, each.one.decisions_per_s) for each in found],
        PER_LLC: [(each.cpus, each.per_llc.decisions_per_s) for each in found],
    }


def plot(points: Points, x_name: str, y_name: str) -> str:
    """One line for each kind of agents."""
    every = [point for line in points.values() for point in line]
    if not every:
        return "<p>-</p>"
    xs, ys = [x for x, _ in every], [y for _, y in every]
    at_x = _axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    at_y = _axis(min(ys), max(ys), HEIGHT - BOTTOM, TOP)
    lines = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">']
    for value in sorted(set(xs)):
        lines.append(f'<text x="{at_x(value):.0f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{value:g}</text>')
    for value in _ticks(min(ys), max(ys)):
        y = at_y(value)
        lines.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:,g}</text>')
    for name, line in points.items():
        if not line:
            continue
        path = "L".join(f"{at_x(x):.1f} {at_y(y):.1f}" for x, y in line)
        lines.append(f'<path d="M{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>')
        lines += [f'<circle cx="{at_x(x):.1f}" cy="{at_y(y):.1f}" r="3" fill="{COLOURS[name]}"/>' for x, y in line]
        x, y = line[-1]
        lines.append(f'<text x="{at_x(x) + 8:.1f}" y="{at_y(y) + 4:.1f}" fill="{COLOURS[name]}">{escape(name)}</text>')
    lines.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_name)}</text>')
    lines.append(f'<text x="{LEFT}" y="{TOP - 4}">{escape(y_name)}</text>')
    return "\n".join([*lines, "</svg>"])


def _axis(least: float, most: float, begin: float, end: float) -> Callable[[float], float]:
    low, high = math.log(least), math.log(most)
    if high - low < 1e-9:
        return lambda _: (begin + end) / 2
    return lambda value: begin + (math.log(value) - low) / (high - low) * (end - begin)


def _ticks(least: float, most: float) -> list[float]:
    """1, 2 and 5 times powers of ten, or the ends."""
    found = [
        step * 10.0**power
        for power in range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
        for step in (1, 2, 5)
        if least <= step * 10.0**power <= most
    ]
    return found if len(found) > 1 else sorted({least, most})
