#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""planted - plants a bug at a time in a copy of the tree, and shows that chaotic runs find it (see --help)."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Bug:
    """Text of a file of the tree, and what stands in its place."""

    name: str
    path: str
    text: str
    planted: str
    rarity: int = 1  # in how many times as many seeds it is found


BUGS = (
    Bug(
        "decisions are not held against the wait that they were made for",
        "bpf/rings.bpf.h",
        "\tif (tctx->generation != d->generation) {",
        "\tif (0) {",
    ),
    Bug(
        "a task that begins to wait wakes no idle CPU",
        "bpf/dispatcher.bpf.c",
        "\t\twake_idle_for(p);",
        "\t\t;",
    ),
    Bug(
        "a CPU that finds nothing does not look once more",
        "bpf/dispatcher.bpf.c",
        "\tif (!prev && !is_going(cpu) && !is_marked_idle(cpu))",
        "\tif (0)",
        rarity=3,
    ),
    Bug(
        "a CPU that becomes idle does not look who came meanwhile",
        "bpf/dispatcher.bpf.c",
        "\tif (!idle || is_going(cpu))\n\t\treturn;",
        "\treturn;",
        rarity=3,
    ),
    Bug(
        "no CPU that would be idle serves who waits in another domain",
        "bpf/dispatcher.bpf.c",
        "\t\tif (nr_domains > 1 && help_others(d))",
        "\t\tif (0)",
    ),
    Bug(
        "a CPU that was woken for another domain and finds work in its own leaves it at that",
        "bpf/agent.bpf.h",
        "\tif (state && state->woken_for) {",
        "\tif (0) {",
        rarity=8,
    ),
    Bug(
        "an agent that was pushed out of its domain keeps a CPU from going",
        "bpf/hotplug.bpf.h",
        "\t\thand_back(dsq_of(d, AGENT), cpu);",
        "\t\t;",
    ),
    Bug(
        "a wait has the same number as the one before it",
        "bpf/dispatcher.bpf.c",
        "\ttctx->generation++;\n}",
        "}",
    ),
    Bug(
        "what is taken back from a late agent keeps its number",
        "bpf/rescue.bpf.h",
        "\t\ttctx->generation++;\n\t\ttctx->decided = 0;\n",
        "\t\ttctx->decided = 0;\n",
    ),
    Bug(
        "the dispatcher ignores weights",
        "bpf/state.bpf.h",
        "return ns * WEIGHT_DEFAULT / (p->scx.weight ?: WEIGHT_DEFAULT);",
        "return p ? ns : 0;",
    ),
    Bug(
        "of two the one that is ahead goes on",
        "bpf/dispatcher.bpf.c",
        "first = other && before(tctx->vtime, other->vtime);",
        "first = other && before(other->vtime, tctx->vtime);",
    ),
    Bug(
        "the agent is never asked",
        "bpf/agent.bpf.h",
        "\tbool choice = (held || prev_ready) && held + decided + prev_ready > 1;",
        "\tbool choice = false;",
    ),
    Bug(
        "the agent is asked once",
        "bpf/agent.bpf.h",
        "\tagent->answered = 1;\n\t__sync_lock_test_and_set(&agent->called, 0);",
        "\tagent->answered = 1;",
    ),
    Bug(
        "the dispatcher goes on without the agent for ever",
        "bpf/agent.bpf.h",
        "\t\tagent->failover_at = 0;\n",
        "",
    ),
    Bug(
        "what the agent forgets is not rescued",
        "bpf/rescue.bpf.h",
        "\trescue_from(d, dsq_of(d, ASKED), 0, now, forget_ns);\n",
        "",
    ),
    Bug(
        "the heart beats once",
        "bpf/heartbeat.bpf.h",
        "\tbpf_timer_start(&heartbeat->timer, leaving ? LEAVING_EVERY : heartbeat_ns, 0);",
        "",
    ),
    Bug(
        "decisions name CPUs that the task may not use",
        "bpf/rings.bpf.h",
        "bpf_cpumask_test_cpu(cpu, p->cpus_ptr);\n}",
        "p;\n}",
    ),
    Bug(
        "the agent does not hear of exits",
        "bpf/dispatcher.bpf.c",
        "\t\tsend_event(tctx->told_in, CPPLAND_EVENT_GONE, p, tctx);",
        "\t\treturn;",
    ),
    Bug(
        "the agent does not hear of CPU time",
        "bpf/rings.bpf.h",
        "\te->used_ns = before(total, tctx->told_ns) ? 0 : total - tctx->told_ns;",
        "\te->used_ns = 0;",
    ),
    Bug(
        "the policy ignores weights",
        "src/policies/deadline.h",
        "return ns * 100 / task.weight;",
        "return task.weight != 0 ? ns : 0;",
    ),
    Bug(
        "the policy forgets every hundredth task",
        "src/policies/fifo.h",
        "{ queue_.push(task); }",
        "{ if (++n_ % 100 != 0) queue_.push(task); }\n  int n_ = 0;",
    ),
)


