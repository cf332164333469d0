# SPDX-License-Identifier: GPL-2.0-only
"""The parts of tools/vm.

    tree      the files that a guest will see, and their cpio archive
    elf       which libraries a program needs
    layers    what goes into the guest: base, kernel modules, tool chain, build, the user's files
    guest     the scripts that run inside
    machine   the virtual hardware as QEMU's command line
    runner    one run: start, stream the output, judge the end
    cli       options
"""


class VmError(Exception):
    """Something that stops a run before or beside the command; shown to the user as one message."""

    STATUS = 125

    def __init__(self, message: str, status: int = STATUS) -> None:
        super().__init__(message)
        self.status = status


class UsageError(VmError):
    """The command line asks for something that makes no sense."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 2)
