# SPDX-License-Identifier: GPL-2.0-only
"""What is measured, in either world, and what comes out of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchlib.figures import median

from .workload import Workload, combined

LOGS = "/root/logs"  # in the guest
FIGURES = ("wakeups", "p50_us", "p99_us", "max_us", "periods", "missed")  # for every class of tasks, and for all


@dataclass(frozen=True)
class Run:
    policy: str
    cpus: int
    workload: Workload
    seed: int
    seconds: int
    hogs_per_cpu: int

    def write(self, calibration: int | str, folder: Path) -> Path:
        """Puts rt-app's file into FOLDER; CALIBRATION is what a loop of rt-app takes, in ns, or the CPU to find
        that out on."""
        file = folder / "workload.json"
        hogs = self.hogs_per_cpu * self.cpus
        file.write_text(json.dumps(combined(self.workload, hogs, self.seconds, calibration, LOGS), indent=1))
        return file


def middle(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure over RUNS, which differ in their seeds only."""
    return {
        "classes": {name: _middle([run["classes"][name] for run in runs]) for name in runs[0]["classes"]},
        "all": _middle([run["all"] for run in runs]),
    }


def _middle(ones: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: median([one[name] for one in ones]) for name in FIGURES}
