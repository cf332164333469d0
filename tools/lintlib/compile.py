# SPDX-License-Identifier: GPL-2.0-only
"""Compilers' work that a check repeats: on all processors, and only for what has changed."""

import json
import os
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lintlib.tree import Closure


class Commands:
    """What compile_commands.json of a build folder says of the files below root."""

    def __init__(self, build, root):
        entries = json.loads((build / "compile_commands.json").read_text())
        self.flags = {}
        for entry in entries:
            file = Path(entry["directory"], entry["file"]).resolve()
            if file.is_relative_to(root) and not file.is_relative_to(build):
                self.flags[file.relative_to(root)] = shlex.split(entry["command"])

    def include_folders(self):
        """Where any file's command looks for project headers, without doubles."""
        folders = {}
        for flags in self.flags.values():
            for flag, following in zip(flags, flags[1:] + [""]):
                if flag.startswith("-I"):
                    folders[flag[2:] or following] = True
                elif flag == "-isystem":
                    folders[following] = True
        return [Path(folder) for folder in folders]


def run_cached(jobs, cache, work, processes=None):
    """Runs work(job) -> error text, "" if fine, for each {job: digest}; a digest that was fine before is
    skipped. Prints the errors, and returns how many jobs failed."""
    cache.mkdir(parents=True, exist_ok=True)
    stale = {job: digest for job, digest in jobs.items() if not (cache / digest).exists()}
    failed = 0
    with ThreadPoolExecutor(processes or len(os.sched_getaffinity(0))) as pool:
        for (_, digest), errors in zip(stale.items(), pool.map(work, stale)):
            if errors:
                failed += 1
                print(errors.rstrip(), file=sys.stderr, flush=True)
            else:
                (cache / digest).touch()
    known = set(jobs.values())
    for stamp in cache.iterdir():
        if stamp.name not in known:
            stamp.unlink()
    print(f"{len(jobs)} files, {len(jobs) - len(stale)} unchanged since they passed, {failed} failed")
    return failed


__all__ = ["Closure", "Commands", "run_cached"]
