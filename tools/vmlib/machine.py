# SPDX-License-Identifier: GPL-2.0-only
"""The virtual hardware, as QEMU's command line."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from . import UsageError, VmError

QEMU = "qemu-system-x86_64"
MIB = 1 << 20
EXACT_QEMU = 10  # the first version that shares the instructions of a turn among the virtual CPUs
MAX_CPUS = 128
# How long one of several virtual CPUs may run before the next has its turn, in microseconds of guest time.
EXACT_TURN_US = 50
MAX_TURN_US = 10_000
# All that the emulator can do, except for the hints that lead the kernel to copy memory byte by byte ("rep
# movsb"): fast on hardware, but here every byte costs what elsewhere eight do.
PROCESSOR = "max,-erms,-fsrm"
# What the kernel need not do here, and would take half of the time until it is ready (in an exact run, with
# tests of its ciphers still in the background of the first measurements).
BOOT_SAVINGS = ("cryptomgr.notests", "initcall_blacklist=load_system_certificate_list")


@dataclass(frozen=True)
class Topology:
    sockets: int = 1
    cores: int = 1
    threads: int = 1
    nodes: int = 1

    @property
    def cpus(self) -> int:
        return self.sockets * self.cores * self.threads


@dataclass(frozen=True)
class Machine:
    topology: Topology
    memory: int  # bytes
    exact: bool
    seed: int
    turn_us: int
    append: str


@dataclass(frozen=True)
class Wiring:
    """What the machine reads and writes on the host: open files, by descriptor."""

    kernel: str
    initrd: int
    console: int
    ports: Sequence[int]  # of the guest's virtio-serial ports 1, 2, ... (see guest.py)


def parse_topology(text: str | None, cpus: int | None) -> Topology:
    """TEXT is the value of --topology, CPUS that of --cpus."""
    if cpus is not None and not 1 <= cpus <= MAX_CPUS:
        raise UsageError(f"--cpus takes 1 to {MAX_CPUS}, not {cpus}")
    if text is None:
        return Topology(cores=cpus or 1)
    parts: dict[str, int] = {}
    for part in text.split(","):
        match = re.fullmatch(r"(sockets|cores|threads|nodes)=([1-9]\d{0,2})", part)
        if match is None or match[1] in parts:
            raise UsageError(f"--topology: '{part}' is not (sockets|cores|threads|nodes)=NUMBER, each once")
        parts[match[1]] = int(match[2])
    if "cores" not in parts and cpus is not None:
        others = prod(parts.get(name, 1) for name in ("sockets", "threads"))
        parts["cores"] = max(1, cpus // others)
    topology = Topology(**parts)
    if cpus is not None and topology.cpus != cpus:
        raise UsageError(f"--topology {text} makes {topology.cpus} CPUs, but --cpus says {cpus}")
    if topology.cpus > MAX_CPUS:
        raise UsageError(f"--topology {text} makes {topology.cpus} CPUs; {MAX_CPUS} is the limit")
    whole_cores = topology.cpus // topology.threads
    if whole_cores % topology.nodes or max(topology.nodes, topology.sockets) % min(topology.nodes, topology.sockets):
        raise UsageError(f"--topology {text}: the cores and sockets do not divide into {topology.nodes} nodes")
    return topology


def parse_size(text: str) -> int:
    match = re.fullmatch(r"(\d+)([KMG]?)", text.upper())
    if match is None:
        raise UsageError(f"--mem takes a size such as 1G or 768M, not '{text}'")
    return int(match[1]) * {"": MIB, "K": 1 << 10, "M": MIB, "G": 1 << 30}[match[2]]


def check_qemu(exact: bool) -> None:
    if shutil.which(QEMU) is None:
        raise VmError(f"{QEMU} is not installed (run tools/setup)")
    if not exact:
        return
    text = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"version (\d+)\.(\S+)", text)
    if version is None or int(version[1]) < EXACT_QEMU:
        found = f"{version[1]}.{version[2]}" if version else "of unknown version"
        raise VmError(
            f"--exact needs QEMU {EXACT_QEMU} or newer, and this is {found}: "
            "older ones let one virtual CPU use up the time of all (run tools/setup)"
        )


def qemu_command(machine: Machine, wiring: Wiring) -> list[str]:
    return [
        QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-nic", "none",
        *_processors(machine),
        *_memory(machine),
        "-kernel", wiring.kernel, "-initrd", _file(wiring.initrd), "-append", _kernel_arguments(machine),
        "-chardev", f"file,id=console,path={_file(wiring.console)}", "-serial", "chardev:console",
        *_ports(wiring),
    ]  # fmt: skip


def _file(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def _processors(machine: Machine) -> list[str]:
    top = machine.topology
    smp = f"{top.cpus},sockets={top.sockets},cores={top.cores},threads={top.threads}"
    # thread=single: with a thread per virtual CPU, emulation crashes or hangs now and then.
    options = ["-accel", "tcg,thread=single", "-smp", smp]
    if not machine.exact:
        return [*options, "-cpu", PROCESSOR]
    options += [
        "-cpu", PROCESSOR, "-seed", str(machine.seed),
        "-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm",
    ]  # fmt: skip
    if top.cpus > 1:
        # Virtual CPUs run in turn, each until the next timer of the machine, so that a kick from one to
        # another could wait for milliseconds. A net filter with nothing to filter is such a timer.
        options += [
            "-netdev", "hubport,id=turn,hubid=0",
            "-object", f"filter-buffer,id=turns,netdev=turn,queue=rx,interval={machine.turn_us}",
        ]  # fmt: skip
    return options


def _memory(machine: Machine) -> list[str]:
    nodes = machine.topology.nodes
    options = ["-m", f"{machine.memory // MIB}M"]
    if nodes == 1:
        return options
    cpus_each = machine.topology.cpus // nodes
    for node in range(nodes):
        first = node * cpus_each
        options += [
            "-object", f"memory-backend-ram,id=memory{node},size={machine.memory // nodes // MIB}M",
            "-numa", f"node,nodeid={node},cpus={first}-{first + cpus_each - 1},memdev=memory{node}",
        ]  # fmt: skip
    return options


def _kernel_arguments(machine: Machine) -> str:
    arguments = ["console=ttyS0", "quiet", "loglevel=5", "panic=-1", "tsc=reliable", *BOOT_SAVINGS]
    if machine.exact:
        arguments.append("nokaslr")
    return " ".join([*arguments, machine.append]).strip()


def _ports(wiring: Wiring) -> list[str]:
    # Without ioeventfd the guest's writes are done when it goes on; with it, at a moment of the host's choice,
    # which an exact run would notice.
    options = ["-device", "virtio-serial-pci,ioeventfd=off"]
    for number, descriptor in enumerate(wiring.ports, start=1):
        options += [
            "-chardev", f"file,id=port{number},path={_file(descriptor)}",
            "-device", f"virtserialport,nr={number},chardev=port{number}",
        ]  # fmt: skip
    return options
