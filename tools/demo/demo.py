# SPDX-License-Identifier: GPL-2.0-only
"""The demo: interactive tasks beside a compile and CPU hogs, under the kernel's own scheduler and under ours."""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True  # no cache files in the source tree
HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "bench"))

from benchlib import CompareError, system_error  # noqa: E402
from benchlib.cli import Parser  # noqa: E402
from benchlib.figures import check_writable, save  # noqa: E402
from benchlib.job import COMPILED, NONE, Event, Guest, Scheduler, need_program, parse_scheduler  # noqa: E402
from benchlib.job import run_here, run_in_guest  # noqa: E402
from outcome import as_json, outcome_of, table, verdict  # noqa: E402

SCHED_EXT = Path("/sys/kernel/sched_ext")
DEFAULT_SCHEDULER = "scx_cppland"
MOST = 10_000
COMPILE = HERE / "compile"
KERNELS_OWN, UNDER_TEST = "own", "other"
LOAD = ("cppland-load", "--frames=1", "--audio=1", "--pairs=1", "--hogs-per-cpu=1", "--json=-")

DESCRIPTION = """\
Runs a 60 Hz frame task, a 5 ms audio task and a client that asks a server, all beside a parallel compile of some
of this project's own C++ sources and CPU hogs: first under the kernel's own scheduler, then under scx_cppland, and so
on in turns. Then shows how long the tasks waited to run after each wake-up, which deadlines they missed, and what the
background got done.

It happens in a virtual machine with a kernel that has sched_ext (Linux 7), where time counts instructions: the figures
are the same on every machine, however busy, and a second in there takes two or three out here.
"""


