# SPDX-License-Identifier: GPL-2.0-only
"""One run: start QEMU, pass the output on while it comes, judge how it ended.

All that QEMU reads and writes are files in memory without a name, and QEMU dies with this process: however
a run ends, nothing is left behind. Such files also never make the guest wait, which would cost an exact
run its reproducibility.
"""

import ctypes
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import VmError
from .machine import Machine, Wiring, qemu_command

POLL_MILLISECONDS = 20
TAIL_LINES = 40
LONGEST_TAIL = 120  # if that is what it takes to show how the trouble began
# How long the guest may take to put itself away once the command has ended.
GOODBYE_SECONDS = 60
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Get:
    guest: str
    host: Path


@dataclass(frozen=True)
class Plan:
    kernel: str
    initrd: BinaryIO
    machine: Machine
    gets: Sequence[Get]
    timeout: float
    console: Path | None
    verbose: bool


class Follower:
    """Passes on what is appended to a file in memory."""

    def __init__(self, source: BinaryIO, target: int | None) -> None:
        self._source = source.fileno()
        self._target = target
        self._offset = 0

    def pump(self) -> bytes:
        """What has come since the last time, which is also written to the target."""
        fresh = b""
        while chunk := os.pread(self._source, 1 << 20, self._offset):
            self._offset += len(chunk)
            if self._target is None:
                fresh += chunk
            else:
                _write_all(self._target, chunk)
        return fresh


class Control:
    """What init reports: `ready`, `exit STATUS`, `done`."""

    def __init__(self, source: BinaryIO) -> None:
        self._follower = Follower(source, None)
        self._text = b""

    def pump(self) -> None:
        self._text += self._follower.pump()

    @property
    def ready(self) -> bool:
        return b"ready\n" in self._text

    @property
    def status(self) -> int | None:
        match = re.search(rb"^exit (\d+)\n", self._text, re.MULTILINE)
        return int(match[1]) if match else None

    @property
    def done(self) -> bool:
        return b"done\n" in self._text


def run(plan: Plan) -> int:
    """Runs the guest; returns the command's exit status."""
    with ExitStack() as stack:
        console, control, out, err, messages = (stack.enter_context(memory_file(name)) for name in
                                                ("console", "control", "out", "err", "messages"))  # fmt: skip
        gets = [stack.enter_context(memory_file("get")) for _ in plan.gets]
        wiring = Wiring(plan.kernel, plan.initrd.fileno(), console.fileno(), control.fileno(), out.fileno(),
                        err.fileno(), [get.fileno() for get in gets])  # fmt: skip
        followers = [Follower(out, 1), Follower(err, 2)]
        if plan.console is not None:
            followers.append(Follower(console, stack.enter_context(open(plan.console, "wb")).fileno()))
        with _running(qemu_command(plan.machine, wiring), wiring, messages, plan.verbose) as process:
            status = _watch(process, Control(control), followers, plan, console, messages)
        for get, archive in zip(plan.gets, gets, strict=True):
            missing = _unpack(get, archive)
            status = status or missing
        return status


@contextmanager
def memory_file(name: str) -> Iterator[BinaryIO]:
    with open(os.memfd_create(name), "w+b", buffering=0) as file:
        yield file  # type: ignore[misc]


