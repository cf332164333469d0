# SPDX-License-Identifier: GPL-2.0-only
"""The simulator's JSON, the table, and command lines that make no sense."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.dont_write_bytecode = True
BENCH = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BENCH))

from benchlib import CompareError  # noqa: E402
from fidelitylib.run import Run, middle  # noqa: E402
from fidelitylib.simulator import figures, simulate  # noqa: E402
from fidelitylib.table import disagreements, table  # noqa: E402
from fidelitylib.workload import Workload  # noqa: E402


def one(p50: float = 0, p99: float = 0, missed: float = 0) -> dict[str, float]:
    return {"wakeups": 9, "p50_us": p50, "p99_us": p99, "max_us": p99, "periods": 10, "missed": missed}


def simulated(**changes: Any) -> dict[str, Any]:
    """As `cppland sim --json` writes it; it tells more of a class than is needed here."""
    run = {"policy": "fifo", "workload": "w", "cpus": 1, "seed": 1, "seconds": 10,
           "classes": {"tick": {"tasks": 1, **one(3, 7), "cpu_seconds": 0.1, "units": 0}},
           "all": {"tasks": 1, **one(3, 7), "cpu_seconds": 0.1, "units": 0}}  # fmt: skip
    return {"version": 1, "runs": [run], **changes}


class Simulator(unittest.TestCase):
    def test_its_figures(self) -> None:
        self.assertEqual(figures(json.dumps(simulated())), {"classes": {"tick": one(3, 7)}, "all": one(3, 7)})

    def test_what_is_not_its_json_is_refused(self) -> None:
        for text in ("", "[]", "{}", '{"version": 1, "runs": [{}]}', json.dumps(simulated(runs=[])),
                     json.dumps(simulated(version=2))):  # fmt: skip
            with self.subTest(text=text), self.assertRaisesRegex(CompareError, "the simulator's JSON"):
                figures(text)

    @contextlib.contextmanager
    def program(self, script: str) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "bin", "cppland")
            file.parent.mkdir()
            file.write_text(f"#!/bin/bash\n{script}\n")
            file.chmod(0o755)
            with mock.patch.dict(os.environ, {"CPPLAND_BUILD": folder}):
                yield

    RUN = Run("fifo", 2, Workload("w", {"tick": {}}), 5, 10, 4)

    def test_it_is_asked_for_the_run(self) -> None:
        written = json.dumps(simulated())
        script = (
            'wanted="sim --policy fifo --cpus 2 --seed 5 --duration 10 --set cost-percent=200 --json"\n'
            '[[ "$1 $2 $3 $4 $5 ${*: -8:7}" == "$wanted" ]] || exit 9\n'
            f"""grep -q '"instance": 8' "$7" || exit 8\necho '{written}' >"${{@: -1}}" """
        )
        with self.program(script):
            self.assertEqual(simulate(self.RUN)["all"], one(3, 7))

    def test_settings_are_passed_on(self) -> None:
        with self.program('echo "${@: -6:4}" >&2; exit 1'), self.assertRaisesRegex(CompareError, "--set a=1 --set b=2"):
            simulate(self.RUN, ["a=1", "b=2"])

    def test_its_failure_is_shown(self) -> None:
        for status, ours in ((2, 2), (3, 1)):
            message = f"status {status}: no such thing$"
            with self.program(f"echo no such thing >&2; echo more >&2; exit {status}"):
                with self.assertRaisesRegex(CompareError, message) as caught:
                    simulate(self.RUN)
                self.assertEqual(caught.exception.status, ours)


class Table(unittest.TestCase):
    def row(self, policy: str, vm: float, sim: float) -> dict[str, Any]:
        worlds = {world: {"all": one(value, 2 * value, 1)} for world, value in (("vm", vm), ("sim", sim))}
        return {"cpus": 1, "workload": "w", "policy": policy, **worlds}

    def test_side_by_side(self) -> None:
        lines = table([self.row("deadline", 10, 12), self.row("fifo", 100, 50)]).splitlines()
        self.assertEqual(lines[1].split(), "1 w deadline 10 12 x1.20 20 24 x1.20 1/10 1/10".split())
        self.assertEqual(lines[2].split(), "1 w fifo 100 50 x0.50 200 100 x0.50 1/10 1/10".split())
        self.assertEqual(lines[3].strip(), "ranking: p50 agrees, p99 agrees")

    def test_another_ranking_is_told(self) -> None:
        text = table([self.row("deadline", 10, 30), self.row("fifo", 20, 15)])
        self.assertIn("p50 differs (deadline/fifo), p99 differs (deadline/fifo)", text)

    def test_near_is_no_ranking(self) -> None:
        rows = [self.row("deadline", 100, 30), self.row("fifo", 104, 15)]
        self.assertEqual(disagreements(rows, "p50_us"), [])
        rows = [self.row("deadline", 100, 30), self.row("fifo", 106, 15)]
        self.assertEqual(disagreements(rows, "p50_us"), ["deadline/fifo"])

    def test_one_world_alone(self) -> None:
        row = self.row("fifo", 10, 20)
        del row["sim"]
        self.assertEqual(table([row]).splitlines()[1].split(), "1 w fifo 10 - - 20 - - 1/10 -".split())

    def test_seeds_give_medians(self) -> None:
        runs = [{"classes": {"t": one(value)}, "all": one(p99=value)} for value in (1, 9, 2)]
        self.assertEqual(middle(runs), {"classes": {"t": one(2)}, "all": one(p99=2)})


class CommandLine(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        program = self.folder / "bin" / "scx_cppland"
        program.parent.mkdir()
        program.write_text('#!/bin/sh\n[ "$2" != nonsense ] || { echo "nonsense not in {fifo}" >&2; exit 2; }\n')
        program.chmod(0o755)
        (program.parent / "cppland").symlink_to(program)
        self.workload = self.folder / "w.json"
        self.workload.write_text('{"tasks": {"t": {"run": 1}}}')

    def run_fidelity(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CPPLAND_BUILD": str(self.folder)}
        return subprocess.run([BENCH / "fidelity", *arguments], capture_output=True, text=True, check=False,
                              env=environment)  # fmt: skip

    def assert_refused(self, word: str, *arguments: str) -> None:
        done = self.run_fidelity(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertIn(word, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_bad_options_are_status_2_and_one_line(self) -> None:
        broken = self.folder / "broken.json"
        broken.write_text("{")
        for arguments, word in (
            (("--seconds", "0"), "--seconds takes 1 to"), (("--seconds", "1.5"), "--seconds"),
            (("--seeds", "0"), "--seeds takes"), (("--hogs-per-cpu", "-1"), "--hogs-per-cpu takes 0"),
            (("--cpus", "1,x"), "'1,x'"), (("--cpus", "0"), "'0'"), (("--cpus", "1,1"), "'1,1'"),
            (("--policies", ""), "--policies"), (("--policies", "fifo,nonsense"), "nonsense not in"),
            (("--workloads", "mp4"), "'mp4'"), (("--workloads", "/nowhere.json"), "/nowhere.json"),
            (("--workloads", str(broken)), str(broken)), (("--json", "/nowhere/figures"), "/nowhere/figures"),
            (("--only", "both"), "--only"), (("--only", "vm", "--vm-figures", "x"), "exclude each other"),
            (("more",), "more"),
        ):  # fmt: skip
            with self.subTest(arguments=arguments):
                self.assert_refused(word, "--workloads", str(self.workload), *arguments)

    def test_it_says_what_to_build(self) -> None:
        (self.folder / "bin" / "cppland").unlink()
        done = self.run_fidelity("--workloads", str(self.workload))
        self.assertEqual(done.returncode, 1)
        self.assertIn("build first", done.stderr)

    def kept(self, **changes: Any) -> str:
        row = {"cpus": 1, "workload": "w", "policy": "fifo", "vm": {"classes": {"t": one(1)}, "all": one(1)}}
        figures = {"version": 1, "kernel": "7", "seconds": 10, "seeds": 1, "hogs_per_cpu": 4, "rows": [row]}
        file = self.folder / "kept.json"
        file.write_text(json.dumps({**figures, **changes}))
        return str(file)

    def test_figures_of_something_else_are_refused(self) -> None:
        common = ("--workloads", str(self.workload), "--policies", "fifo", "--cpus")
        self.assert_refused("is of seconds 5, and not 10", *common, "1", "--vm-figures", self.kept(seconds=5))
        self.assert_refused("cpus 4, workload w, policy fifo", *common, "4", "--vm-figures", self.kept())
        self.assert_refused("/nowhere", *common, "1", "--vm-figures", "/nowhere")
        self.assert_refused("none that --json has written", *common, "1", "--vm-figures", str(self.workload))

    def test_kept_figures_stand_beside_the_simulators(self) -> None:
        simulator = self.folder / "bin" / "cppland"
        simulator.unlink()
        simulator.write_text(f"#!/bin/bash\necho '{json.dumps(simulated())}' >\"${{@: -1}}\"\n")
        simulator.chmod(0o755)
        out = self.folder / "out.json"
        done = self.run_fidelity("--workloads", str(self.workload), "--policies", "fifo", "--cpus", "1",
                                 "--vm-figures", self.kept(), "--json", str(out))  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[1].split()[:6], ["1", "w", "fifo", "1", "3", "x3.00"])
        self.assertEqual(json.loads(out.read_text())["rows"][0]["sim"]["all"], one(3, 7))


if __name__ == "__main__":
    unittest.main()
