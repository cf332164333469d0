# SPDX-License-Identifier: GPL-2.0-only
"""A run of `cppland sim`, on the file that rt-app gets."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchlib import CompareError
from benchlib.job import build_folder

from .run import FIGURES, Run

VERSION = 1  # of the simulator's JSON
# The virtual machine's CPUs share one stream of instructions, so all that its kernel does takes as much longer.
SPREAD = 100  # percent of the cost, for each CPU
CALIBRATION = "CPU0"  # it means nothing where `run` is CPU time itself


def simulate(run: Run, settings: Sequence[str] = ()) -> dict[str, Any]:
    settings = [f"cost-percent={SPREAD * run.cpus}", *settings]  # which may set it once more
    with tempfile.TemporaryDirectory(prefix="cppland-") as temporary:
        folder = Path(temporary)
        out = folder / "out.json"
        done = subprocess.run(
            [
                build_folder() / "bin" / "cppland", "sim", "--policy", run.policy, "--cpus", str(run.cpus),
                "--workload", run.write(CALIBRATION, folder), "--seed", str(run.seed),
                "--duration", str(run.seconds), *(word for one in settings for word in ("--set", one)),
                "--json", out,
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            reason = done.stderr.strip().partition("\n")[0]
            status = 2 if done.returncode == 2 else 1  # it knows which parameters there are
            raise CompareError(f"the simulator ended with status {done.returncode}: {reason}", status)
        return figures(out.read_text())


def figures(text: str) -> dict[str, Any]:
    """Of the one run that TEXT, the simulator's JSON, tells of."""
    try:
        found = json.loads(text)
        if found["version"] != VERSION:
            raise CompareError(f"the simulator's JSON has version {found['version']}, and not {VERSION}")
        (only,) = found["runs"]
        return {
            "classes": {name: _of(one) for name, one in only["classes"].items()},
            "all": _of(only["all"]),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise CompareError(f"the simulator's JSON is not as it should be: {error!r}") from error


def _of(one: dict[str, Any]) -> dict[str, float]:
    return {name: one[name] for name in FIGURES}
