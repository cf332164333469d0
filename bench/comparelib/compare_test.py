#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What bench/compare calls better and worse, what it refuses, and how it ends."""

import contextlib
import dataclasses
import io
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comparelib import cli, compare, read  # noqa: E402
from comparelib.compare import BETTER, SAME, WORSE, verdict  # noqa: E402
from runlib.results import VERSION  # noqa: E402
from runlib.workloads import ALL  # noqa: E402

OURS = "scx_cppland"
Json = dict[str, Any]


def job(value: float, seed: int = 1, scheduler: str = OURS, workload: str = "pipe", cpus: int = 1, **more: Any) -> Json:
    figures = {ALL[workload].measure: value}
    return {"scheduler": scheduler, "workload": workload, "cpus": cpus, "seed": seed, "figures": figures, **more}


def lost(seed: int = 1, scheduler: str = OURS, failure: str = "it died") -> Json:
    return {"scheduler": scheduler, "workload": "pipe", "cpus": 1, "seed": seed, "failure": failure}


def of(*jobs: Json, version: int = VERSION, **conditions: Any) -> Json:
    return {"version": version, "conditions": {"kernel": "7", "seeds": [1], "quick": True, **conditions}, "jobs": jobs}


def seeds(*values: float, **more: Any) -> Json:
    """One job for each of the seeds 1, 2 and so on."""
    numbers = range(1, 1 + len(values))
    return of(*(job(value, seed, **more) for seed, value in zip(numbers, values, strict=True)), seeds=list(numbers))


def operation(name: str = "agent/fifo/20", **more: Any) -> Json:
    return {"name": name, "run_type": "iteration", "cpu_time": 40.0, "time_unit": "ns", **more}


def micro(*operations: Json) -> Json:
    return {"context": {"host_name": "somewhere", "executable": "/some/decision_bench"}, "benchmarks": operations}


def counted(allocations: float, name: str = "agent/fifo/20", **more: Any) -> Json:
    return operation(name, **{"allocs/op": allocations}, **more)


class Verdicts(unittest.TestCase):
    def test_the_tolerance(self) -> None:
        for new, wanted in ((106, WORSE), (105, SAME), (95, SAME), (94, BETTER)):
            self.assertEqual(verdict([100], [new], 5), wanted, new)
        self.assertEqual(verdict([100], [106], 10), SAME)

    def test_more_may_be_better(self) -> None:
        self.assertEqual(verdict([100], [106], 5, True), BETTER)
        self.assertEqual(verdict([100], [94], 5, True), WORSE)

    def test_the_spread_of_either_side(self) -> None:
        self.assertEqual(verdict([90, 100, 115], [120, 120, 120], 5), SAME)
        self.assertEqual(verdict([100, 100, 100], [105, 120, 130], 5), SAME)
        self.assertEqual(verdict([95, 100, 105], [115, 120, 125], 5), WORSE)

    def test_from_nothing(self) -> None:
        self.assertEqual((verdict([0], [0], 5), verdict([0], [1], 5)), (SAME, WORSE))


