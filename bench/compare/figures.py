# SPDX-License-Identifier: GPL-2.0-only
"""Statistics over latencies and work."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any


class Latencies:
    """A distribution of microseconds, made from the `cells` of cppland-load's histograms."""

    def __init__(self, cells: Iterable[Sequence[float]] = ()) -> None:
        self._cells: Counter[float] = Counter()
        for value, count in cells:
            self._cells[value] += int(count)

    def add(self, other: "Latencies") -> None:
        self._cells.update(other._cells)

    @property
    def count(self) -> int:
        return self._cells.total()

    @property
    def max(self) -> float:
        return max(self._cells, default=0.0)

    def quantile(self, fraction: float) -> float:
        """The smallest value that at least FRACTION of the values do not exceed; 0 without values."""
        wanted = max(1, math.ceil(fraction * self.count))
        seen = 0
        for value in sorted(self._cells):
            seen += self._cells[value]
            if seen >= wanted:
                return value
        return 0.0


def latencies_of(histogram: dict[str, Any]) -> Latencies:
    """Of one histogram in cppland-load's JSON."""
    return Latencies(histogram["cells"])


def median(values: Sequence[float]) -> float:
    """REQUIRES: there are values."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def ratio(new: float, old: float) -> float | None:
    """NEW in units of OLD; None if there is nothing to compare with."""
    return new / old if old else None


def ratio_text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"x{value:.2f}" if value < 9.995 else f"x{value:.0f}"
