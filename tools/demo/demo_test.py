# SPDX-License-Identifier: GPL-2.0-only
"""What the demo refuses to do, and what it compiles."""

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

sys.path.append(str(Path(__file__).resolve().parent.parent))

import demo  # noqa: E402
from benchlib import CompareError  # noqa: E402
from benchlib.job import Scheduler  # noqa: E402
from vmlib.layers import TOOLCHAIN_PACKAGES  # noqa: E402

CPPLAND = Scheduler("scx_cppland", "scx_cppland")


def status_and_message(*arguments: str) -> tuple[int, str]:
    with contextlib.redirect_stderr(io.StringIO()) as said:
        return demo.main(["--check", *arguments]), said.getvalue()


class Options(unittest.TestCase):
    def test_good_ones(self) -> None:
        for arguments in ((), ("--quick", "--cpus", "4"), ("--policy", "fifo"), ("--json", "/dev/null")):
            self.assertEqual(status_and_message(*arguments), (0, ""))

    def test_bad_ones_are_status_2_and_one_line(self) -> None:
        for arguments, word in (
            (("--cpus", "0"), "--cpus"), (("--cpus", "x"), "--cpus"), (("--seconds", "nan"), "--seconds"),
            (("--seconds", "inf"), "--seconds"), (("--json", "/nowhere/x"), "/nowhere/x"), (("--json", "/"), "--json"),
            (("--rounds", "-1"), "--rounds"), (("--nonsense",), "--nonsense"), (("stray",), "stray"),
            (("--yes",), "--here"), (("--here", "--cpus", "2"), "--cpus"), (("--here", "--kernel", "7"), "--kernel"),
            (("--scheduler", "scx_x", "--policy", "fifo"), "--policy"),
        ):  # fmt: skip
            status, message = status_and_message(*arguments)
            self.assertEqual(status, 2, arguments)
            self.assertIn(word, message)
            self.assertEqual(message.count("\n"), 1, message)

    def test_a_policy_that_the_scheduler_refuses(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "scx_cppland")
            program.write_text('#!/bin/sh\n[ "$1" = --policy=fifo ] || { echo "scx_cppland: no $1" >&2; exit 2; }\n')
            program.chmod(0o755)
            with mock.patch.object(demo, "need_program", lambda _: program):
                demo._check_policy("fifo")
                with self.assertRaisesRegex(CompareError, "^no --policy=lifo$") as caught:
                    demo._check_policy("lifo")
        self.assertEqual(caught.exception.status, 2)

    def test_quick_measures_less(self) -> None:
        full, quick = demo._parse([]), demo._parse(["--quick"])
        self.assertLess(quick.rounds * quick.seconds, full.rounds * full.seconds / 2)


class ThisMachine(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        for patch in (mock.patch.object(demo, "SCHED_EXT", self.folder), mock.patch("os.geteuid", lambda: 0)):
            patch.start()
            self.addCleanup(patch.stop)

    def test_an_idle_sched_ext_will_do(self) -> None:
        (self.folder / "state").write_text("disabled\n")
        demo._check_this_machine(replaces=True)
        self.assertEqual(status_and_message("--here", "--yes"), (0, ""))

    def test_another_scheduler_is_not_pushed_aside(self) -> None:
        (self.folder / "root").mkdir()
        (self.folder / "root" / "ops").write_text("lavd_1.0\n")
        (self.folder / "state").write_text("enabled\n")
        with self.assertRaisesRegex(CompareError, "lavd_1.0"):
            demo._check_this_machine(replaces=True)
        demo._check_this_machine(replaces=False)

    def test_a_kernel_without_sched_ext_is_noticed_before_a_build(self) -> None:
        with mock.patch.object(demo, "SCHED_EXT", self.folder / "none"):
            status, message = status_and_message("--here")
        self.assertEqual(status, 1)
        self.assertIn("no sched_ext", message)
        self.assertEqual(message.count("\n"), 1, message)

    def test_only_root(self) -> None:
        with mock.patch("os.geteuid", lambda: 1000), self.assertRaisesRegex(CompareError, "root"):
            demo._check_this_machine(replaces=True)

    def test_nobody_to_ask_is_a_no(self) -> None:
        with mock.patch.object(sys, "stdin", io.StringIO("y\n")), self.assertRaisesRegex(CompareError, "--yes"):
            demo._agreed(CPPLAND)

    def test_ctrl_d_is_a_no(self) -> None:
        with mock.patch.object(sys, "stdin", mock.Mock(isatty=lambda: True)):
            with mock.patch("builtins.input", side_effect=EOFError), contextlib.redirect_stderr(io.StringIO()):
                self.assertFalse(demo._agreed(CPPLAND))

    def test_only_yes_is_yes(self) -> None:
        for answer, agreed in (("y", True), ("YES", True), ("", False), ("n", False), ("yep", False)):
            with mock.patch.object(sys, "stdin", mock.Mock(isatty=lambda: True)):
                with mock.patch("builtins.input", lambda _, answer=answer: answer):
                    self.assertEqual(demo._agreed(CPPLAND), agreed, answer)


class Compile(unittest.TestCase):
    def test_the_virtual_machine_has_every_header(self) -> None:
        listing = subprocess.check_output(["dpkg", "-L", *TOOLCHAIN_PACKAGES], text=True)
        toolchain = {os.path.realpath(path) for path in listing.splitlines()}
        taken = tuple(f"{folder}/" for folder in demo.COMPILED)
        objects, jobs = self.compile("g++ -M")
        self.assertGreater(len(objects), 4)
        self.assertEqual(jobs, len(objects))
        for text in objects:
            source, *headers = text.partition(":")[2].replace("\\\n", " ").split()
            for header in (os.path.realpath(demo.ROOT / header) for header in headers):
                if header not in toolchain:
                    self.assertTrue(header.startswith(taken), f"{source} includes {header}")

    def compile(self, compiler: str) -> tuple[list[str], int]:
        """What COMPILER writes instead of objects, and how many jobs are counted."""
        with tempfile.TemporaryDirectory() as folder:
            counted = Path(folder, "jobs")
            make = ["make", "-s", "-C", str(demo.ROOT), "-f", str(demo.COMPILE / "Makefile")]
            environment = {**os.environ, "CPPLAND_LOAD_JOBS": str(counted)}
            subprocess.run([*make, f"CXX={compiler}", f"OBJECTS={folder}"], env=environment, check=True)
            return [path.read_text() for path in Path(folder).rglob("*.o")], counted.stat().st_size


if __name__ == "__main__":
    unittest.main()