@contextmanager
def _running(command: list[str], wiring: Wiring, messages: BinaryIO, verbose: bool) -> Iterator[subprocess.Popen[bytes]]:
    if verbose:
        _say(shlex.join(command))
    files = (wiring.initrd, wiring.console, wiring.control, wiring.out, wiring.err, *wiring.gets)
    prctl = ctypes.CDLL(None).prctl
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages, pass_fds=files,
        start_new_session=True, preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _watch(
    process: subprocess.Popen[bytes], control: Control, followers: list[Follower], plan: Plan,
    console: BinaryIO, messages: BinaryIO,
) -> int:  # fmt: skip
    """Until the guest is done; raises if it ends otherwise."""
    begin = time.monotonic()
    deadline = begin + plan.timeout
    exited = select.poll()
    exited.register(os.pidfd_open(process.pid), select.POLLIN)
    was_ready = had_status = False
    while True:
        ended = bool(exited.poll(POLL_MILLISECONDS))
        control.pump()
        for follower in followers:
            follower.pump()
        now = time.monotonic()
        if control.ready and not was_ready:
            was_ready = True
            if plan.verbose:
                _say(f"the guest was ready after {now - begin:.2f} s")
        if control.done:
            if plan.verbose:
                _say(f"the guest was done after {now - begin:.2f} s")
            return control.status or 0
        if control.status is not None and not had_status:
            had_status = True
            deadline = max(deadline, now + GOODBYE_SECONDS)
        if ended:
            raise VmError(_how_it_died(process, control, console, messages, now - begin))
        if now > deadline:
            raise VmError(_how_it_hung(control, plan, console))


def _how_it_died(
    process: subprocess.Popen[bytes], control: Control, console: BinaryIO, messages: BinaryIO, seconds: float
) -> str:
    log = _contents(console)
    complaint = _contents(messages).strip()
    if process.wait() != 0 or (complaint and not log):
        return f"QEMU ended with status {process.returncode} after {seconds:.1f} s: {complaint or 'no message'}"
    cause = "kernel panic" if "Kernel panic" in log else "it reset or powered off"
    when = "during the command" if control.ready else "before the command started"
    if control.status is not None:
        when = f"after the command had ended with status {control.status}"
    return f"the guest died {when}, after {seconds:.1f} s: {cause}{_tail(log)}"


def _how_it_hung(control: Control, plan: Plan, console: BinaryIO) -> str:
    log = _contents(console)
    if control.status is not None:
        what = f"the guest did not put itself away after the command had ended with status {control.status}"
    elif control.ready:
        what = f"the command did not end within {plan.timeout:g} s (--timeout)"
    else:
        what = f"the guest was not ready within {plan.timeout:g} s (--timeout)"
        if plan.machine.exact and not log:
            what += "; --exact needs SeaBIOS 1.16.3 or newer (run tools/setup)"
    return what + _tail(log)


def _tail(log: str) -> str:
    lines = log.splitlines()
    if not lines:
        return "\nThe kernel's console is empty."
    cries = [number for number, line in enumerate(lines) if re.search(r"Kernel panic|BUG:|Oops:|WARNING:", line)]
    first = min([len(lines) - TAIL_LINES, *cries[:1]])
    lines = lines[max(first, len(lines) - LONGEST_TAIL, 0) :]
    return "\nThe end of the kernel's console:\n" + "\n".join("  | " + line for line in lines)


def _contents(file: BinaryIO) -> str:
    size = os.fstat(file.fileno()).st_size
    text = os.pread(file.fileno(), size, 0).decode(errors="replace")
    return re.sub(r"\x1b(\[[0-9;?=]*[A-Za-z]|c)|[\r\0]", "", text)


def _unpack(get: Get, archive: BinaryIO) -> int:
    """Puts what the guest sent in its place on the host; 1 if it sent nothing."""
    if os.fstat(archive.fileno()).st_size == 0:
        _say(f"--get: the guest has no '{get.guest}'")
        return 1
    archive.seek(0)
    target = get.host
    if target.is_dir():
        target = target / Path(get.guest).name
    with tarfile.open(fileobj=archive, mode="r:") as members:
        for member in members:
            # ./NAME itself, and for a folder ./NAME/...
            inside = Path(member.name).parts[1:]
            if ".." not in inside:
                _unpack_one(members, member, target.joinpath(*inside))
    return 0


def _unpack_one(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = members.extractfile(member) if member.isreg() or member.islnk() else None
    if content is not None:
        with content, open(target, "wb") as out:
            shutil.copyfileobj(content, out)
        target.chmod(member.mode & 0o777)
    elif member.issym():
        target.unlink(missing_ok=True)
        target.symlink_to(member.linkname)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _say(message: str) -> None:
    _write_all(2, os.fsencode(f"vm: {message}\n"))
