#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""planted - plants a bug at a time in a copy of the tree, and shows that chaotic runs find it (see --help)."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Bug:
    """Text of a file of the tree, and what stands in its place."""

    name: str
    path: str
    text: str
    planted: str


BUGS = (
    Bug(
        "decisions are not held against the wait that they were made for",
        "bpf/rings.bpf.h",
        "\tif (tctx->generation != d->generation) {",
        "\tif (0) {",
    ),
    Bug(
        "a task that begins to wait wakes no idle CPU",
        "bpf/dispatcher.bpf.c",
        "\twake_idle_for(p);",
        "",
    ),
    Bug(
        "a CPU that finds nothing does not look once more",
        "bpf/dispatcher.bpf.c",
        "\tif (!is_going(cpu) && (prev || !is_marked_idle(cpu)))",
        "\tif (0)",
    ),
    Bug(
        "the policy forgets every hundredth task",
        "src/policies/fifo.h",
        "{ queue_.push(task); }",
        "{ if (++n_ % 100 != 0) queue_.push(task); }\n  int n_ = 0;",
    ),
)


def run(command: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, text=True, capture_output=True, check=False, **options)  # type: ignore[call-overload]


def build(tree: Path) -> None:
    done = run(["cmake", "--build", str(tree / "build"), "--target", "cppland-chaos"])
    if done.returncode != 0:
        sys.exit(f"planted: the build failed:\n{done.stdout}{done.stderr}")


def copy_tree(to: Path) -> None:
    files = run(["git", "-C", str(ROOT), "ls-files", "-z"]).stdout
    run(["xargs", "-0", "cp", "--parents", "-t", str(to)], input=files, cwd=ROOT)
    done = run(["cmake", "-S", str(to), "-B", str(to / "build"), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"])
    if done.returncode != 0:
        sys.exit(f"planted: the configuration failed:\n{done.stdout}{done.stderr}")


def find(tree: Path, seeds: int) -> str:
    """What chaos says of the tree; empty if it finds nothing."""
    build(tree)
    chaos = run([str(tree / "build/bin/cppland-chaos"), "--seeds", f"1-{seeds}", "--keep", str(tree)])
    return chaos.stdout.strip().splitlines()[0] if chaos.returncode == 1 else ""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/chaos/planted.py", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many may pass (default: 1000)")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    os.environ["LC_ALL"] = "C.UTF-8"
    status = 0
    with tempfile.TemporaryDirectory(prefix="cppland-planted-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        if found := find(tree, options.seeds):
            print(f"FAIL without a planted bug: {found}")
            return 1
        print(f"ok nothing is found in {options.seeds} seeds where no bug is planted", flush=True)
        for bug in BUGS:
            path = tree / bug.path
            sound = path.read_text()
            if sound.count(bug.text) != 1:
                sys.exit(f"planted: {bug.path} has no place for '{bug.name}' any more")
            path.write_text(sound.replace(bug.text, bug.planted))
            found = find(tree, options.seeds)
            path.write_text(sound)
            status |= not found
            print(f"{'ok' if found else 'FAIL'} {bug.name}: {found or 'not found'}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
