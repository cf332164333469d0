# SPDX-License-Identifier: GPL-2.0-only
"""What the command lines of the benchmarks have in common."""

import argparse
from collections.abc import Callable
from typing import NoReturn

from . import CompareError


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CompareError(f"{message} (try --help)", 2)


def numbers(most: int) -> Callable[[str], list[int]]:
    """Reads a list of different numbers from 1 to MOST."""

    def parse(text: str) -> list[int]:
        words = text.split(",")
        good = all(word.isdecimal() and 0 < int(word) <= most for word in words)
        if not good or len(set(words)) < len(words):
            raise argparse.ArgumentTypeError(f"'{text}' is no list of different numbers from 1 to {most}")
        return [int(word) for word in words]

    return parse
