# SPDX-License-Identifier: GPL-2.0-only
"""The command line of bench/scale."""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

from benchlib import CompareError
from benchlib.cli import Parser, numbers, run_command
from benchlib.job import build_folder, need_program

from .figures import ONE, PER_LLC, Run, gains_table, run_of, table
from .page import page

LLC = 8  # CPUs that share a cache
POLICIES = ("fifo", "deadline", "eevdf", "edf", "mlfq", "lottery")
DESCRIPTION = f"""\
Simulates machines whose CPUs are in groups of {LLC} that share a last-level cache, with pairs of tasks that send each
other requests all the time, and a policy that is asked about every choice. Each load runs with one agent for the whole
machine, and with one for each cache. Prints how many decisions a second there are, how long wake-ups wait and what the
agents take; leaves scale.json, scale.md and scale.html (with plots) in the output folder. What a simulated agent's work
costs is in docs/simulator.md.
"""
MOST = {"cpus": 512, "pairs": 64, "seeds": 1_000_000}


def main(arguments: Sequence[str]) -> int:
    return run_command("bench/scale", lambda: _main(_parse(arguments)))


def _main(options: argparse.Namespace) -> int:
    need_program("cppland")
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    runs = _run(options)
    conditions = (
        f"Policy {options.policy}, strict; {LLC} CPUs share a cache; seeds {', '.join(map(str, options.seeds))}; "
        f"{options.seconds:g} s of the machine's time; medians."
    )
    text = f"{conditions}\n\n{gains_table(runs)}\n\n{table(runs)}\n"
    (output / "scale.json").write_text(
        json.dumps({"version": 1, "policy": options.policy, "runs": [run.json() for run in runs]}, indent=1) + "\n"
    )
    (output / "scale.md").write_text(text)
    (output / "scale.html").write_text(page(runs, conditions))
    print(text, end="")
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = Parser(prog="bench/scale", description=DESCRIPTION, allow_abbrev=False,
                    formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    add = parser.add_argument
    add("--cpus", type=_cpus, default=[8, 16, 32, 64, 128, 256, 512], metavar="N,...",
        help=f"multiples of {LLC} (default: 8,16,32,64,128,256,512)")  # fmt: skip
    add("--pairs", type=numbers(MOST["pairs"]), default=[1, 2, 4, 8, 16], metavar="N,...",
        help="of tasks, for each CPU (default: 1,2,4,8,16)")  # fmt: skip
    add("--seeds", type=numbers(MOST["seeds"]), default=[1, 2, 3, 4, 5], metavar="N,...", help="(default: 1,2,3,4,5)")
    add("--policy", choices=POLICIES, default=POLICIES[0], help=f"one of {', '.join(POLICIES)} (default: {POLICIES[0]})",
        metavar="NAME")  # fmt: skip
    add("--seconds", type=_seconds, default=0.2, metavar="SEC", help="of the machine's time, a run (default: 0.2)")
    add("--jobs", type=int, choices=range(1, 257), default=2, metavar="N", help="runs at a time (default: 2)")
    add("--output", default="build/scale", metavar="DIR", help="(default: build/scale)")
    return parser.parse_args(arguments)


def _cpus(text: str) -> list[int]:
    found = numbers(MOST["cpus"])(text)
    for number in found:
        if number % LLC:
            raise argparse.ArgumentTypeError(f"{number} is no multiple of {LLC}")
    return found


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.01 <= value <= 60:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds from 0.01 to 60")
    return value


def _jobs(options: argparse.Namespace) -> list[tuple[int, int, int, str]]:
    """The longest first."""
    every = product(options.cpus, options.pairs, options.seeds, (ONE, PER_LLC))
    return sorted(every, key=lambda job: -job[0])


def _run(options: argparse.Namespace) -> list[Run]:
    running: set[subprocess.Popen[str]] = set()
    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            return list(pool.map(lambda job: _simulate(running, options, *job), _jobs(options)))
        except BaseException:  # Ctrl-C among them
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(running):
                process.kill()
            raise


def _simulate(
    running: set[subprocess.Popen[str]], options: argparse.Namespace, cpus: int, pairs: int, seed: int, agents: str
) -> Run:
    """While its process runs it is in RUNNING."""
    print(f"bench/scale: {cpus} CPUs, {pairs} pairs each, seed {seed}, agents: {agents} ...", file=sys.stderr)
    command = [
        str(build_folder() / "bin" / "cppland"), "sim", "--strict", "--policy", options.policy,
        "--workload", f"request:pairs={pairs * cpus},think-us=20,work-us=10",
        "--topology", f"sockets={cpus // LLC},cores={LLC}", "--seed", str(seed),
        "--duration", str(options.seconds), "--json", "-",
    ]  # fmt: skip
    if agents == ONE:
        command.append("--one-agent")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        running.add(process)
        said, _ = process.communicate()
        running.discard(process)
    if process.returncode != 0:
        raise CompareError(f"'{' '.join(command)}' ended with status {process.returncode}")
    try:
        return run_of(json.loads(said), agents, pairs)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise CompareError(f"'{' '.join(command)}' says something else than a report of one run") from error
