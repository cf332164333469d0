#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What bench/run makes of figures, what it refuses, and what it keeps."""

import contextlib
import dataclasses
import io
import json
import re
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchlib import CompareError  # noqa: E402
from benchlib.job import Event  # noqa: E402
from runlib import cli, programs, results, schedulers  # noqa: E402
from runlib.page import page  # noqa: E402
from runlib.workloads import ALL, FIGURES, RELEASE, RSS, body  # noqa: E402

LOAD = json.dumps({
    "frame": {"wakeup": {"cells": [[10, 98], [500, 2]]}, "missed": 3}, "hogs": {"units": 77},
    "pair": {"round_trip": {"cells": [[20, 100]]}},
})  # fmt: skip
APP = '{"rows": [[500, 30], [-20, 0], [0, 900], [-1, 0]], "load": {"with": {"cpu_seconds": 1.5}}}'
TIMERS = '{"thread": {"0": {"histogram": {"5": 98, "70": 2}, "max": 71, "avg": 6.3}}}'
COMPILE = '{"us": 2000000, "agent_ns": 100000000, "cpus": 2}'
COST = '{"before": [100, 7, 5], "after": [100000100, 1007, 2000005], "cpus": 2, "units": 12}'
SAID = {
    programs.read_app: APP, programs.read_timers: TIMERS, programs.read_own_cost: COST,
    programs.read_tasks_cost: COST, programs.read_compile: COMPILE,
}  # fmt: skip


def job(scheduler: str, value: float, seed: int = 1, workload: str = "pipe", cpus: int = 1, **more: Any) -> dict[str, Any]:
    return {"scheduler": scheduler, "workload": workload, "cpus": cpus, "seed": seed,
            "figures": {ALL[workload].measure: value}, **more}  # fmt: skip


def of(*jobs: dict[str, Any]) -> dict[str, Any]:
    return {"version": 1, "conditions": {"kernel": "7", "seeds": [1, 2, 3], "quick": False}, "jobs": list(jobs)}


LOST = {"scheduler": "x", "workload": "pipe", "cpus": 1, "seed": 1, "failure": "it <died>"}


