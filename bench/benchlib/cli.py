# SPDX-License-Identifier: GPL-2.0-only
"""What the command lines of the benchmarks have in common."""

import argparse
import sys
from collections.abc import Callable
from typing import NoReturn

from . import CompareError, system_error


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


def run_command(name: str, command: Callable[[], int], trouble: int | None = None) -> int:
    """The exit status of COMMAND, whose trouble is told in a line that begins with NAME; then TROUBLE, if given."""
    try:
        status = command()
        sys.stdout.flush()
    except CompareError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return trouble or error.status
    except OSError as error:
        print(f"{name}: {system_error(error)}", file=sys.stderr)
        return trouble or 1
    except KeyboardInterrupt:
        return 130
    return status
