#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_tidy.py - clang-tidy over every C++ file that a build compiles.

usage: tools/check_tidy.py BUILD [FILE...] [--fix]

BUILD is a configured and built folder. Files that have not changed since they passed, nor anything
that they include, are skipped. --fix mends what clang-tidy can mend, one file at a time.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from lintlib.compile import Closure, Commands, run_cached
from lintlib.tree import ROOT

TIDY = "clang-tidy-19"
# The commands are those of g++, with warnings that clang does not know.
EXTRA = ["--quiet", "--extra-arg=-Wno-unknown-warning-option"]
# GoogleTest's headers are big, and every check looks at them, too: tests get the ones that find defects
# which tests have, and names.
TEST_CHECKS = [
    "-*",
    "bugprone-dangling-handle",
    "bugprone-unused-raii",
    "bugprone-unused-return-value",
    "bugprone-use-after-move",
    "cppcoreguidelines-init-variables",
    "google-explicit-constructor",
    "misc-definitions-in-headers",
    "performance-for-range-copy",
    "performance-move-const-arg",
    "readability-identifier-naming",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--fix", action="store_true")
    arguments = parser.parse_args()
    build = arguments.build.resolve()

    commands = Commands(build, ROOT)
    files = [name for name in commands.flags if name.suffix == ".cc"]
    if arguments.files:
        wanted = {file.resolve() for file in arguments.files}
        files = [name for name in files if ROOT / name in wanted]

    def options(name):
        fix = ["--fix"] if arguments.fix else []
        test = name.stem.endswith("_test") or name.parts[0] == "tests"
        return EXTRA + fix + (["--checks=" + ",".join(TEST_CHECKS)] if test else [])

    def work(name):
        command = [TIDY, "-p", build, *options(name), ROOT / name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    closure = Closure(commands.include_folders())
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    config = (ROOT / ".clang-tidy").read_text()
    jobs = {
        name: closure.digest(ROOT / name, version, config, options(name), commands.flags[name])
        for name in files
    }
    sys.exit(1 if run_cached(jobs, build / "check-tidy", work, 1 if arguments.fix else None) else 0)


if __name__ == "__main__":
    main()