class Results(unittest.TestCase):
    def test_median_and_spread(self) -> None:
        found = results.cell(of(*(job("default", value, seed) for seed, value in enumerate((9, 5, 30)))), "default", "pipe", 1)
        self.assertEqual((found.value, found.least, found.most), (9, 5, 30))

    def test_table_compares_with_the_default(self) -> None:
        table = results.table(of(job("default", 100), job("scx_cppland", 80), LOST))
        self.assertIn("| pipe (ms) | 1 | 100 x1.00 | 80 x0.80 | failed |", table)

    def test_what_was_not_run_is_a_dash(self) -> None:
        table = results.table(of(job("default", 100), job("x", 5, cpus=2)))
        self.assertIn("| pipe (ms) | 1 | 100 x1.00 | - |", table)

    def test_goals(self) -> None:
        found = {
            each.what: each.met
            for each in results.verdicts(of(
                job("default", 100), job("scx_rustland", 100), job("scx_cppland", 110, rss_kb=8192),
                job("default", 100, cpus=2),
            ))
        }  # fmt: skip
        self.assertTrue(found["pipe, 1 CPU, beside default"])
        self.assertFalse(found["pipe, 1 CPU, beside scx_rustland"])
        self.assertIsNone(found["pipe, 2 CPUs, beside default"])
        self.assertTrue(found["memory (RSS)"])
        more = results.verdicts(of(job("scx_cppland", 1, rss_kb=8193), job("scx_cppland", 1, seed=2, rss_kb=1)))
        self.assertIs(more[-1].met, False)

    def test_goals_of_other_figures(self) -> None:
        def verdict(what: str, *jobs: dict[str, Any]) -> bool | None:
            return {each.what: each.met for each in results.verdicts(of(*jobs))}[what]

        def figured(scheduler: str, workload: str, **figures: float) -> dict[str, Any]:
            return job(scheduler, 0) | {"workload": workload, "figures": figures}

        beside = "video (compile_cpu_s), 1 CPU, beside default"
        for ours, met in ((0.99, True), (0.97, False)):
            jobs = [
                figured("default", "video", late=0, compile_cpu_s=1), figured("scx_cppland", "video", late=0, compile_cpu_s=ours),
            ]  # fmt: skip
            self.assertIs(verdict(beside, *jobs), met)
        late = "video, 1 CPU: late where others are"
        for ours, other, met in ((0, 0, True), (0, 5, True), (1, 5, False), (1, 0, True)):
            jobs = [figured("default", "video", late=other), figured("scx_cppland", "video", late=ours)]
            self.assertIs(verdict(late, *jobs), met)
        self.assertIsNone(verdict(late, figured("scx_cppland", "video", late=0)))
        share = "compile, 1 CPU: agent's share of the CPUs"
        for percent, met in ((2, True), (2.1, False)):
            self.assertIs(verdict(share, figured("scx_cppland", "compile", agent_percent=percent)), met)
        self.assertIsNone(verdict(share, figured("scx_cppland", "decisions", agent_percent=1)))
        decisions = "decisions (instructions), 2 CPUs, beside scx_rustland"
        for ours, met in ((400, True), (401, False)):
            jobs = [
                figured(name, "decisions", instructions=cost) | {"cpus": 2}
                for name, cost in (("scx_cppland", ours), ("scx_rustland", 1000))
            ]  # fmt: skip
            self.assertIs(verdict(decisions, *jobs), met)
        self.assertIsNone(verdict(decisions, figured("scx_cppland", "decisions", instructions=1) | {"cpus": 2}))

    def test_every_goal_is_of_a_workload_that_runs_there(self) -> None:
        for goal in results.GOALS:
            cpus = ALL[goal.workload].cpus
            self.assertTrue(not cpus or goal.cpus in cpus, goal)

    def test_the_table_says_what_was_measured_the_limit_and_how_it_ended(self) -> None:
        table = results.goals_table(of(job("default", 100), job("scx_rustland", 100), job("scx_cppland", 110, rss_kb=9216)))
        for line in (
            "| pipe, 1 CPU, beside default | 1.100 | 1.10 | met |",
            "| pipe, 1 CPU, beside scx_rustland | 1.100 | 0.60 | missed |",
            "| memory (RSS) | 9.0 MiB | 8 MiB | missed |",
        ):
            self.assertIn(line, table)
        self.assertNotIn("2 CPUs", table)
        self.assertIn(f"{len(results.verdicts(of())) - 3} goals more are of what was not measured", table)

    def test_a_frame_that_is_late_with_one_seed_is_late(self) -> None:
        def late(scheduler: str, *values: int) -> list[dict[str, Any]]:
            return [job(scheduler, value, seed, "video") for seed, value in enumerate(values)]

        for ours, other, met in (((0, 0, 9), (9, 9, 9), False), ((0, 0, 0), (0, 0, 9), True), ((9, 9, 9), (0, 0, 9), False)):
            found = results.verdicts(of(*late("scx_cppland", *ours), *late("default", *other)))
            self.assertIs({each.what: each.met for each in found}["video, 1 CPU: late where others are"], met)

    def test_no_work_at_all_misses_the_goal(self) -> None:
        jobs = [job(name, 0, workload="video") for name in ("default", "scx_cppland")]
        for each, work in zip(jobs, (5, 0), strict=True):
            each["figures"]["compile_cpu_s"] = work
        found = {each.what: each.met for each in results.verdicts(of(*jobs))}
        self.assertIs(found["video (compile_cpu_s), 1 CPU, beside default"], False)

    def test_small_figures_have_digits(self) -> None:
        self.assertEqual([results.number_text(value) for value in (0, 0.0123, 1.5, 17.04, 123.4)], ["0", "0.0123", "1.5", "17", "123"])

    def test_the_table_has_the_figures_beside_the_measure(self) -> None:
        table = results.table(of(job("scx_cppland", 9, workload="decisions") | {"figures": {"units": 9, "instructions": 7}}))
        self.assertIn("| decisions (instructions) | 1 | 7 |", table)
        self.assertNotIn("agent_percent", table)

    def test_document_names_failures(self) -> None:
        text = results.document(of(job("default", 1), LOST))
        self.assertIn("- x, pipe, 1 CPU, seed 1: it <died>", text)
        self.assertNotIn("## Failures", results.document(of(job("default", 1))))

    def test_page_stands_alone(self) -> None:
        text = page(of(job("default", 100), job("scx_cppland", 50), LOST))
        self.assertIn("50 (x0.50)", text)
        self.assertIn("it &lt;died&gt;", text)
        for outside in ("http", "src=", "href=", "@import"):
            self.assertNotIn(outside, text)
        self.assertEqual(text.count("<rect"), 2)


