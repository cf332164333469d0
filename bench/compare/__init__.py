# SPDX-License-Identifier: GPL-2.0-only
"""Comparing the kernel's own scheduler with a sched_ext one.

    figures    statistics over what cppland-load and others measured
    job        the script that runs both, in a virtual machine or here
"""


class CompareError(Exception):
    """Something that ends the comparison; shown to the user as one message."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
