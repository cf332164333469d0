# SPDX-License-Identifier: GPL-2.0-only
"""The command line of tools/vm."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from . import UsageError, VmError
from .guest import MAX_GETS, add_job
from .layers import Layers, write_archive
from .machine import EXACT_TURN_US, MAX_TURN_US, MIB, Machine, Topology, check_qemu, parse_size, parse_topology
from .runner import Get, Plan, memory_file, run
from .tree import Tree

TOOLS = Path(__file__).resolve().parent.parent
DEFAULT_MEMORY = 1024 * MIB
TOOLCHAIN_MEMORY = 2048 * MIB  # a compiler's appetite
MAX_SEED = (1 << 32) - 1
MAX_TIMEOUT = 1_000_000  # seconds

DESCRIPTION = """\
Runs COMMAND as root in a virtual machine with a sched_ext kernel. The command's output appears here while it
is written, stdout and stderr apart, and its exit status becomes the exit status of this program:

  125   the guest panicked, hung or could not be started (the message says which, with the kernel's last words),
        or a file or the output could not be written
  126   COMMAND is no program     127   there is no COMMAND
    2   the options make no sense

The guest has the programs of the build in its PATH, busybox, bash, stress-ng, hackbench, cyclictest, perf,
bpftool, strace, taskset, chrt, lscpu; an ordinary user `user` (uid 1000); and a file system in memory. COMMAND
starts in /root with an empty standard input and none of this environment. Its arguments arrive as they are
given: for a shell's syntax say  -- sh -c '...'

Kernels and parts of the guest are kept in $CPPLAND_CACHE (default: $XDG_CACHE_HOME/cppland, or ~/.cache/cppland).
"""


@dataclass(frozen=True)
class Kernel:
    image: Path
    modules: Path | None

    @property
    def release(self) -> str:
        return self.image.parent.name


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (try --help)")


def main(arguments: Sequence[str]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end_on_signal)
    try:
        return _run(arguments)
    except VmError as error:
        print(f"vm: {error}", file=sys.stderr)
        return error.status
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except OSError as error:
        subject = f"{error.filename}: " if error.filename else ""
        print(f"vm: {subject}{error.strerror or error}", file=sys.stderr)
        return VmError.STATUS


def _end_on_signal(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)


def _parser() -> Parser:
    parser = Parser(
        prog="tools/vm", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False, usage="tools/vm [OPTION...] -- COMMAND...",
    )  # fmt: skip
    add = parser.add_argument
    add("--kernel", default="7", metavar="K",
        help="a series that tools/kernels knows (6.16, 6.18, 7, ...), or the path of a kernel or of a folder with "
             "a `vmlinuz` in it (default: 7)")  # fmt: skip
    add("--cpus", type=int, metavar="N", help="number of CPUs (default: 1, or what --topology makes)")
    add("--topology", metavar="sockets=S,cores=C,threads=T,nodes=N",
        help="how the CPUs are arranged: sockets (each with its own last-level cache), cores in each, threads in each "
             "core, and NUMA nodes, among which CPUs and memory are shared out; what is left out is 1")  # fmt: skip
    add("--mem", metavar="SIZE",
        help="memory, such as 768M or 2G (default: 1G, or 2G with --add-toolchain, or more if the guest's files need "
             "it)")  # fmt: skip
    add("--exact", action="store_true",
        help="measure without noise: guest time counts instructions, so that the host's speed and load do not show and "
             "a run can be repeated; virtual CPUs take turns")  # fmt: skip
    add("--seed", type=int, metavar="N",
        help="with --exact, the seed of the guest's random numbers: a run with the same seed is the same run, other "
             "seeds give a distribution (default: 1)")  # fmt: skip
    add("--turn-us", type=int, metavar="N",
        help="with --exact, how long one of several virtual CPUs runs before the next has its turn, in microseconds of "
             "the guest's time: short turns are nearer to CPUs that run at once, and take longer "
             f"(default: {EXACT_TURN_US})")  # fmt: skip
    add("--timeout", type=float, default=600, metavar="SEC",
        help="seconds of the host's time until the guest is given up as hung (default: 600)")  # fmt: skip
    add("--build", metavar="DIR",
        help="take the programs in DIR/bin, and the libraries they need, into the guest (default: $CPPLAND_BUILD, or "
             "the newer of build/release and build/debug; none if nothing has been built)")  # fmt: skip
    add("--add", action="append", default=[], metavar="FILE[:GUESTPATH]",
        help="take a file or a whole folder into the guest, programs with the libraries they need. Without GUESTPATH "
             "it gets the same path if that starts with /usr, else /root/NAME (/root is in the PATH)")  # fmt: skip
    add("--add-toolchain", action="store_true", help="take g++, make and the headers into the guest, to compile there")
    add("--get", action="append", default=[], metavar="GUESTFILE:HOSTFILE",
        help="after COMMAND, even if it failed, copy a file or folder out of the guest; if there is none, the exit "
             "status is at least 1")  # fmt: skip
    add("--env", action="append", default=[], metavar="NAME=VALUE", help="set a variable for COMMAND")
    add("--append", default="", metavar="STRING", help="more arguments for the kernel")
    add("--console", metavar="FILE", help="keep the kernel's console in FILE")
    add("-v", "--verbose", action="store_true", help="show QEMU's command line, and when the guest was ready")
    add("command", nargs="*", metavar="COMMAND", help=argparse.SUPPRESS)
    return parser


def _run(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(_with_separator(arguments))
    topology = parse_topology(options.topology, options.cpus)
    _check(options)
    check_qemu(options.exact)
    gets = [_parse_get(text) for text in options.get]
    build = _build_folder(options.build)
    layers = Layers(_cache() / "vm")
    top = Tree()
    if build is not None:
        layers.add_build(top, build)
    for request in options.add:
        layers.add_user_file(top, request)
    add_job(top, options.command, options.env, [get.guest for get in gets])
    kernel = _find_kernel(options.kernel)
    below = [layers.base()]
    if kernel.modules is not None:
        below.append(layers.modules(kernel.release, kernel.modules))
    if options.add_toolchain:
        below.append(layers.toolchain())
    layers.save()
    with memory_file("initrd") as initrd:
        size = write_archive(initrd, below, top)
        usual = TOOLCHAIN_MEMORY if options.add_toolchain else DEFAULT_MEMORY
        memory = _memory(options.mem, usual, size, topology)
        turn_us = options.turn_us or EXACT_TURN_US
        machine = Machine(topology, memory, options.exact, options.seed or 1, turn_us, options.append)
        console = Path(options.console) if options.console else None
        return run(Plan(str(kernel.image), initrd, machine, gets, options.timeout, console, options.verbose))


def _with_separator(arguments: Sequence[str]) -> list[str]:
    if "--" not in arguments and not {"-h", "--help"} & set(arguments):
        raise UsageError("no COMMAND: tools/vm [OPTION...] -- COMMAND... (try --help)")
    return list(arguments)


def _check(options: argparse.Namespace) -> None:
    if not options.command:
        raise UsageError("no COMMAND after -- (try --help)")
    if not 0 < options.timeout <= MAX_TIMEOUT:  # nor nan
        raise UsageError(f"--timeout takes a positive number of seconds, at most {MAX_TIMEOUT}")
    if options.console is not None:
        _check_target("--console", options.console)
        if Path(options.console).is_dir():
            raise UsageError(f"--console: '{options.console}' is a folder")
    if options.seed is not None and not options.exact:
        raise UsageError("--seed means something only with --exact")
    if options.seed is not None and not 1 <= options.seed <= MAX_SEED:
        raise UsageError(f"--seed takes 1 to {MAX_SEED}")
    if options.turn_us is not None and not options.exact:
        raise UsageError("--turn-us means something only with --exact")
    if options.turn_us is not None and not 1 <= options.turn_us <= MAX_TURN_US:
        raise UsageError(f"--turn-us takes 1 to {MAX_TURN_US}")
    if len(options.get) > MAX_GETS:
        raise UsageError(f"--get: at most {MAX_GETS} of them; name a folder instead")
    for variable in options.env:
        if not variable.partition("=")[0].isidentifier() or "=" not in variable:
            raise UsageError(f"--env takes NAME=VALUE, not '{variable}'")


def _parse_get(text: str) -> Get:
    guest, _, host = text.partition(":")
    if not guest or not host:
        raise UsageError(f"--get takes GUESTFILE:HOSTFILE, not '{text}'")
    _check_target("--get", host)
    return Get(guest, Path(host))


def _check_target(option: str, file: str) -> None:
    if not file:
        raise UsageError(f"{option} takes a file")
    folder = Path(file).parent
    if not folder.is_dir():
        raise UsageError(f"{option}: there is no folder '{folder}' for '{file}'")


def _build_folder(asked: str | None) -> Path | None:
    named = asked or os.environ.get("CPPLAND_BUILD")
    if named:
        if not Path(named, "bin").is_dir():
            raise UsageError(f"{'--build' if asked else 'CPPLAND_BUILD'}: there is no folder '{named}/bin'")
        return Path(named)
    builds = [TOOLS.parent / "build" / name for name in ("release", "debug")]
    there = [build for build in builds if (build / "bin").is_dir()]
    return max(there, key=lambda build: (build / "bin").stat().st_mtime, default=None)


def _find_kernel(asked: str) -> Kernel:
    path = Path(asked)
    if not path.exists():
        if "/" in asked:
            raise UsageError(f"--kernel: there is no file '{asked}'")
        found = subprocess.run([TOOLS / "kernels", asked], stdout=subprocess.PIPE, text=True, check=False)
        if found.returncode != 0:
            raise VmError(f"--kernel {asked}: no such kernel (see above)", 2 if found.returncode == 2 else 125)
        path = Path(found.stdout.strip())
    image = _image_in(path) if path.is_dir() else path
    if not image.is_file():
        raise UsageError(f"--kernel: there is no file '{image}'")
    modules = image.parent / "modules"
    return Kernel(image, modules if modules.is_dir() else None)


def _image_in(folder: Path) -> Path:
    """The unpacked kernel, which starts faster, if there is one."""
    unpacked = folder / "vmlinux"
    return unpacked if unpacked.is_file() else folder / "vmlinuz"


def _memory(asked: str | None, usual: int, initrd: int, topology: Topology) -> int:
    """In bytes. The kernel holds the archive and what it unpacks from it at the same time."""
    needed = 2 * initrd + 256 * MIB
    if asked is None:
        size = max(usual, needed + 256 * MIB)
    else:
        size = parse_size(asked)
        if size < needed:
            least = needed // MIB + 1
            raise UsageError(f"--mem {asked} is too little for this guest's files: it takes {least}M at least")
    unit = MIB * topology.nodes
    return (size + unit - 1) // unit * unit


def _cache() -> Path:
    named = os.environ.get("CPPLAND_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cppland"
