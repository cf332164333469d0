# SPDX-License-Identifier: GPL-2.0-only
"""Comparing the kernel's own scheduler with a sched_ext one.

    cli        what command lines have in common
    figures    statistics over what cppland-load and others measured, and the file that keeps them
    job        the script that runs both, in a virtual machine or here
"""

import os
import sys


class CompareError(Exception):
    """Something that ends the comparison; shown to the user as one message."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


def system_error(error: OSError) -> str:
    """ERROR in one line, when there is nothing left to do but to end."""
    if sys.stdout is sys.__stdout__:  # what it still holds cannot be written, and would be another error at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error)
