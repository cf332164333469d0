#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What scx_cppland says to bad command lines, and to a kernel without sched_ext; what cppland-load says to a full disk,
and cppland-chaos and tests/vm/run to bad command lines. Needs no virtual machine.

The programs are in $CPPLAND_BUILD/bin (default: build/release/bin)."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = Path(os.environ.get("CPPLAND_BUILD") or ROOT / "build" / "release") / "bin"
PROGRAM = PROGRAMS / "scx_cppland"
TRY = "Try 'scx_cppland --help'."

# What is wrong, and what the message must name.
BAD_FLAGS = [
    (["-s", "0"], "--slice-us"),
    (["-s", "-1"], "--slice-us"),
    (["-s", "abc"], "--slice-us"),
    (["-s", ""], "--slice-us"),
    (["-s", "1.5"], "--slice-us"),
    (["-s", "1000x"], "--slice-us"),
    (["-s", "1000001"], "--slice-us"),
    (["-s", "99999999999999999999"], "--slice-us"),
    (["-s"], "--slice-us"),
    (["--slice-us=0"], "--slice-us"),
    (["-s", "2000", "-s", "3000"], "--slice-us"),
    (["-S", "0"], "--slice-us-min"),
    (["-S", "-5"], "--slice-us-min"),
    (["-S", "many"], "--slice-us-min"),
    (["-S"], "--slice-us-min"),
    (["-s", "1000", "-S", "1001"], "--slice-us-min"),
    (["-S", "20001"], "--slice-us-min"),
    (["--policy", "lifo"], "--policy"),
    (["--policy", ""], "--policy"),
    (["--policy"], "--policy"),
    (["--max-wait-ms", "9"], "--max-wait-ms"),
    (["--max-wait-ms", "2001"], "--max-wait-ms"),
    (["--exit-dump-len", "-1"], "--exit-dump-len"),
    (["--exit-dump-len", "long"], "--exit-dump-len"),
    (["--exit-dump-len", "16777217"], "--exit-dump-len"),
    (["--exit-dump-len"], "--exit-dump-len"),
    (["--percpu-local=perhaps"], "--percpu-local"),
    (["--numa-local=perhaps"], "--numa-local"),
    (["--partial=perhaps"], "--partial"),
    (["--verbose=perhaps"], "--verbose"),
    (["--relaxed-maps=perhaps"], "--relaxed-maps"),
    (["--pin-root-path"], "--pin-root-path"),
    (["--kconfig", "/nowhere"], "--kconfig"),
    (["--kconfig", "/"], "--kconfig"),
    (["--kconfig"], "--kconfig"),
    (["--btf-custom-path", "/nowhere"], "--btf-custom-path"),
    (["--btf-custom-path", "/"], "--btf-custom-path"),
    (["--bpf-token-path", "/nowhere"], "--bpf-token-path"),
    (["--force"], "--force"),
    (["--no-such-flag"], "--no-such-flag"),
    (["-z"], "-z"),
    (["-lz"], "-z"),
    (["--slice"], "--slice"),
    (["surplus"], "surplus"),
    (["--version", "surplus"], "surplus"),
]
BAD_TIMEOUTS = ["", "soon", "0", "-1", "999", "30001", "5000ms", "1e4", "99999999999999999999"]

# The flags that need no statistics.
FLAGS = [
    "-s,--slice-us", "-S,--slice-us-min", "-l,--percpu-local", "-n,--numa-local", "-p,--partial", "--max-wait-ms",
    "--exit-dump-len", "--no-sandbox", "--upgrade", "--force",
    "-v,--verbose", "-V,--version", "-h,--help", "--relaxed-maps", "--pin-root-path", "--kconfig", "--btf-custom-path",
    "--bpf-token-path", "--policy",
]  # fmt: skip


def run(arguments, **variables):
    environment = {name: value for name, value in os.environ.items() if name != "SCX_TIMEOUT_MS"}
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        env={**environment, **variables}, check=False,
    )  # fmt: skip


