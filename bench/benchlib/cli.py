# SPDX-License-Identifier: GPL-2.0-only
"""What the command lines of the benchmarks have in common."""

import argparse
import signal
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
        found = [int(word) if word.isdecimal() and len(word) <= len(str(most)) else 0 for word in words]
        if not all(0 < number <= most for number in found) or len(set(found)) < len(found):
            raise argparse.ArgumentTypeError(f"'{text}' is no list of different numbers from 1 to {most}")
        return found

    return parse


def _stop(number: int, _frame: object) -> NoReturn:
    """As Ctrl-C does: whoever has started something ends it."""
    sys.exit(128 + number)


def run_command(name: str, command: Callable[[], int], trouble: int | None = None) -> int:
    """The exit status of COMMAND, whose trouble is told in a line that begins with NAME; then TROUBLE, if given."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    try:
        if sys.stdout is None:
            raise CompareError("standard output is closed")
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
