# SPDX-License-Identifier: GPL-2.0-only
"""Runs a job script, in a virtual machine or on this one, and hears what it says.

A job script is guest.sh, which can attach a scheduler and detach it, and what a caller writes below it.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import CompareError

ROOT = Path(__file__).resolve().parent.parent.parent
NONE = "none"  # in place of a scheduler's command: the kernel's own once more
SECONDS_TO_END = 30
COMPILED = [ROOT / name for name in ("abi", "bench", "bpf", "include", "src", "tests")]  # what demo/compile needs


@dataclass(frozen=True)
class Event:
    kind: str
    text: str


@dataclass(frozen=True)
class Scheduler:
    """The one to compare with the kernel's own."""

    command: str  # for a shell; empty: the kernel's own once more
    name: str  # as its program is called
    program: Path | None = None  # on this machine, if it is not one of the build

    @property
    def ops_prefix(self) -> str:
        """What the kernel's name for it starts with; other schedulers than ours have names of any kind."""
        return self.name if self.name == "scx_cppland" else ""


@dataclass(frozen=True)
class Guest:
    """The virtual machine for a job, in which time counts instructions."""

    kernel: str = "7"
    cpus: int = 1
    seed: int = 1
    timeout: float = 1800
    options: Sequence[str] = field(default_factory=tuple)  # more for tools/vm


def build_folder() -> Path:
    """Where the built programs are, in bin/."""
    return Path(os.environ.get("CPPLAND_BUILD") or ROOT / "build" / "release")


def need_program(name: str) -> Path:
    program = build_folder() / "bin" / name
    if not os.access(program, os.X_OK):
        raise CompareError(
            f"there is no {program}; build first: cmake --preset release && cmake --build --preset release"
        )
    return program


def parse_scheduler(text: str) -> Scheduler:
    """From a command line such as "scx_cppland -s 5000", "/usr/bin/scx_simple" or "none"."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise CompareError(f"--scheduler: {error}", 2) from error
    if not words:
        raise CompareError("--scheduler takes a command", 2)
    if words == [NONE]:
        return Scheduler("", NONE)
    program = Path(words[0])
    if "/" not in words[0]:
        need_program(words[0])
        return Scheduler(shlex.join(words), program.name)
    if not program.is_file() or not os.access(program, os.X_OK):
        raise CompareError(f"--scheduler: there is no program '{program}'", 2)
    return Scheduler(shlex.join(words), program.name, program.resolve())


def run_in_guest(
    guest: Guest, body: str, scheduler: Scheduler, folders: Sequence[Path] = ()
) -> Iterator[Event]:
    """BODY may call `attach_scheduler`, `detach_scheduler`, `say` and the programs of the build, and finds FOLDERS
    in the current one."""
    command = scheduler.command
    extra = list(guest.options)
    for wanted in folders:
        extra += ["--add", f"{wanted}:/root/{wanted.name}"]
    if scheduler.program is not None:
        # By its path: the build may have one with the same name.
        path = f"/root/{scheduler.program.name}"
        command = shlex.join([path, *shlex.split(scheduler.command)[1:]])
        extra += ["--add", f"{scheduler.program}:{path}"]
    with tempfile.TemporaryDirectory(prefix="cppland-") as folder:
        job = Path(folder, "job")
        job.write_text(_script(scheduler, command, body))
        yield from _run([
            str(ROOT / "tools" / "vm"), "--exact", "--seed", str(guest.seed),
            "--kernel", guest.kernel, "--cpus", str(guest.cpus), "--timeout", str(guest.timeout),
            "--build", str(build_folder()), *extra,
            "--add", f"{job}:/root/job", "--", "bash", "/root/job",
        ])  # fmt: skip


def run_here(body: str, scheduler: Scheduler, folders: Sequence[Path] = ()) -> Iterator[Event]:
    """The same on this machine, as root."""
    with tempfile.TemporaryDirectory(prefix="cppland-") as folder:
        job = Path(folder, "job")
        job.write_text(_script(scheduler, scheduler.command, body))
        for wanted in folders:
            shutil.copytree(wanted, Path(folder, wanted.name))
        path = f"{build_folder() / 'bin'}:{os.environ.get('PATH', os.defpath)}"
        yield from _run(["bash", str(job)], folder, {**os.environ, "PATH": path})


def _script(scheduler: Scheduler, command: str, body: str) -> str:
    attach, detach = ":", ":"
    if command:
        attach = f"attach {shlex.quote(scheduler.ops_prefix)} {shlex.quote(command)}"
        detach = "detach"
    return "\n".join([
        "#!/bin/bash", "set -euo pipefail", (Path(__file__).parent / "guest.sh").read_text(),
        f"attach_scheduler() {{ {attach}; }}", f"detach_scheduler() {{ {detach}; }}", body, "",
    ])  # fmt: skip


def _run(
    command: Sequence[str], folder: str | None = None, environment: dict[str, str] | None = None
) -> Iterator[Event]:
    log: list[str] = []
    reason = ""
    # A process group of its own: Ctrl-C comes to us alone, and we end everything in order.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
        cwd=folder, env=environment, process_group=0,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        for line in process.stdout:
            mark, _, rest = line.rstrip("\n").partition(" ")
            kind, _, text = rest.partition(" ")
            if mark != "@":
                sys.stderr.write(line)
            elif kind == "lost":
                reason = text
            elif kind == "log":
                log.append(text)
            else:
                yield Event(kind, text)
        status = process.wait()
    finally:
        _end(process)
    if reason:
        written = "".join(f"\n  | {line}" for line in log[-40:]) or " It wrote nothing."
        raise CompareError(f"the scheduler under test failed: {reason}.{written}")
    if status != 0:
        raise CompareError(f"the measurement ended with status {status} (its output says why)")


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
