# SPDX-License-Identifier: GPL-2.0-only
"""Statistics over latencies and work, and the file that keeps them."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from . import CompareError


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


def check_writable(file: str) -> None:
    """Nobody should wait for figures that cannot be written. Leaves FILE as it is, or as absent as it is."""
    if Path(file).is_fifo():  # whose reader would take a closed end for the end of the figures
        return
    try:
        if os.path.exists(file):
            os.close(os.open(file, os.O_WRONLY | os.O_APPEND))
        else:
            path = os.path.realpath(file)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            os.unlink(path)
    except OSError as error:
        raise CompareError(f"--json: cannot write '{file}': {error.strerror}", 2) from error


def save(figures: dict[str, Any], file: str, indent: int | None = None) -> None:
    try:
        Path(file).write_text(json.dumps(figures, indent=indent) + "\n")
    except OSError as error:
        raise CompareError(f"--json: writing '{file}': {error.strerror}") from error


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
