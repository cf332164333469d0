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

from . import UsageError, VmError
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


class Run:
    """A started guest."""

    def __init__(self, plan: Plan, stack: ExitStack) -> None:
        """Starts it; it ends with STACK."""
        self._plan = plan
        self._console, control, out, err, self._messages = (
            stack.enter_context(memory_file(name)) for name in ("console", "control", "out", "err", "messages")
        )
        self._gets = [stack.enter_context(memory_file("get")) for _ in plan.gets]
        self._control = Control(control)
        self._followers = [Follower(out, 1), Follower(err, 2)]
        if plan.console is not None:
            try:
                kept = os.open(plan.console, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise UsageError(f"--console: cannot write '{plan.console}': {error.strerror}") from error
            stack.callback(os.close, kept)
            self._followers.append(Follower(self._console, kept))
        # In the order of guest.CONTROL_PORT and the others.
        files = [plan.initrd, self._console, control, out, err, *self._gets]
        initrd, console, *ports = (file.fileno() for file in files)
        command = qemu_command(plan.machine, Wiring(plan.kernel, initrd, console, ports))
        if plan.verbose:
            _say(shlex.join(command))
        self._begin = time.monotonic()
        self._process = stack.enter_context(_process(command, [initrd, console, *ports], self._messages))

    def watch(self) -> int:
        """Passes the output on until the guest is done; returns the command's exit status."""
        deadline = self._begin + self._plan.timeout
        exited = select.poll()
        exited.register(os.pidfd_open(self._process.pid), select.POLLIN)
        was_ready = had_status = False
        while True:
            ended = bool(exited.poll(POLL_MILLISECONDS))
            self._control.pump()
            for follower in self._followers:
                follower.pump()
            if self._control.ready and not was_ready:
                was_ready = True
                self._mention("ready")
            if self._control.status is not None and not had_status:
                had_status = True
                deadline = max(deadline, time.monotonic() + GOODBYE_SECONDS)
            if self._control.done:
                self._mention("done")
                return self._control.status or 0
            if ended:
                raise VmError(self._how_it_died())
            if time.monotonic() > deadline:
                raise VmError(self._how_it_hung())

    def fetch(self) -> int:
        """Puts what was asked for in its place; 1 if any of it is missing."""
        missing = [_unpack(get, archive) for get, archive in zip(self._plan.gets, self._gets, strict=True)]
        return max(missing, default=0)

    def _mention(self, event: str) -> None:
        if self._plan.verbose:
            _say(f"the guest was {event} after {time.monotonic() - self._begin:.2f} s")

    def _how_it_died(self) -> str:
        seconds = time.monotonic() - self._begin
        log = _contents(self._console)
        complaint = _contents(self._messages).strip()
        status = self._process.wait()
        if status != 0 or (complaint and not log):
            return f"QEMU ended with status {status} after {seconds:.1f} s: {complaint or 'no message'}"
        cause = "kernel panic" if "Kernel panic" in log else "it reset or powered off"
        when = "during the command" if self._control.ready else "before the command started"
        if self._control.status is not None:
            when = f"after the command had ended with status {self._control.status}"
        said = f"; QEMU says: {complaint}" if complaint else ""
        return f"the guest died {when}, after {seconds:.1f} s: {cause}{said}{_tail(log)}"

    def _how_it_hung(self) -> str:
        log = _contents(self._console)
        limit = f"within {self._plan.timeout:g} s (--timeout)"
        if self._control.status is not None:
            what = f"the guest did not put itself away after the command had ended with status {self._control.status}"
        elif self._control.ready:
            what = f"the command did not end {limit}"
        else:
            what = f"the guest was not ready {limit}"
            if self._plan.machine.exact and not log:
                what += "; --exact needs SeaBIOS 1.16.3 or newer (run tools/setup)"
        return what + _tail(log)


def run(plan: Plan) -> int:
    """Runs the guest; returns the exit status for the user."""
    with ExitStack() as stack:
        guest = Run(plan, stack)
        status = guest.watch()
        missing = guest.fetch()
        return status or missing


@contextmanager
def memory_file(name: str) -> Iterator[BinaryIO]:
    with open(os.memfd_create(name), "w+b", buffering=0) as file:
        yield file


@contextmanager
def _process(command: list[str], files: list[int], messages: BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
    prctl = ctypes.CDLL(None).prctl
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=messages,
        stderr=messages,
        pass_fds=files,
        start_new_session=True,
        preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


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
    try:
        with tarfile.open(fileobj=archive, mode="r:") as members:
            for member in members:
                # ./NAME itself, and for a folder ./NAME/...
                inside = Path(member.name).parts[1:]
                if ".." not in inside:
                    _unpack_one(members, member, target.joinpath(*inside))
    except tarfile.TarError as error:
        _say(f"--get: '{get.guest}' arrived in pieces ({error})")
        return 1
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
