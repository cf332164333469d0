# SPDX-License-Identifier: GPL-2.0-only
"""The command line of bench/compare."""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from benchlib import CompareError
from benchlib.cli import Parser, run_command

from .baseline import save
from .compare import LEAST_US, compare, different_conditions
from .read import MICRO, RESULTS, Benchmark, read

DESCRIPTION = f"""\
Compares two benchmarks and says what became better or worse. OLD and NEW are files, a {RESULTS} of bench/run or a
JSON of decision_bench (--benchmark_out=FILE), or folders with a {RESULTS}, a
{MICRO}, or both.

A figure is worse if its median is, by more than the tolerance and by more than its seeds differ on either side, and a
latency by more than {LEAST_US} us. Where both have the scheduler 'default', figures are in units of its. Any allocation more is a regression, as is a failure
that OLD has not, and what OLD has and NEW lacks. Processor times are shown, but judged by nobody.
"""
EPILOG = "Exit status: 0 without regressions, 1 with some (named at the end), 2 if these cannot be compared."


def main(arguments: Sequence[str]) -> int:
    return run_command("bench/compare", lambda: _run(_parse(arguments)), 2)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="bench/compare", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("old", type=Path, metavar="OLD")
    add("new", type=Path, metavar="NEW")
    add("--tolerance", type=_percent, default=5.0, metavar="PERCENT", help="(default: 5)")
    add("--partial", action="store_true", help="what NEW lacks is no regression")
    add("--force", action="store_true", help="compare in spite of different conditions")
    add("--update", action="store_true",
        help="put NEW's figures into the folder OLD instead, but no times and nothing of this machine")  # fmt: skip
    return parser.parse_args(arguments)


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 up")
    return number


def _run(options: argparse.Namespace) -> int:
    if options.update:
        for file in save(read(options.new), options.old):
            print(f"wrote {file}")
        return 0
    old, new = read(options.old, options.force), read(options.new, options.force)
    _check_alike(old, new, options.force)
    found = compare(old, new, options.tolerance, options.partial)
    if not found.rows and not found.regressions:
        raise CompareError(f"{old.name} and {new.name} have no figure in common", 2)
    if found.rows:
        print(found.table())
    if not found.regressions:
        return 0
    print(f"{chr(10) if found.rows else ''}Regressions:")
    for each in found.regressions:
        print(f"- {each}")
    return 1


def _check_alike(old: Benchmark, new: Benchmark, force: bool) -> None:
    if not set(old.kinds) & set(new.kinds):
        raise CompareError(f"{old.name} has {' and '.join(old.kinds)}, but {new.name} {' and '.join(new.kinds)}", 2)
    if old.results and new.results and not force:
        different = different_conditions(old.results, new.results)
        if different:
            raise CompareError(f"{old.name} and {new.name} differ in {', '.join(different)} (--force compares them)", 2)
