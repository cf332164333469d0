#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_headers.py - every header of include/, abi/ and src/ compiles when it is all that is included.

usage: tools/check_headers.py BUILD [--root ROOT]

BUILD is a build folder, whose generated headers are used and where results are kept. Headers of abi/
must compile as C, too. Those that have not changed since they passed are skipped, and those that are
the first thing that a source file of the build includes: the build has shown it.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from lintlib.compile import Closure, Commands, run_cached
from lintlib.tree import ROOT, cpp_files

CHECKED = ("include", "abi", "src")
WARNINGS = ["-Wall", "-Wextra", "-Werror"]


def commands(header, folders):
    """One compiler call per language."""
    include = [f"-I{folder}" for folder in folders]
    calls = [["g++", "-std=c++23", "-x", "c++"]]
    if header.parts[0] == "abi":
        calls.append(["gcc", "-std=c17", "-x", "c"])
    # The header comes by standard input, twice: a missing guard shows.
    return [call + WARNINGS + include + ["-fsyntax-only", "-"] for call in calls]


def shown_by_build(header, commands, root):
    """Whether its own source file or that file's test includes it before anything else."""
    if "#pragma once" not in (root / header).read_text():
        return False
    own = f'#include "{header.relative_to(header.parts[0])}"'
    sources = (header.with_suffix(".cc"), header.with_name(f"{header.stem}_test.cc"))
    lines = ((root / source).read_text().splitlines() for source in sources if source in commands.flags)
    return any(next((line for line in text if line.startswith("#include")), "") == own for text in lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--root", type=Path, default=ROOT)
    arguments = parser.parse_args()
    build, root = arguments.build.resolve(), arguments.root.resolve()

    folders = [root / "include", root / "src", root]
    compiled = Commands(build, root)
    folders += [folder for folder in compiled.include_folders() if folder not in folders]
    closure = Closure(folders)
    headers = [name for name in cpp_files(root) if name.suffix == ".h" and name.parts[0] in CHECKED]

    def work(header):
        source = f'#include "{root / header}"\n' * 2
        for command in commands(header, folders):
            done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return f"{header} does not compile by itself ({command[0]}):\n{done.stderr}"
        return ""

    compiler = subprocess.run(["g++", "--version"], capture_output=True, check=True).stdout
    jobs = {
        header: closure.digest(root / header, compiler, commands(header, folders))
        for header in headers
        if not shown_by_build(header, compiled, root)
    }
    sys.exit(1 if run_cached(jobs, build / "check-headers", work) else 0)


if __name__ == "__main__":
    main()