class Compared(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name: str, document: Any) -> str:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(file)

    def run_it(self, *arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = cli.main(arguments)
        return status, out.getvalue(), err.getvalue()

    def compare(self, old: Any, new: Any, *options: str) -> tuple[int, str, list[str]]:
        """The exit status, the table, and the regressions."""
        status, out, err = self.run_it(self.write("old.json", old), self.write("new.json", new), *options)
        self.assertEqual(err, "")
        table, _, named = out.partition("Regressions:\n")
        self.assertEqual(status, 1 if named else 0, out)
        return status, table, [line.removeprefix("- ") for line in named.splitlines()]

    def refuse(self, old: Any, new: Any, *options: str) -> str:
        return self.refuse_files(self.write("old.json", old), self.write("new.json", new), *options)

    def refuse_files(self, *arguments: str) -> str:
        status, out, err = self.run_it(*arguments)
        self.assertEqual((status, out, len(err.splitlines())), (2, "", 1), (arguments, out, err))
        return err


class Results(Compared):
    def test_same(self) -> None:
        status, table, _ = self.compare(of(job(100)), of(job(103)))
        self.assertEqual(status, 0)
        self.assertIn(f"| {OURS} | pipe (ms) | 1 | 100 | 103 | 1.03 | same |", table)
        self.assertNotIn("in units of", table)

    def test_figures_beside_the_measure(self) -> None:
        def cost(**figures: float) -> Json:
            return of(job(100, workload="decisions") | {"figures": {"units": 100, **figures}})

        old = cost(instructions=5000, agent_percent=1)
        (told,) = self.compare(old, cost(instructions=6000, agent_percent=1))[2]
        self.assertEqual(told, f"{OURS}, decisions (instructions), 1 CPU: 5000 became 6000")
        self.assertEqual(self.compare(old, cost(instructions=5100, agent_percent=0.5))[0], 0)
        self.assertEqual(self.compare(cost(), old)[0], 0)
        self.assertEqual(
            self.compare(old, cost(agent_percent=1))[2], [f"{OURS}, decisions, 1 CPU: instructions is missing"]
        )

    def test_odd_figures_of_the_default(self) -> None:
        ours, own = (seeds(1, 1, scheduler=name)["jobs"] for name in (OURS, "default"))
        zero = of(own[0], own[1] | {"seed": 3, "figures": {"ms": 0}}, own[1] | {"seed": 4, "figures": {"ms": 0}}, ours[0])
        self.assertEqual(self.compare(zero, zero)[0], 0)
        self.assertIn("not a number", self.refuse(of(job(5e-324)), of(job(1))))
        self.refuse(of(job(1), seeds=[1], x=[1, "a"]), of(job(1), x=[2, "a"]))

    def test_better(self) -> None:
        status, table, _ = self.compare(of(job(100)), of(job(50)))
        self.assertEqual(status, 0)
        self.assertIn("| 100 | 50 | 0.50 | better |", table)

    def test_worse_and_named(self) -> None:
        status, table, regressions = self.compare(of(job(100)), of(job(150)))
        self.assertEqual((status, regressions), (1, [f"{OURS}, pipe (ms), 1 CPU: 100 became 150"]))
        self.assertIn("| 1.50 | worse |", table)
        self.assertEqual(self.compare(of(job(100)), of(job(150)), "--tolerance", "50")[0], 0)
        self.assertEqual([self.compare(of(job(100)), of(job(value)))[0] for value in (105, 105.1)], [0, 1])

    def test_medians_over_seeds(self) -> None:
        status, table, _ = self.compare(seeds(90, 100, 110), seeds(100, 115, 130))
        self.assertEqual(status, 0)
        self.assertIn("| 100 (90 to 110) | 115 (100 to 130) | 1.15 | same |", table)

    def test_the_direction_is_the_workloads(self) -> None:
        more = {**ALL, "pipe": dataclasses.replace(ALL["pipe"], more_is_better=True)}
        with mock.patch.object(compare, "ALL", more):
            self.assertEqual(self.compare(of(job(100)), of(job(50)))[0], 1)
            self.assertEqual(self.compare(of(job(100)), of(job(150)))[0], 0)

    def test_in_units_of_the_default(self) -> None:
        def both(own: float, ours: float) -> Json:
            return of(job(own, scheduler="default"), job(ours))

        status, table, _ = self.compare(both(100, 80), both(200, 160))
        self.assertEqual(status, 0)
        self.assertIn("in units of those of the scheduler 'default'", table)
        self.assertIn("| default | pipe (ms) | 1 | 100 | 200 | 2.00 | - |", table)
        self.assertIn(f"| {OURS} | pipe (ms) | 1 | x0.8 | x0.8 | 1.00 | same |", table)
        self.assertEqual(self.compare(both(100, 80), both(50, 80))[2], [f"{OURS}, pipe (ms), 1 CPU: x0.8 became x1.6"])

    def test_a_latency_has_to_change_by_more_than_an_interrupt(self) -> None:
        def both(ours: float, workload: str = "latency") -> Json:
            return of(job(2000, workload=workload, scheduler="default"), job(ours, workload=workload))

        self.assertEqual(self.compare(both(16), both(36))[1].count("| same |"), 1)
        self.assertEqual(self.compare(both(16), both(37))[2], [f"{OURS}, latency (p99_us), 1 CPU: x0.008 became x0.0185"])
        self.assertEqual(self.compare(both(16, "pipe"), both(18, "pipe"))[0], 1)
        self.assertEqual([self.compare(of(job(16, workload="latency")), of(job(us, workload="latency")))[0]
                          for us in (36, 37)], [0, 1])  # fmt: skip

    def test_ratios_are_of_the_same_seed(self) -> None:
        def both(own: tuple[float, ...], ours: tuple[float, ...]) -> Json:
            jobs = (*seeds(*own, scheduler="default")["jobs"], *seeds(*ours)["jobs"])
            return of(*jobs, seeds=[1, 2, 3])

        _, table, _ = self.compare(both((10, 100, 1000), (5, 50, 500)), both((10, 100, 1000), (6, 60, 600)))
        self.assertIn("| x0.5 | x0.6 | 1.20 | worse |", table)

    def test_the_default_alone_is_judged(self) -> None:
        for more in ((), (job(5, cpus=2),)):
            old, new = (of(job(value, scheduler="default"), *more) for value in (100, 200))
            self.assertEqual(self.compare(old, new)[2], ["default, pipe (ms), 1 CPU: 100 became 200"])
        old, new = of(job(100, scheduler="default"), job(5)), of(job(200, scheduler="default"))
        self.assertEqual(self.compare(old, new, "--partial")[0], 1)

    def test_figures_themselves_if_a_side_lacks_the_default(self) -> None:
        old, new = of(job(100, scheduler="default"), job(80)), of(job(80))
        self.assertIn(f"| {OURS} | pipe (ms) | 1 | 80 | 80 | 1.00 | same |", self.compare(old, new, "--partial")[1])
        both = of(job(100, scheduler="default"), job(80), job(80, 2), seeds=[1, 2])  # it lacks one seed
        self.assertIn(f"| {OURS} | pipe (ms) | 1 | 80 | 80 | 1.00 | same |", self.compare(both, both)[1])

    def test_memory(self) -> None:
        old, new = of(job(1, rss_kb=1000)), of(job(1, rss_kb=1100))
        self.assertEqual(self.compare(old, new)[2], [f"{OURS}, pipe (RSS in KiB), 1 CPU: 1000 became 1100"])
        self.assertEqual(self.compare(old, of(job(1)))[2], [f"{OURS}, pipe, 1 CPU: RSS is missing"])

    def test_a_new_failure(self) -> None:
        wanted = [f"{OURS}, pipe, 1 CPU, seed 1: failed: it died"]
        self.assertEqual(self.compare(of(job(1)), of(lost()))[2], wanted)
        self.assertEqual(self.compare(of(job(1)), of(lost()), "--partial")[2], wanted)
        self.assertEqual(self.compare(of(job(1, cpus=2)), of(job(1, cpus=2), lost()))[2], wanted)
        old = of(lost(1), job(1, 2), seeds=[1, 2])
        self.assertEqual(len(self.compare(old, of(job(1, 1), lost(2), seeds=[1, 2]))[2]), 1)

    def test_an_old_failure(self) -> None:
        beside = job(1, cpus=2)
        self.assertEqual(self.compare(of(lost(), beside), of(lost(), beside))[0], 0)
        status, table, _ = self.compare(of(lost()), of(job(5)))
        self.assertEqual(status, 0)
        self.assertIn("| failed | 5 | - | better |", table)
        self.assertEqual(self.compare(of(lost(), beside), of(beside))[0], 0)

    def test_what_is_missing(self) -> None:
        old = of(job(1), job(1, cpus=2))
        self.assertEqual(self.compare(old, of(job(1)))[2], [f"{OURS}, pipe, 2 CPUs: missing"])
        self.assertEqual(self.compare(old, of(job(1)), "--partial")[0], 0)
        self.assertEqual(self.compare(of(job(1)), old)[0], 0)

    def test_a_seed_that_is_missing(self) -> None:
        old, new = seeds(1, 1, 1), of(job(1), seeds=[1, 2, 3])
        self.assertEqual(self.compare(old, new)[2], [f"{OURS}, pipe, 1 CPU: missing (seeds: 2, 3)"])
        self.assertEqual(self.compare(old, of(job(1, 9), seeds=[9]), "--force")[0], 0)

    def test_different_conditions(self) -> None:
        for other in ({"kernel": "6.18"}, {"quick": False}, {"seeds": [2]}, {"other": 1}):
            conditions: Json = dict(other)
            (name,) = conditions
            new = of(job(1), **conditions)
            self.assertIn(f"differ in {name} (", self.refuse(of(job(1)), new))
            self.assertEqual(self.compare(of(job(1)), new, "--force")[0], 0)
        self.assertEqual(self.compare(seeds(1, 1), seeds(1, 1) | of(job(1), job(1, 2), seeds=[2, 1]))[0], 0)

    def test_a_different_version(self) -> None:
        for old, new in ((VERSION, VERSION + 1), (VERSION + 1, VERSION), (VERSION + 1, VERSION + 1)):
            sides = of(job(1), version=old), of(job(1), version=new)
            self.assertIn(f"results of version {VERSION + 1}, not {VERSION}", self.refuse(*sides))
            self.assertEqual(self.compare(*sides, "--force")[0], 0)


class Micro(Compared):
    def test_any_allocation_more(self) -> None:
        for old, new, wanted in ((0, 0, SAME), (0, 1e-7, WORSE), (1, 1.001, WORSE), (1, 0, BETTER)):
            status, table, regressions = self.compare(micro(counted(old)), micro(counted(new)), "--tolerance", "50")
            self.assertIn(f"| {wanted} |", table)
            self.assertEqual((status, len(regressions)), (1, 1) if wanted == WORSE else (0, 0))
        self.assertEqual(regressions, [])

    def test_the_worst_repetition(self) -> None:
        found = self.compare(micro(counted(0), counted(0)), micro(counted(0), counted(2), counted(0)))
        self.assertEqual(found[2], ["agent/fifo/20, allocations per operation: 0 became 0 (0 to 2)"])

    def test_instructions(self) -> None:
        def side(count: float) -> Json:
            return micro(operation() | {"instructions/op": count})

        self.assertEqual(self.compare(side(100), side(104))[0], 0)
        self.assertEqual(
            self.compare(side(100), side(106))[2], ["agent/fifo/20, instructions per operation: 100 became 106"]
        )
        self.assertEqual(self.compare(side(100), micro(operation()))[2], [])  # a machine without such counters

    def test_times_are_not_judged(self) -> None:
        status, table, _ = self.compare(micro(operation()), micro(operation() | {"cpu_time": 1.0, "time_unit": "us"}))
        self.assertEqual(status, 0)
        self.assertIn("| agent/fifo/20 | CPU time in ns | - | 40 | 1000 | 25.00 | - |", table)

    def test_means_are_left_out(self) -> None:
        mean = counted(7)
        self.assertEqual(self.compare(micro(counted(0)), micro(counted(0), mean | {"run_type": "aggregate"}))[0], 0)

    def test_a_new_failure(self) -> None:
        failed = operation(error_occurred=True, error_message="3 allocations\nmore")
        regressions = self.compare(micro(counted(0)), micro(failed))[2]
        self.assertEqual(regressions, ["agent/fifo/20: failed: 3 allocations more"])
        other = counted(0, "other")
        self.assertEqual(self.compare(micro(failed, other), micro(failed, other))[0], 0)
        self.assertEqual(self.compare(micro(failed, other), micro(other))[0], 0)

    def test_what_is_missing(self) -> None:
        old = micro(counted(0), counted(0, "other"))
        self.assertEqual(self.compare(old, micro(counted(0)))[2], ["other: missing"])
        self.assertEqual(self.compare(old, micro(counted(0)), "--partial")[0], 0)
        self.assertEqual(
            self.compare(micro(counted(0)), micro(operation()))[2], ["agent/fifo/20: no allocations are counted"]
        )


class Files(Compared):
    def test_folders(self) -> None:
        for side, allocations in (("old", 0), ("new", 1)):
            self.write(f"{side}/results.json", of(job(100 + 100 * allocations)))
            self.write(f"{side}/decision_bench.json", micro(counted(allocations)))
        old, new = str(self.folder / "old"), str(self.folder / "new")
        status, out, _ = self.run_it(old, new)
        self.assertEqual((status, out.partition("Regressions:\n")[2].count("\n")), (1, 2))
        self.assertEqual(self.run_it(old + "/results.json", old)[0], 0)
        status, out, _ = self.run_it(old, old + "/results.json")
        self.assertEqual((status, out.splitlines()[-1]), (1, "- results of decision_bench: missing"))
        self.assertEqual(self.run_it(old, old + "/results.json", "--partial")[0], 0)
        self.assertIn("has results.json, but", self.refuse_files(old + "/results.json", new + "/decision_bench.json"))

    def test_no_such_file(self) -> None:
        good = self.write("good.json", of(job(1)))
        for arguments in ((good, good + "x"), (good + "x", good), (good + "/x", good)):
            self.assertIn("good.json", self.refuse_files(*arguments))
        (self.folder / "empty").mkdir()
        self.assertIn("a folder with neither", self.refuse_files(good, str(self.folder / "empty")))
        self.write("twice/results.json", of(job(1)))
        self.write("twice/decision_bench.json", of(job(1)))
        self.assertIn("too", self.refuse_files(good, str(self.folder / "twice")))

    def test_no_json(self) -> None:
        for text in ("", "{", "[" * 100_000, "nonsense", "1" * 5000):
            self.assertIn("this is no JSON", self.refuse(of(job(1)), text))
        old, new = self.write("old.json", of(job(1))), self.folder / "new.json"
        new.write_bytes(b"\xff\xfe{\0")
        self.assertIn("this is no JSON", self.refuse_files(old, str(new)))

    def test_other_json(self) -> None:
        others: list[Any] = [[], {}, 1, None, "jobs", {"seeds": {}}]
        for document in (json.dumps(each) for each in others):
            self.assertIn("neither results of", self.refuse(of(job(1)), document))

    def test_results_of_wrong_types(self) -> None:
        good = job(1)
        for document in (
            of(), of(job(1), job(1)), of() | {"jobs": {}}, of() | {"jobs": [1]}, of(good) | {"version": "1"},
            of(good) | {"version": True}, of(good) | {"conditions": []}, of(good, kernel=7), of(good, kernel=""),
            of(good, quick=1), of(good, seeds=1), of(good, seeds=["1"]), {"jobs": [good]},
            *(of({key: value for key, value in good.items() if key != name}) for name in good),
            of(good | {"scheduler": 1}), of(good | {"scheduler": "a\nb"}), of(good | {"scheduler": "a|b"}),
            of(good | {"workload": "nothing"}), of(good | {"workload": []}), of(good | {"cpus": 0}),
            of(good | {"cpus": True}), of(good | {"cpus": 1.0}), of(good | {"seed": "1"}), of(good | {"figures": 5}),
            of(good | {"figures": {}}), of(good | {"figures": {"ms": "5"}}), of(good | {"figures": {"ms": None}}),
            of(good | {"figures": {"ms": True}}), of(good | {"figures": {"ms": -1}}),
            of(good | {"figures": {"ms": float("nan")}}), of(good | {"figures": {"ms": float("inf")}}),
            of(good | {"figures": {"ms": 10**400}}), of(good | {"rss_kb": "5"}), of(good | {"rss_kb": -5}),
            of(good | {"failure": 5}),
        ):  # fmt: skip
            for sides in ((of(good), document), (document, of(good))):
                self.refuse(*sides)
                self.refuse(*sides, "--force")

    def test_micro_of_wrong_types(self) -> None:
        good = counted(0)
        for document in (
            micro(), micro() | {"benchmarks": {}}, micro() | {"benchmarks": [1]}, micro(good | {"name": 1}),
            micro({"cpu_time": 1, "time_unit": "ns"}), micro(good | {"allocs/op": "0"}),
            micro(good | {"allocs/op": -1}), micro(good | {"instructions/op": None}),
            micro(good | {"cpu_time": []}), micro(good | {"time_unit": "h"}),
            micro(good | {"time_unit": 5}), micro(good | {"run_type": "aggregate"}),
        ):  # fmt: skip
            self.assertIn("new.json: ", self.refuse(micro(good), document))
            self.assertIn("old.json: ", self.refuse(document, micro(good)))

    def test_nothing_in_common(self) -> None:
        self.assertIn("no figure in common", self.refuse(of(job(1)), of(job(1, cpus=2)), "--partial"))
        self.assertIn("no figure in common", self.refuse(of(lost()), of(lost())))

    def test_update(self) -> None:
        self.write("new/results.json", of(job(3, rss_kb=5), job(4, cpus=2)))
        self.write("new/decision_bench.json", micro(counted(0) | {"instructions/op": 9}, counted(0, "other")))
        new, kept = str(self.folder / "new"), self.folder / "kept"
        self.assertEqual(self.run_it(str(kept), new, "--update")[0], 0)
        self.assertEqual(self.run_it(str(kept), new)[0], 0)
        self.assertEqual(read.read(kept).results, read.read(Path(new)).results)
        text = (kept / "decision_bench.json").read_text()
        for word in ("somewhere", "/some", "time", "context"):
            self.assertNotIn(word, text)
        self.assertIn('"instructions/op": 9', text)
        self.assertEqual(self.run_it(str(kept), self.write("new.json", micro(counted(0, "third"))), "--update")[0], 0)
        self.assertTrue((kept / "results.json").exists())
        self.assertEqual(list(read.read(kept).micro or ()), ["third"])

    def test_what_failed_is_no_baseline(self) -> None:
        for document in (of(job(1), lost(2)), micro(counted(0), operation("x", error_occurred=True))):
            self.refuse_files(str(self.folder / "kept"), self.write("new.json", document), "--update")
            self.assertFalse((self.folder / "kept").exists())


class CommandLine(Compared):
    def test_refuses(self) -> None:
        good = self.write("good.json", of(job(1)))
        for arguments in (
            (), (good,), (good, good, good), (good, good, "--unknown"), (good, good, "--tolerance"),
            *((good, good, f"--tolerance={text}") for text in ("-1", "nan", "inf", "x", "")),
            (good, good, "--part"),
        ):  # fmt: skip
            self.refuse_files(*arguments)
        self.assertEqual(self.run_it(good, good, "--tolerance", "0")[0], 0)

    def test_an_output_that_is_full(self) -> None:
        good = self.write("good.json", of(job(1)))
        err = io.StringIO()
        with open("/dev/full", "w") as full, contextlib.redirect_stdout(full), contextlib.redirect_stderr(err):
            status = cli.main([good, good])
            sys.stdout = io.StringIO()
            with contextlib.suppress(OSError):
                full.close()
        self.assertEqual((status, len(err.getvalue().splitlines())), (2, 1))

    def test_the_document_lists_the_options(self) -> None:
        document = (Path(__file__).resolve().parents[2] / "docs" / "benchmark.md").read_text()
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            cli.main(["--help"])
        options = re.findall(r"^  (--[a-z]+)", out.getvalue(), re.MULTILINE)
        self.assertGreater(len(options), 3)
        section = document.partition("bench/compare OLD NEW")[2]
        for option in options:
            self.assertIn(f"`{option}`", section)


class Baseline(unittest.TestCase):
    def test_the_one_here_can_be_read(self) -> None:
        found = read.read(Path(__file__).resolve().parents[1] / "baseline")
        self.assertEqual(found.kinds, [read.RESULTS, read.MICRO])
        assert found.micro is not None
        self.assertEqual({max(each.allocations) for each in found.micro.values()}, {0})


if __name__ == "__main__":
    unittest.main()
