# SPDX-License-Identifier: GPL-2.0-only
"""rt-app's files: read in the dialect that people write, written in the JSON that both worlds read.

The dialect allows comments, commas too many, keys without a value and the same key several times in an object, where
the order matters. In what is written a repeated key has a number at its end (`run`, `run1`, `run2`): rt-app looks only
at how a key begins.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchlib import CompareError

HOG = "hog"
HOG_RUN_US = 100_000
LOG_MIB = 4  # for each thread; it is written when all is over
COMM = 15  # characters of a thread's name that the kernel keeps
TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<mark>[{}\[\],:])|(?P<word>[^\s{}\[\],:"/]+)'
    r"|(?P<space>\s+)|(?P<bad>.)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Workload:
    name: str
    tasks: dict[str, Any]

    def classes(self) -> list[str]:
        """The tasks' names as the kernel shows them, without the number of the instance."""
        return list(self.tasks)


def read(file: Path) -> Workload:
    name = file.stem
    try:
        text = file.read_text()
    except OSError as error:
        raise CompareError(f"--workloads: '{file}': {error.strerror}", 2) from error
    try:
        found = parse(text)
    except ValueError as error:
        raise CompareError(f"--workloads: '{file}': {error}", 2) from error
    tasks = found.get("tasks") if isinstance(found, dict) else None
    if not isinstance(tasks, dict) or not tasks or not all(isinstance(task, dict) for task in tasks.values()):
        raise CompareError(f"--workloads: '{file}' has no tasks", 2)
    if HOG in tasks:
        raise CompareError(f"--workloads: '{file}' has a task '{HOG}', a name that the hogs beside need", 2)
    if len({task[:COMM] for task in tasks}) < len(tasks):
        raise CompareError(f"--workloads: '{file}' has tasks whose names agree in their first {COMM} characters", 2)
    return Workload(name, tasks)


def parse(text: str) -> Any:
    """Objects come with unique keys in their order, `suspend` with the name of its task."""
    found = json.loads("".join(_strict(text)), object_pairs_hook=_unique)
    tasks = found.get("tasks") if isinstance(found, dict) else None
    if isinstance(tasks, dict):
        for name, task in tasks.items():
            _fill_empty(task, name)
    return found


def combined(workload: Workload, hogs: int, seconds: float, calibration: int | str, folder: str) -> dict[str, Any]:
    """What both worlds run: WORKLOAD beside HOGS for so long; logs go to FOLDER."""
    tasks = dict(workload.tasks)
    if hogs:
        tasks[HOG] = {"instance": hogs, "loop": -1, "run": HOG_RUN_US}
    return {
        "tasks": tasks,
        "global": {
            "duration": seconds, "calibration": calibration, "default_policy": "SCHED_OTHER", "lock_pages": False,
            "ftrace": False, "gnuplot": False, "logdir": folder, "log_basename": "log", "log_size": LOG_MIB,
        },
    }  # fmt: skip


def _strict(text: str) -> Iterator[str]:
    """TEXT as pieces of plain JSON."""
    inside: list[str] = []  # the brackets that are open
    held = ""  # a comma that may be one too many
    key = False  # the last piece was a key whose value has not begun
    before = ""
    for token in TOKEN.finditer(text):
        kind, piece = token.lastgroup, token[0]
        if kind == "bad":
            raise ValueError(f"line {text.count(chr(10), 0, token.start()) + 1}: '{piece}' is out of place")
        if kind in ("comment", "space"):
            yield "\n" * piece.count("\n")  # keeps the numbers of lines in messages
            continue
        if key and piece in (",", "}"):
            yield ":null"
        if piece in ("}", "]"):
            held = ""
        yield held
        held = piece if piece == "," else ""
        if piece != ",":
            yield piece
        key = kind == "string" and inside[-1:] == ["{"] and before in ("{", ",")
        if piece in ("{", "["):
            inside.append(piece)
        elif piece in ("}", "]") and inside:
            inside.pop()
        before = piece
    yield held


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique: dict[str, Any] = {}
    taken = {key for key, _ in pairs}
    for key, value in pairs:
        name, number = key, 0
        while name in unique or (number and name in taken):
            number += 1
            name = f"{key}{number}"
        unique[name] = value
    return unique


def _fill_empty(part: Any, task: str) -> None:
    """Gives keys without a value theirs, in a PART of TASK."""
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        if value is None and key.startswith("suspend"):
            part[key] = task
        elif value is None:
            part[key] = ""
        _fill_empty(value, task)