def main(arguments: Sequence[str]) -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda which, _frame: sys.exit(128 + which))
    try:
        options = _parse(arguments)
        if options.here:
            _check_this_machine(replaces=options.scheduler != NONE)
        if options.check:
            return 0
        need_program("cppland-load")
        scheduler = _scheduler(options)
        if options.here and not (options.yes or _agreed(scheduler)):
            print("demo: nothing was done", file=sys.stderr)
            return 1
        _show(options, scheduler, *_measure(options, scheduler))
        sys.stdout.flush()
    except CompareError as error:
        print(f"demo: {error}", file=sys.stderr)
        return error.status
    except OSError as error:
        print(f"demo: {system_error(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("demo: interrupted", file=sys.stderr)
        return 130
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="./demo", description=DESCRIPTION, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--quick", action="store_true", help="at most three minutes, with fewer measurements")
    add("--cpus", type=int, metavar="N", help="of the virtual machine (default: 2)")
    add("--kernel", metavar="K", help="of the virtual machine, as for tools/vm (default: 7)")
    add("--policy", metavar="NAME", help="who decides in scx_cppland (default: its own default)")
    add("--scheduler", metavar="COMMAND",
        help="compare with another sched_ext scheduler: a program and its options, or 'none' for the kernel's own "
             "once more, which shows how far equal things differ (default: scx_cppland)")  # fmt: skip
    add("--seconds", type=float, metavar="S", help="of each measurement (default: 15, with --quick 8)")
    add("--rounds", type=int, metavar="N", help="measurements of each scheduler (default: 4, with --quick 2)")
    add("--here", action="store_true",
        help="use this machine and its running kernel, which must have sched_ext, instead of a virtual one; asks "
             "before it replaces the scheduler")  # fmt: skip
    add("--yes", action="store_true", help="with --here: do not ask")
    add("--json", metavar="FILE", help="write the figures to FILE")
    add("--check", action="store_true", help=argparse.SUPPRESS)  # only whether the options make sense here
    options = parser.parse_args(arguments)
    for name in ("cpus", "seconds", "rounds"):
        value = getattr(options, name)
        if value is not None and not 0 < value < MOST:  # nor nan
            parser.error(f"--{name} takes a positive number below {MOST}")
    if options.policy and options.scheduler:
        parser.error("--policy goes with scx_cppland; give another scheduler its options in --scheduler")
    if options.scheduler is not None and not options.scheduler.strip():
        parser.error("--scheduler takes a program and its options, or 'none'")
    if options.yes and not options.here:
        parser.error("--yes goes with --here")
    if options.here:
        for name in ("cpus", "kernel"):
            if getattr(options, name):
                parser.error(f"--{name} is for the virtual machine, and --here does without one")
    if options.json is not None:
        check_writable(options.json)
    options.seconds = options.seconds or (8 if options.quick else 15)
    options.rounds = options.rounds or (2 if options.quick else 4)
    return options


def _scheduler(options: argparse.Namespace) -> Scheduler:
    command = options.scheduler or DEFAULT_SCHEDULER
    if options.policy:
        _check_policy(options.policy)
        command += f" --policy {shlex.quote(options.policy)}"
    return parse_scheduler(command)


def _check_policy(policy: str) -> None:
    """The scheduler knows its policies, and refuses others before it shows its version."""
    command = [need_program(DEFAULT_SCHEDULER), f"--policy={policy}", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        lines = done.stderr.splitlines() or [f"{DEFAULT_SCHEDULER} ended with status {done.returncode}"]
        raise CompareError(lines[0].removeprefix(f"{DEFAULT_SCHEDULER}: "), 2)


def _check_this_machine(replaces: bool) -> None:
    """REPLACES: whether its scheduler will be replaced."""
    if os.geteuid() != 0:
        raise CompareError("--here needs root, to replace the scheduler")
    if not SCHED_EXT.is_dir():
        raise CompareError(f"--here: this kernel ({os.uname().release}) has no sched_ext; without --here the demo "
                           "brings its own")  # fmt: skip
    state = (SCHED_EXT / "state").read_text().strip()
    if state != "disabled" and replaces:
        name = (SCHED_EXT / "root" / "ops").read_text().strip() if (SCHED_EXT / "root").exists() else state
        raise CompareError(f"--here: another sched_ext scheduler is running ({name}); stop it first")


def _agreed(scheduler: Scheduler) -> bool:
    if not sys.stdin.isatty():
        raise CompareError("--here asks before it replaces this machine's scheduler, but there is nobody to ask: "
                           "say --yes")  # fmt: skip
    question = f"Let {scheduler.name} schedule this whole machine for parts of the next minutes? [y/N] "
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:  # Ctrl-D
        print(file=sys.stderr)
        return False


# --- measuring ----------------------------------------------------------------------------------------------


def _measure(options: argparse.Namespace, scheduler: Scheduler) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """The kernel's release, and what was measured on either side."""
    kernel = ""
    runs: dict[str, list[dict[str, Any]]] = {KERNELS_OWN: [], UNDER_TEST: []}
    names = {KERNELS_OWN: "the kernel's own scheduler", UNDER_TEST: scheduler.name}
    total = 2 * options.rounds
    with Progress() as progress:
        progress.stage("starting" if options.here else "starting the virtual machine")
        for event in _events(options, scheduler):
            if event.kind == "stage":
                progress.stage(event.text)
            elif event.kind == "attached":
                progress.note(f"the kernel runs {event.text}")
            elif event.kind == "measuring":
                number = sum(map(len, runs.values())) + 1
                progress.stage(f"measurement {number} of {total}: {names[event.text]}")
            elif event.kind == "kernel":
                kernel = event.text
            elif event.kind in runs:
                run = json.loads(event.text)
                runs[event.kind].append(run)
                progress.note(_short(run))
    if any(len(done) != options.rounds for done in runs.values()):
        raise CompareError("the job did not report all measurements")
    return kernel, runs


def _short(run: dict[str, Any]) -> str:
    """One measurement in a line."""
    waits = ", ".join(f"{name} {run[name]['wakeup']['p99_us'] / 1000:.2f}" for name in ("frame", "audio", "pair"))
    missed = run["frame"]["missed"] + run["audio"]["missed"]
    background = run["with"]
    compiling = f"compile {background['cpu_seconds']:.1f} CPU s, files done {background['jobs']}"
    return f"p99 wake-up (ms): {waits}; missed {missed}; {compiling}"


def _events(options: argparse.Namespace, scheduler: Scheduler) -> Iterator[Event]:
    body = _script(options)
    folders = [COMPILE, *COMPILED]
    if options.here:
        return run_here(body, scheduler, folders)
    guest = Guest(options.kernel or "7", options.cpus or 2, options=["--add-toolchain"])
    return run_in_guest(guest, body, scheduler, folders)


def _script(options: argparse.Namespace) -> str:
    """Every round measures both, in changing order, with the same work and the same seed."""
    lines = [f"""\
export TMPDIR=$PWD  # the compiler's temporary files are left behind when it is killed
compile="make -s -C $PWD -f {COMPILE.name}/Makefile -j$(($(nproc) + 1))"
say kernel "$(uname -r)"
say stage calibrating
loops=$(cppland-load --calibrate)
say stage compiling a first file
$compile first >&2
measure() {{ # SIDE SEED
  local figures
  say measuring "$1"
  figures=$({shlex.join(LOAD)} --loops-per-us "$loops" --with "$compile" \\
    --seconds {options.seconds} --warmup 1 --seed "$2")
  say "$1" "$figures"
}}"""]
    own = f"measure {KERNELS_OWN} {{seed}}"
    other = f"say stage starting the scheduler\nattach_scheduler\nmeasure {UNDER_TEST} {{seed}}\ndetach_scheduler"
    for number in range(1, options.rounds + 1):
        for part in (own, other) if number % 2 else (other, own):
            lines.append(part.format(seed=number))
    return "\n".join(lines)


class Progress:
    """Tells on stderr what happens, and on a terminal how long it has been happening."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._live = sys.stderr.isatty()
        self._now = ""
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "Progress":
        if self._live:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        if self._live:
            self._thread.join()
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def stage(self, text: str) -> None:
        with self._lock:
            self._now = text
        if self._live:
            self._draw()
        else:
            self._write(f"{self._clock()} {text}")

    def note(self, text: str) -> None:
        """A line that stays."""
        with self._lock:
            stage = self._now
        self._write(f"{self._clock()} {stage}\n         {text}" if self._live else f"         {text}")

    def _write(self, text: str) -> None:
        with self._lock:
            sys.stderr.write(("\r\x1b[K" if self._live else "") + text + "\n")
            sys.stderr.flush()

    def _draw(self) -> None:
        with self._lock:
            sys.stderr.write(f"\r\x1b[K{self._clock()} {self._now} ...")
            sys.stderr.flush()

    def _tick(self) -> None:
        while not self._end.wait(1):
            self._draw()

    def _clock(self) -> str:
        return f"[{time.monotonic() - self._begin:4.0f} s]"


# --- showing ------------------------------------------------------------------------------------------------


def _show(
    options: argparse.Namespace, scheduler: Scheduler, kernel: str, runs: dict[str, list[dict[str, Any]]]
) -> None:
    own, other = outcome_of(runs[KERNELS_OWN]), outcome_of(runs[UNDER_TEST])
    one = runs[UNDER_TEST][0]
    where = "this machine" if options.here else "virtual machine, exact time"
    print(f"\nLinux {kernel}, CPUs: {one['cpus']} ({where}); measurements of each scheduler: {options.rounds}, "
          f"{options.seconds:g} s each\n")  # fmt: skip
    print(table(own, other, scheduler.name))
    sentence = verdict(own, other, scheduler.name)
    print(f"\n{sentence}")
    if options.json:
        figures = {
            "kernel": kernel, "cpus": one["cpus"], "exact": not options.here,
            "rounds": options.rounds, "seconds": options.seconds, "scheduler": one["scheduler"],
            "own": as_json(own), "other": as_json(other), "verdict": sentence, "runs": runs,
        }  # fmt: skip
        save(figures, options.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
