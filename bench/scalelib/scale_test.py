#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Tests of bench/scale."""

import contextlib
import io
import json
import os
import stat
import sys
import tempfile
import unittest
from pathlib import Path
from unittest.mock import patch

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scalelib.cli import main  # noqa: E402
from scalelib.figures import ONE, PER_LLC, Run, gain, gains_table, run_of, table, typical  # noqa: E402
from scalelib.page import page  # noqa: E402

# Says what `cppland sim` says, and more decisions without --one-agent.
STAND_IN = """#!/usr/bin/env python3
import json, sys
arguments = sys.argv[1:]
if "--seed" in arguments and arguments[arguments.index("--seed") + 1] == "13":
    sys.exit(1)
cpus = 8 * int(arguments[arguments.index("--topology") + 1].split(",")[0].split("=")[1])
decisions = 100 if "--one-agent" in arguments else 700
print(json.dumps({"runs": [{
    "cpus": cpus, "seed": 1, "seconds": 0.5, "decisions": decisions, "agent_share": 0.01,
    "all": {"p50_us": 5.0, "p99_us": 50.0},
}]}))
"""


def run(agents: str, pairs: int, decisions: float, p99: float, cpus: int = 16, seed: int = 1) -> Run:
    return Run(agents, cpus, pairs, seed, decisions, p99 / 2, p99, 0.01)


class Figures(unittest.TestCase):
    def test_a_run_is_read(self) -> None:
        report = {"runs": [{
            "cpus": 16, "seed": 3, "seconds": 0.5, "decisions": 1000, "agent_share": 0.02,
            "all": {"p50_us": 7.0, "p99_us": 70.0},
        }]}  # fmt: skip
        self.assertEqual(run_of(report, ONE, 4), Run(ONE, 16, 4, 3, 2000.0, 7.0, 70.0, 0.02))

    def test_medians_are_over_seeds(self) -> None:
        runs = [run(ONE, 1, value, 10, seed=value) for value in (1, 5, 3)]
        found = typical([*runs, run(PER_LLC, 1, 99, 10), run(ONE, 2, 99, 10), run(ONE, 1, 99, 10, cpus=8)], ONE, 16, 1)
        assert found
        self.assertEqual(found.decisions_per_s, 3)
        self.assertIsNone(typical(runs, PER_LLC, 16, 1))

    def test_the_gain_is_where_waits_are_no_longer(self) -> None:
        runs = [
            run(ONE, 1, 100, 30), run(ONE, 2, 199, 40), run(ONE, 4, 200, 90),
            run(PER_LLC, 1, 150, 20), run(PER_LLC, 2, 600, 40), run(PER_LLC, 4, 900, 41),
        ]  # fmt: skip
        found = gain(runs, 16)
        assert found
        self.assertEqual(found.one.pairs, 2, "the first load that is within a hundredth of the most")
        self.assertEqual(found.per_llc.pairs, 2, "more would wait longer")
        self.assertAlmostEqual(found.ratio, 600 / 199)
        self.assertIsNone(gain(runs, 8))
        self.assertIsNone(gain([run(ONE, 1, 0, 1), run(PER_LLC, 1, 0, 1)], 16), "nothing was decided")
        self.assertIsNone(gain([run(ONE, 1, 5, 10), run(PER_LLC, 1, 50, 11)], 16), "all wait longer")

    def test_tables(self) -> None:
        runs = [run(ONE, 1, 1000, 30), run(PER_LLC, 1, 7000, 20)]
        self.assertIn("| 16 | 32 | 1,000 | 7,000 | x7.00 | 30 | 20 | 1.00 % | 1.00 % |", table(runs))
        self.assertIn("| 16 | 1,000 | 30 | 7,000 | 20 | x7.00 |", gains_table(runs))

    def test_the_page_has_a_plot_for_each_measure(self) -> None:
        runs = [
            run(agents, pairs, 100 * pairs * cpus, 10 * pairs, cpus=cpus)
            for agents in (ONE, PER_LLC) for pairs in (1, 2) for cpus in (8, 16)
        ]  # fmt: skip
        text = page(runs, "a < b")
        self.assertIn("a &lt; b", text)
        # Of gains; of 2 loads against CPUs; of 2 numbers of CPUs against tasks.
        self.assertEqual(text.count("<svg"), 1 + 2 * 3 + 2 * 3)
        self.assertNotIn("nan", text)


class CommandLine(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        program = self.folder / "bin" / "cppland"
        program.parent.mkdir()
        program.write_text(STAND_IN)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def main(self, *arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, {"CPPLAND_BUILD": str(self.folder)}),
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
        ):  # fmt: skip
            status = main([*arguments, "--output", str(self.folder / "out")])
        return status, out.getvalue(), err.getvalue()

    def test_all_is_simulated_and_written(self) -> None:
        status, out, _ = self.main("--cpus", "8,16", "--pairs", "1,2", "--seeds", "1,2")
        self.assertEqual(status, 0)
        self.assertIn("| 16 | 200 | 50 | 1,400 | 50 | x7.00 |", out)
        kept = json.loads((self.folder / "out" / "scale.json").read_text())
        self.assertEqual(len(kept["runs"]), 2 * 2 * 2 * 2)
        self.assertEqual((self.folder / "out" / "scale.md").read_text(), out)
        self.assertIn("</svg>", (self.folder / "out" / "scale.html").read_text())

    def test_a_run_that_fails_is_a_failure(self) -> None:
        status, out, err = self.main("--cpus", "8", "--pairs", "1", "--seeds", "13")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("ended with status 1", err)

    def test_bad_arguments_are_refused(self) -> None:
        for arguments in (
            ("--cpus", "12"), ("--cpus", "0"), ("--cpus", "8,8"), ("--cpus", "1024"), ("--pairs", "x"),
            ("--seconds", "0"), ("--seconds", "nan"), ("--policy", "best"), ("--jobs", "0"), ("more",),
        ):  # fmt: skip
            status, out, err = self.main(*arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertEqual(err.count("\n"), 1, err)
        (self.folder / "bin" / "cppland").unlink()
        self.assertNotEqual(self.main("--cpus", "8")[0], 0)

    def test_the_document_has_every_option(self) -> None:
        root = Path(__file__).resolve().parent.parent.parent
        document = (root / "docs" / "scale.md").read_text()
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit):
            main(["--help"])
        for option in ("--cpus", "--pairs", "--seeds", "--policy", "--seconds", "--jobs", "--output"):
            self.assertIn(f"{option} ", out.getvalue())
            self.assertIn(f"`{option}`", document)


if __name__ == "__main__":
    unittest.main()