class Workloads(unittest.TestCase):
    def test_reads(self) -> None:
        self.assertEqual(ALL["latency"].read(LOAD)["p99_us"], 500)
        self.assertEqual(ALL["latency"].read(LOAD)["missed"], 3)
        self.assertEqual(ALL["request"].read(LOAD)["p99_us"], 20)
        self.assertEqual(ALL["pipe"].read("1500"), {"ms": 1.5})

    def test_measures_are_among_the_figures(self) -> None:
        for each in ALL.values():
            text = SAID.get(each.read) or (LOAD if "_us" in each.measure else "1")
            self.assertIn(each.measure, each.read(text), each.name)

    def test_of_rt_app_late_periods_count_and_the_wake_ups_of_others(self) -> None:
        figures = programs.read_app(APP)
        self.assertEqual(figures, {"late": 2, "periods": 4, "compile_cpu_s": 1.5, "p99_us": 900, "max_us": 900})
        late = '[[-20, 0]]'
        self.assertNotIn("p99_us", programs.read_app(re.sub(r"\[\[.*\]\]", late, APP)))
        with self.assertRaises(CompareError):
            programs.read_app(re.sub(r"\[\[.*\]\]", "[]", APP))

    def test_of_rt_app_logs_become_rows(self) -> None:
        lines = programs.app(1, True).splitlines()
        first = next(i for i, line in enumerate(lines) if line.startswith("rows="))
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a", "b"):
                Path(folder, f"{name}.log").write_text(
                    f"# policy : {name}\n#idx perf run period slack c_period wu_lat\n"
                    "0 1 2 3 55 16667 7\n0 1 2 3 1 0 99\n\n0 1 2 3 -4 16667 0\n"
                )
            script = "\n".join(lines[first : first + 3]).replace(programs.LOGS, folder) + '\necho "[$rows]"'
            said = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(json.loads(said), [[55, 7], [-4, 0]] * 2)

    def test_of_timers_the_histogram_counts(self) -> None:
        figures = programs.read_timers(TIMERS)
        self.assertEqual(figures, {"p50_us": 5, "p99_us": 70, "max_us": 71, "avg_us": 6.3})

    def test_of_a_compile_time_and_the_agents_share_count(self) -> None:
        self.assertEqual(programs.read_compile(COMPILE), {"ms": 2000, "agent_percent": 2.5})
        self.assertEqual(programs.read_compile(COMPILE.replace("100000000", "0")), {"ms": 2000})

    def test_of_the_scheduler_the_difference_counts(self) -> None:
        figures = programs.read_own_cost(COST)
        self.assertEqual(figures["units"], 12)
        self.assertAlmostEqual(figures["agent_percent"], 2.5)  # 100 ms of 2 s on 2 CPUs
        self.assertAlmostEqual(figures["instructions"], 50_000)  # 50 million for 1000
        self.assertAlmostEqual(figures["decisions_per_s"], 500)
        without = programs.read_own_cost(COST.replace("[100, 7, 5]", "[0, 0, 5]").replace("[100000100, 1007, ", "[0, 0, "))
        self.assertEqual(without, {"units": 12})
        self.assertEqual(set(programs.read_tasks_cost(COST)), {"units", "agent_percent"})
        uncounted = programs.read_own_cost(COST.replace("1007", "7"))
        self.assertEqual(set(uncounted), {"units", "agent_percent"})

    def test_rt_app_runs_as_long_as_its_load(self) -> None:
        for quick in (False, True):
            script = body(ALL["video"], 1, quick)
            self.assertIn(f'"duration": {programs.seconds(quick)}', script)
            self.assertIn(f"--seconds {programs.seconds(quick)}", script)
            self.assertIn('"calibration": "CALIBRATION"', script)

    def test_decisions_are_counted(self) -> None:
        ours = '[{"value": {\n"shm": {\n"counter": [{N0},5,6\n"counter": [{N1},5,6\n"counter": [9000,5\n'
        others = '"nr_user_dispatches": 77\n"nr_kernel_dispatches": {N0}\n"nr_cancel_dispatches": {N1}\n'
        inserted = "  inserted__scx_bpf_dsq_insert_vtime   500   0\n  insertedscx_bpf_dsq_insert_vtime  20  0\n"
        for text, hits, expected in ((ours, "", 7 + 30), (others, inserted, 520 - 7 - 30)):
            with tempfile.TemporaryDirectory() as folder:
                dump, profile = Path(folder, "dump"), Path(folder, "profile")
                dump.write_text(text.replace("{N0}", "7").replace("{N1}", "30"))
                profile.write_text(hits)
                script = f"""
scheduler=
{programs.COUNTERS}
bpftool() {{ cat {dump}; }}
nproc() {{ echo 2; }}
agent_ns() {{ echo 5; }}
counters_map=1 inserted_file={profile}
counters"""
                said = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout
            self.assertRegex(said, rf"^5, {expected}, \d+\n$")

    def test_the_work_of_all_hogs_counts(self) -> None:
        hogs = {"cpu_seconds": 1.5, "units": 30, "each": [{"nice": 0, "units": 10}, {"nice": 0, "units": 20}]}
        with tempfile.TemporaryDirectory() as folder:
            load = {"pair": {"wakeup": {"count": 4}}, "hogs": hogs, "with": {"runs": 1}}
            Path(folder, "load.json").write_text(json.dumps(load, separators=(",", ":")))
            script = 'say() { echo "$2"; }\nbefore="0, 0, 0" after="0, 0, 1"\n' + programs.SAY_COST
            said = subprocess.run(["bash", "-c", script], cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(programs.read_own_cost(said), {"units": 30})

    def test_bodies_attach_and_detach(self) -> None:
        for each in ALL.values():
            for quick in (False, True):
                lines = body(each, 5, quick).splitlines()
                self.assertEqual(lines.count("attach_scheduler"), 1, each.name)
                self.assertEqual(lines[0] == "attach_scheduler", each.prepare is None, each.name)
                self.assertEqual(lines[-1], "detach_scheduler", each.name)


class Schedulers(unittest.TestCase):
    def test_unknown_names(self) -> None:
        for name in ("nobody", "scx_cppland:nothing"):
            with self.assertRaises(CompareError) as caught, mock.patch.object(schedulers, "parse_scheduler"):
                schedulers.find([name])
            self.assertEqual(caught.exception.status, 2)

    def test_a_path_that_is_not_there_is_an_entry(self) -> None:
        (entry,) = schedulers.find(["/nonexistent/other"])
        self.assertEqual((entry.name, entry.scheduler), ("other", None))
        self.assertIn("there is no program", entry.missing)

    def test_paths_have_names_of_their_own(self) -> None:
        called = {"/old/other": "other", "/old/scx_cppland": "/old/scx_cppland", "/a/twice": "/a/twice", "/b/twice": "/b/twice"}
        self.assertEqual([entry.name for entry in schedulers.find(list(called))], list(called.values()))

    def test_a_peer_that_cannot_be_built_is_an_entry(self) -> None:
        made = mock.Mock(returncode=77, stdout="")
        with mock.patch.object(schedulers.subprocess, "run", return_value=made):
            (entry,) = schedulers.find(["scx_rustland"])
        self.assertIsNone(entry.scheduler)
        self.assertIn("77", entry.missing)
        table = results.table(of(job("default", 1), LOST | {"failure": entry.missing}))
        self.assertIn("| skipped |", table)


class CommandLine(unittest.TestCase):
    def setUp(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.ran: list[tuple[int, int]] = []

    def _guest(self, guest: Any, text: str, scheduler: Any, _folders: Any = ()) -> Iterator[Event]:
        self.assertIn("attach_scheduler", text)
        self.ran.append((guest.cpus, guest.seed))
        if guest.seed == 9:
            raise CompareError("the guest is gone\n  | more")
        yield Event(FIGURES, "2000")
        yield Event(RSS, "4096")
        yield Event(RELEASE, "7.9.9-test")

    def run_it(self, *arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
            mock.patch.object(cli, "run_in_guest", self._guest), mock.patch.object(cli, "need_program"),
        ):  # fmt: skip
            status = cli.main(["--output", self._folder.name, "--schedulers", "default", *arguments])
        return status, out.getvalue(), err.getvalue()

    def test_runs_and_writes(self) -> None:
        status, out, _ = self.run_it("--workloads", "pipe", "--cpus", "1,2", "--seeds", "3")
        self.assertEqual((status, self.ran), (0, [(1, 3), (2, 3)]))
        self.assertIn("| pipe (ms) | 2 | 2 x1.00 |", out)
        saved = json.loads(Path(self._folder.name, "results.json").read_text())
        self.assertEqual([each["rss_kb"] for each in saved["jobs"]], [4096, 4096])
        for name, words in (("results.html", "<svg"), ("results.md", "## Goals")):
            text = Path(self._folder.name, name).read_text()
            self.assertIn(words, text)
            self.assertIn("Kernel 7 (7.9.9-test)", text)

    def test_resumes_but_tries_failures_again(self) -> None:
        chosen = ("--workloads", "pipe", "--cpus", "1", "--seeds", "3,9")
        status, out, err = self.run_it(*chosen)
        self.assertEqual(status, 0)
        self.assertIn("failed", out)
        self.assertIn("the guest is gone", err)
        self.run_it(*chosen, "--resume")
        self.assertEqual(self.ran, [(1, 3), (1, 9), (1, 9)])

    def test_resumes_from_nothing_but_what_fits(self) -> None:
        chosen = ("--workloads", "pipe", "--cpus", "1", "--seeds", "3")
        self.run_it(*chosen)
        (file,) = Path(self._folder.name, "runs").iterdir()
        good = json.loads(file.read_text())
        for bad in ([], {"figures": {}}, good | {"figures": 5}, good | {"figures": {}}, good | {"seed": 4},
                    good | {"figures": {"ms": "1"}}):  # fmt: skip
            file.write_text(json.dumps(bad))
            self.ran.clear()
            self.assertEqual((self.run_it(*chosen, "--resume")[0], self.ran), (0, [(1, 3)]), bad)

    def test_that_nothing_could_be_measured_is_status_1(self) -> None:
        status, _, err = self.run_it("--workloads", "pipe", "--cpus", "1", "--seeds", "9")
        self.assertEqual(status, 1)
        self.assertIn("nothing could be measured", err)

    def test_paths_that_look_alike_have_files_of_their_own(self) -> None:
        paths = ("/a-b/s", "/a/b/s")
        with mock.patch.object(schedulers, "parse_scheduler"):
            self.run_it("--workloads", "pipe", "--cpus", "1", "--seeds", "3", "--schedulers", ",".join(paths))
        self.assertEqual(len(list(Path(self._folder.name, "runs").iterdir())), 2)

    def test_what_is_not_named_is_left_out_where_it_makes_no_sense(self) -> None:
        self.assertEqual(cli._parse(["--cpus", "16"]).workloads, list(ALL))

    def test_a_quick_run_is_not_taken_for_a_full_one(self) -> None:
        chosen = ("--workloads", "pipe", "--cpus", "1", "--seeds", "3")
        self.run_it(*chosen, "--quick")
        self.run_it(*chosen, "--resume")
        self.assertEqual(len(self.ran), 2)

    def test_workloads_run_where_they_make_sense(self) -> None:
        many = f"tasks-{programs.MANY}"
        self.run_it("--workloads", f"pipe,{many}", "--cpus", "4", "--seeds", "3")
        self.assertEqual(self.ran, [])
        with mock.patch.dict(ALL, {many: dataclasses.replace(ALL["pipe"], name=many, cpus=(1, 2))}):
            self.run_it("--workloads", f"pipe,{many}", "--cpus", "2,4", "--seeds", "3")
        self.assertEqual(self.ran, [(2, 3), (4, 3), (2, 3)])

    def test_refuses(self) -> None:
        for arguments in (
            ("--cpus", "0"), ("--cpus", "65"), ("--cpus", "1,1"), ("--cpus", "1,01"), ("--cpus", "a"), ("--seeds", "-1"),
            ("--workloads", "nothing"), ("--workloads", ""), ("--schedulers", "default,default"),
            ("--schedulers", "nobody"), ("--unknown",),
            ("--workloads", "compile", "--cpus", "16"),
        ):  # fmt: skip
            status, out, err = self.run_it(*arguments)
            self.assertEqual((status, out, len(err.splitlines())), (2, "", 1), arguments)
        self.assertEqual(self.ran, [])

    def test_lists(self) -> None:
        status, out, _ = self.run_it("--list")
        self.assertEqual((status, [line.split()[0] for line in out.splitlines()]), (0, list(ALL)))

    def test_an_output_that_is_no_folder(self) -> None:
        file = Path(self._folder.name, "file")
        file.touch()
        status, _, err = self.run_it("--output", str(file / "x"))
        self.assertEqual((status, len(err.splitlines())), (1, 1))

    def test_the_document_lists_the_options(self) -> None:
        document = (Path(__file__).resolve().parents[2] / "docs" / "benchmark.md").read_text()
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            cli.main(["--help"])
        options = re.findall(r"^  (--\S+)", out.getvalue(), re.MULTILINE)
        self.assertGreater(len(options), 6)
        for option in options:
            self.assertIn(f"`{option}`", document)
        for each in ALL.values():
            self.assertIn(f"| `{each.name}` | {each.summary} |", document)


if __name__ == "__main__":
    unittest.main()