def run(command: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, text=True, capture_output=True, check=False, **options)  # type: ignore[call-overload]


def build(tree: Path) -> None:
    done = run(["cmake", "--build", str(tree / "build"), "--target", "cppland-chaos"])
    if done.returncode != 0:
        sys.exit(f"planted: the build failed:\n{done.stdout}{done.stderr}")


def copy_file(name: str, to: Path) -> None:
    """What is there already and the same is left as it is, and need not be built again."""
    text = (ROOT / name).read_bytes()
    copy = to / name
    if copy.exists() and copy.read_bytes() == text:
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(text)
    copy.chmod((ROOT / name).stat().st_mode)


def copy_tree(to: Path) -> None:
    for name in run(["git", "-C", str(ROOT), "ls-files"]).stdout.splitlines():
        if (ROOT / name).is_file():
            copy_file(name, to)
    done = run(["cmake", "-S", str(to), "-B", str(to / "build"), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"])
    if done.returncode != 0:
        sys.exit(f"planted: the configuration failed:\n{done.stdout}{done.stderr}")


def find(tree: Path, seeds: int) -> str:
    """What chaos says of the tree; empty if it finds nothing."""
    build(tree)
    command = [str(tree / "build/bin/cppland-chaos"), "--seeds", f"1-{seeds}", "--keep", str(tree)]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE) as chaos:
        assert chaos.stdout is not None
        first = chaos.stdout.readline().strip()
        chaos.terminate()  # to make the plan small takes a while, and nobody reads it
    return first if first.startswith("FAIL") else ""


def look_for(tree: Path, bug: Bug, seeds: int) -> bool:
    path = tree / bug.path
    sound = path.read_text()
    if sound.count(bug.text) != 1:
        sys.exit(f"planted: {bug.path} has no place for '{bug.name}' any more")
    path.write_text(sound.replace(bug.text, bug.planted))
    try:
        found = find(tree, seeds * bug.rarity)
    finally:
        path.write_text(sound)
    print(f"{'ok' if found else 'FAIL'} {bug.name}: {found or 'not found'}", flush=True)
    return bool(found)


def look_for_all(tree: Path, seeds: int) -> int:
    copy_tree(tree)
    if found := find(tree, seeds):
        print(f"FAIL without a planted bug: {found}")
        return 1
    print(f"ok nothing is found in {seeds} seeds where no bug is planted", flush=True)
    missed = [bug for bug in BUGS if not look_for(tree, bug, seeds)]
    return 1 if missed else 0


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests/chaos/planted.py", description=__doc__, allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many may pass (default: 1000)")
    parser.add_argument(
        "--tree", type=Path, metavar="DIR", help="where the copy is, and stays: the next time less is built"
    )
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error("--seeds must be at least 1")
    os.environ["LC_ALL"] = "C.UTF-8"
    if options.tree:
        options.tree.mkdir(parents=True, exist_ok=True)
        return look_for_all(options.tree.resolve(), options.seeds)
    with tempfile.TemporaryDirectory(prefix="cppland-planted-") as folder:
        return look_for_all(Path(folder), options.seeds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