class CommandLine(unittest.TestCase):
    def refuses(self, done, named):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 2, done.stderr)
        self.assertTrue(lines[0].startswith("scx_cppland: "), lines[0])
        self.assertRegex(lines[0], rf"(?<![\w-]){re.escape(named)}(?![\w-])")
        self.assertEqual(lines[1], TRY)

    def test_bad_flags_are_refused_by_name(self):
        for arguments, named in BAD_FLAGS:
            with self.subTest(arguments=arguments):
                self.refuses(run(arguments), named)

    def test_bad_timeouts_are_refused(self):
        for value in BAD_TIMEOUTS:
            with self.subTest(SCX_TIMEOUT_MS=value):
                self.refuses(run([], SCX_TIMEOUT_MS=value), "SCX_TIMEOUT_MS")

    def test_help_names_every_flag(self):
        for flag in ("-h", "--help"):
            done = run([flag])
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for name in FLAGS:
                with self.subTest(name=name):
                    self.assertRegex(done.stdout, rf"(?m)^  {re.escape(name)}(?![\w-])")

    def test_help_names_every_policy(self):
        text = run(["--help"]).stdout
        for policy in ("deadline", "eevdf", "edf", "mlfq", "lottery", "fifo"):
            self.assertRegex(text, rf"(?m)^ +{policy}: \w")

    def test_version_is_name_version_target(self):
        for flag in ("-V", "--version"):
            done = run([flag])
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\Ascx_cppland version \d+\.\d+\.\d+ \w+_linux_gnu\n\Z")

    @unittest.skipIf(Path("/sys/kernel/sched_ext").exists(), "this kernel has sched_ext")
    def test_a_kernel_without_sched_ext_is_one_message(self):
        for arguments in ([], ["--partial", "-v"], ["-s", "5000", "-S", "500", "--policy", "fifo"]):
            with self.subTest(arguments=arguments):
                done = run(arguments)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, r"\Ascx_cppland: [^\n]*no sched_ext[^\n]*\n\Z")


@unittest.skipUnless((PROGRAMS / "cppland-load").exists(), "built without benchmarks")
class Load(unittest.TestCase):
    def test_figures_that_cannot_be_written_are_a_failure(self):
        short = ["--frames=1", "--seconds=0.01", "--warmup=0", "--loops-per-us=100"]
        for arguments in (short, [*short, "--json=-"], ["--calibrate"], ["--help"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                done = subprocess.run(
                    [PROGRAMS / "cppland-load", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
                    check=False,
                )  # fmt: skip
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr, "cppland-load: writing to stdout: No space left on device\n")


class Chaos(unittest.TestCase):
    PLANS = ROOT / "tests" / "chaos" / "regressions"

    def run_chaos(self, *arguments):
        return subprocess.run(
            [PROGRAMS / "cppland-chaos", *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    def test_a_plan_that_says_something_else_is_refused(self):
        plan = json.loads((self.PLANS / "seed-57.json").read_text())
        hog = plan["tasks"][0]
        for wrong in (
            {"nr_cpu": 2},
            {"shape": "round"},
            {"seed": 1.5},
            {"interleave_percent": 101},
            {"duration_us": -1},
            {"duration_us": 60_000_001},
            {"tasks": [{**hog, "kind": "hgo"}]},
            {"tasks": [{**hog, "nice": 20}]},
            {"steps": [{"at_us": 1, "what": "no-such-thing", "task": 0, "value": 0, "cpus": ""}]},
        ):
            with self.subTest(wrong=wrong), tempfile.TemporaryDirectory() as folder:
                Path(folder, "plan.json").write_text(json.dumps({**plan, **wrong}))
                done = self.run_chaos("--replay", folder)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertRegex(done.stderr, r"\Acppland-chaos: \S+plan\.json: no plan of a chaotic run: [^\n]+\n\Z")

    def test_a_folder_without_plans_is_a_failure(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.run_chaos("--replay", folder).returncode, 1)

    def test_flags_that_do_not_go_together_are_refused(self):
        self.assertEqual(self.run_chaos("--replay", self.PLANS, "--seeds=1").returncode, 2)
        self.assertEqual(self.run_chaos("--tell").returncode, 2)

    def test_the_last_seed_there_is_has_none_after_it(self):
        done = self.run_chaos("--seeds", str(2**64 - 1))
        self.assertEqual((done.returncode, done.stdout), (0, "1 seeds, no promise broken\n"))


class Run(unittest.TestCase):
    def refusal(self, *arguments):
        done = subprocess.run(
            [ROOT / "tests" / "vm" / "run", *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        return done.stderr

    def test_only_the_check_is_required(self):
        self.assertRegex(self.refusal(), r"required: CHECK\n\Z")

    def test_a_missing_build_is_refused(self):
        self.assertIn("there is no folder '/nowhere/bin'", self.refusal("--build", "/nowhere", "flags"))


if __name__ == "__main__":
    unittest.main()
