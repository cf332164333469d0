# SPDX-License-Identifier: GPL-2.0-only
"""The command line of bench/run."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

from benchlib import CompareError
from benchlib.cli import Parser, numbers, run_command
from benchlib.job import Guest, need_program, run_in_guest

from .page import page
from .results import VERSION, document, goals_table, place_text, table
from .schedulers import DEFAULT, OURS, RUSTLAND, Entry, find, known
from .workloads import ALL, FIGURES, RELEASE, RSS, Workload, body

DESCRIPTION = """\
Runs workloads under one scheduler after the other, each run in a virtual machine of its own whose time counts
instructions (tools/vm --exact), so that a run can be repeated and what else this machine does is no matter. Prints
medians, how they compare with the kernel's default scheduler, and which goals are met; leaves results.json, results.md
and results.html (one page, with plots) in the output folder, beside a file for every run.
"""
TOPOLOGIES = {16: "sockets=2,cores=4,threads=2,nodes=2"}  # others: so many equal CPUs
QUICK = {"workloads": ("latency", "pipe", "hackbench-small", "video"), "cpus": (1, 2), "seeds": (1,)}
FULL = {"workloads": tuple(ALL), "cpus": (1, 2, 4, 16), "seeds": (1, 2, 3, 4, 5)}
MOST = {"cpus": 64, "seeds": 1_000_000}


def main(arguments: Sequence[str]) -> int:
    return run_command("bench/run", lambda: _main(_parse(arguments)))


def _main(options: argparse.Namespace) -> int:
    if options.list:
        for each in ALL.values():
            print(f"{each.name:<16} {each.summary}")
        return 0
    need_program("cppland-load")
    results = _run(options, find(options.schedulers))
    print(f"{table(results)}\n\n{goals_table(results)}")
    if not any("figures" in job for job in results["jobs"]):
        raise CompareError(f"nothing could be measured; the reasons are at the end of {options.output}/results.md")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="bench/run", description=DESCRIPTION, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--quick", action="store_true",
        help=f"shorter runs; of {', '.join(QUICK['workloads'])}, on 1 and 2 CPUs, with one seed, if nothing else is "
             "said: some minutes")  # fmt: skip
    add("--list", action="store_true", help="say which workloads there are, and exit")
    add("--schedulers", type=_words, default=[DEFAULT, RUSTLAND, OURS], metavar="NAME,...",
        help=f"of {', '.join(known())}, or paths of others; tools/peers builds those that are not ours "
             f"(default: {DEFAULT},{RUSTLAND},{OURS})")  # fmt: skip
    add("--workloads", type=_workloads, metavar="NAME,...", help="(default: all)")
    add("--cpus", type=numbers(MOST["cpus"]), metavar="N,...",
        help="16 are two nodes of four cores with two threads each (default: 1,2,4,16)")  # fmt: skip
    add("--seeds", type=numbers(MOST["seeds"]), metavar="N,...", help="(default: 1,2,3,4,5)")
    add("--kernel", default="7", metavar="K", help="as for tools/vm (default: 7)")
    add("--output", default="build/bench", metavar="DIR", help="(default: build/bench)")
    add("--resume", action="store_true", help="do not repeat runs whose files are in the output folder")
    options = parser.parse_args(arguments)
    wanted = options.workloads or ()
    for name, values in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, list(values))
    for name in wanted:
        if ALL[name].cpus and not set(ALL[name].cpus) & set(options.cpus):
            parser.error(f"--workloads: {name} runs on {', '.join(map(str, ALL[name].cpus))} CPUs only")
    return options


def _words(text: str) -> list[str]:
    words = text.split(",")
    if not all(words) or len(set(words)) < len(words):
        raise argparse.ArgumentTypeError(f"'{text}' is no list of different names")
    return words


def _workloads(text: str) -> list[str]:
    for word in _words(text):
        if word not in ALL:
            raise argparse.ArgumentTypeError(f"there is no workload '{word}' ({', '.join(ALL)})")
    return _words(text)


def _run(options: argparse.Namespace, entries: Sequence[Entry]) -> dict[str, Any]:
    output = Path(options.output)
    (output / "runs").mkdir(parents=True, exist_ok=True)
    conditions = {"kernel": options.kernel, "seeds": options.seeds, "quick": options.quick}
    results: dict[str, Any] = {"version": VERSION, "conditions": conditions, "jobs": []}
    for job in _jobs(options, entries, output / "runs"):
        results["jobs"].append(job)
        _write(output / "results.json", json.dumps(results, indent=1) + "\n")
    _write(output / "results.md", document(results))
    _write(output / "results.html", page(results))
    return results


def _jobs(options: argparse.Namespace, entries: Sequence[Entry], folder: Path) -> Iterator[dict[str, Any]]:
    for name, cpus, seed, entry in product(options.workloads, options.cpus, options.seeds, entries):
        if ALL[name].cpus and cpus not in ALL[name].cpus:
            continue
        quick = "-quick" if options.quick else ""
        file = folder / f"{name}{quick}-{_in_file_name(options.kernel)}-{cpus}-{seed}-{_in_file_name(entry.name)}.json"
        job: dict[str, Any] = {"scheduler": entry.name, "workload": name, "cpus": cpus, "seed": seed}
        kept = _kept(file, job) if options.resume else None
        if kept is not None:
            yield kept
            continue
        print(f"bench/run: {place_text(name, cpus)}, seed {seed}: {entry.name} ...", file=sys.stderr)
        try:
            job |= _measure(options, ALL[name], cpus, seed, entry)
        except CompareError as error:
            job["failure"] = str(error).splitlines()[0]
            print(f"bench/run: {error}", file=sys.stderr)
        _write(file, json.dumps(job, indent=1) + "\n")
        yield job


def _in_file_name(text: str) -> str:
    """Of a path, one that no other path has."""
    return text.replace(":", "-") if "/" not in text else f"{Path(text).name}-{crc32(text.encode()):08x}"


def _kept(file: Path, job: dict[str, Any]) -> dict[str, Any] | None:
    """What FILE says of JOB. A failure is tried again, and so is what makes no sense."""
    try:
        kept = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(kept, dict) or any(kept.get(name) != value for name, value in job.items()):
        return None
    figures = kept.get("figures")
    good = isinstance(figures, dict) and ALL[job["workload"]].measure in figures
    return kept if good and all(isinstance(value, (int, float)) for value in figures.values()) else None


def _measure(options: argparse.Namespace, workload: Workload, cpus: int, seed: int, entry: Entry) -> dict[str, Any]:
    if entry.scheduler is None:
        raise CompareError(entry.missing)
    topology = ("--topology", TOPOLOGIES[cpus]) if cpus in TOPOLOGIES else ()
    guest = Guest(kernel=options.kernel, cpus=cpus, seed=seed, options=[*topology, *workload.options()])
    found: dict[str, Any] = {}
    for event in run_in_guest(guest, body(workload, seed, options.quick), entry.scheduler, workload.folders):
        if event.kind == FIGURES:
            found["figures"] = workload.read(event.text)
        elif event.kind == RSS and event.text.isdecimal():
            found["rss_kb"] = int(event.text)
        elif event.kind == RELEASE:
            found["release"] = event.text
    if "figures" not in found:
        raise CompareError("the guest reported nothing")
    return found


def _write(file: Path, text: str) -> None:
    """Whole, or not at all."""
    partial = file.with_name(file.name + ".part")
    partial.write_text(text)
    partial.replace(file)
