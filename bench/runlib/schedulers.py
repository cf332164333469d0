# SPDX-License-Identifier: GPL-2.0-only
"""Who is compared."""

import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchlib import CompareError
from benchlib.job import NONE, ROOT, Scheduler, parse_scheduler

DEFAULT = "default"
OURS = "scx_cppland"
RUSTLAND = "scx_rustland"
PEERS = ("scx_simple", "scx_userland", RUSTLAND)
SKIPPED = "skipped"  # what the failure of one that cannot be had begins with
POLICIES = ("eevdf", "edf", "mlfq", "lottery", "fifo")


@dataclass(frozen=True)
class Entry:
    """A scheduler of the benchmark, or why it is not there."""

    name: str
    scheduler: Scheduler | None
    missing: str = ""


def known() -> list[str]:
    """What can be named beside paths."""
    return [DEFAULT, *PEERS, OURS, *(f"{OURS}:{policy}" for policy in POLICIES)]


def find(names: Sequence[str]) -> list[Entry]:
    """The entries of NAMES, each one of known() or the path of another scheduler's program. A path is called as its
    program is, if nothing else is called so."""
    called = Counter([*known(), *(Path(name).name for name in names if "/" in name)])
    return [_find(name, Path(name).name if called[Path(name).name] == 1 else name) for name in names]


def _find(name: str, short: str) -> Entry:
    if name == DEFAULT:
        return Entry(name, parse_scheduler(NONE))
    if name == OURS:
        return Entry(name, parse_scheduler(OURS))
    ours, colon, policy = name.partition(":")
    if ours == OURS and colon:
        if policy not in POLICIES:
            raise CompareError(f"--schedulers: there is no policy '{policy}' ({', '.join(POLICIES)})", 2)
        return Entry(name, parse_scheduler(f"{OURS} --policy {policy}"))
    if name in PEERS:
        return _peer(name)
    if "/" not in name:
        raise CompareError(f"--schedulers: '{name}' is none of {', '.join(known())}, nor a path", 2)
    try:
        return Entry(short, parse_scheduler(name))
    except CompareError as error:
        return Entry(short, None, str(error).removeprefix("--scheduler: "))


def _peer(name: str) -> Entry:
    """Built if it is not there yet, which takes minutes."""
    made = subprocess.run([str(ROOT / "tools" / "peers"), name], stdout=subprocess.PIPE, text=True, check=False)
    if made.returncode != 0:
        return Entry(name, None, f"{SKIPPED}: tools/peers {name} ended with status {made.returncode}")
    return Entry(name, parse_scheduler(made.stdout.strip()))
