# SPDX-License-Identifier: GPL-2.0-only
"""Simulator and virtual machine side by side."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from benchlib.figures import ratio, ratio_text

NEAR = 1.05  # figures nearer than this factor rank equal
RANKED = ("p50_us", "p99_us")
HEAD = ("CPUs", "workload", "policy", "p50 VM", "sim", "ratio", "p99 VM", "sim", "ratio", "missed VM", "sim")
WIDTHS = (4, 12, 12, 10, 10, 7, 10, 10, 7, 12, 12)


def table(rows: Sequence[dict[str, Any]]) -> str:
    """ROWS have `policy`, `cpus`, `workload`, and figures in `vm` and `sim`, of which one may be missing."""
    lines = [_line(HEAD)]
    places = list(dict.fromkeys((row["cpus"], row["workload"]) for row in rows))
    for cpus, workload in places:
        here = [row for row in rows if (row["cpus"], row["workload"]) == (cpus, workload)]
        lines += [_line((str(cpus), workload, row["policy"], *_cells(row))) for row in here]
        if len(here) > 1 and all("vm" in row and "sim" in row for row in here):
            lines.append(f"{_line(('', '', 'ranking:'))} {_verdicts(here)}")
    lines.append("Wake-up latencies in us, ratios of simulator to VM, missed of all deadlines; without the hogs.")
    return "\n".join(lines)


def disagreements(rows: Sequence[dict[str, Any]], figure: str) -> list[str]:
    """Pairs of policies that FIGURE puts into one order in the VM, and into another in the simulator."""
    found = []
    for one, other in combinations(rows, 2):
        orders = [_order(one[world]["all"][figure], other[world]["all"][figure]) for world in ("vm", "sim")]
        if 0 not in orders and orders[0] != orders[1]:
            found.append(f"{one['policy']}/{other['policy']}")
    return found


def _order(one: float, other: float) -> int:
    """-1 if ONE is less, 1 if it is more, 0 if they are too near each other to say."""
    if max(one, other) <= NEAR * min(one, other):
        return 0
    return -1 if one < other else 1


def _verdicts(rows: Sequence[dict[str, Any]]) -> str:
    verdicts = []
    for figure in RANKED:
        different = disagreements(rows, figure)
        verdict = f"differs ({', '.join(different)})" if different else "agrees"
        verdicts.append(f"{figure.removesuffix('_us')} {verdict}")
    return ", ".join(verdicts)


def _cells(row: dict[str, Any]) -> list[str]:
    vm, sim = (row.get(world, {}).get("all") for world in ("vm", "sim"))
    cells = []
    for figure in RANKED:
        cells += [f"{one[figure]:.0f}" if one else "-" for one in (vm, sim)]
        cells.append(ratio_text(ratio(sim[figure], vm[figure])) if vm and sim else "-")
    return cells + [f"{one['missed']:.0f}/{one['periods']:.0f}" if one else "-" for one in (vm, sim)]


def _line(cells: Sequence[str]) -> str:
    texts = [cell.ljust(width) if place in (1, 2) else cell.rjust(width)
             for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=False))]  # fmt: skip
    return " ".join(texts).rstrip()
