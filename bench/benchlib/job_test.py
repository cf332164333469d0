# SPDX-License-Identifier: GPL-2.0-only
"""Running a job here, with a scheduler that fails in several ways; no virtual machine, no sched_ext."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True
BENCH = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BENCH))

from benchlib import CompareError  # noqa: E402
from benchlib.job import Event, Guest, Scheduler, parse_scheduler, run_here, run_in_guest  # noqa: E402


def events(body: str, command: str = "") -> list[Event]:
    return list(run_here(body, Scheduler(command, "x")))


class Kernel:
    """Files in place of the kernel's in /sys/kernel/sched_ext, and a scheduler that writes them."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder)
        (self.path / "root").mkdir()
        (self.path / "state").write_text("disabled\n")
        (self.path / "enable_seq").write_text("4\n")

    def body(self, text: str) -> str:
        return f"sched_ext={self.path}\n{text}"

    def scheduler(self, at_the_end: str) -> str:
        """A command that attaches; AT_THE_END is what it does on SIGINT."""
        program = self.path / "scheduler"
        program.write_text(
            f"cd {self.path}\necho starting\ntrap 'echo disabled >state; {at_the_end}' INT\n"
            "echo x_1.0 >root/ops; echo enabled >state; echo 5 >enable_seq\n"
            "while :; do sleep 0.01; done\n"
        )
        return f"bash {program}"


class RunningHere(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.kernel = Kernel(holder.name)

    def refusal(self, body: str, command: str) -> str:
        with self.assertRaises(CompareError) as caught:
            events(self.kernel.body(body), command)
        return str(caught.exception)

    def test_events_come_in_order_and_other_output_goes_to_stderr(self) -> None:
        with contextlib.redirect_stderr(io.StringIO()) as other:
            heard = events('say one "two  words"; echo plain; say three')
        self.assertEqual(heard, [Event("one", "two  words"), Event("three", "")])
        self.assertEqual(other.getvalue(), "plain\n")

    def test_a_failing_job_is_an_error(self) -> None:
        with self.assertRaisesRegex(CompareError, "status 7"):
            events("exit 7")

    def test_a_good_scheduler_is_attached_and_stopped(self) -> None:
        heard = events(self.kernel.body("attach_scheduler; say now; detach_scheduler"), self.kernel.scheduler("exit 0"))
        self.assertEqual([event.kind for event in heard], ["attached", "now", "detached"])
        self.assertEqual(heard[0].text, "x_1.0")

    def test_one_that_ends_early_is_shown_with_what_it_wrote(self) -> None:
        message = self.refusal("attach_scheduler", "sh -c 'echo no such flag >&2; exit 2'")
        self.assertIn("ended with status 2 before it was attached", message)
        self.assertIn("| no such flag", message)

    def test_an_unclean_end_is_an_error(self) -> None:
        message = self.refusal("attach_scheduler; detach_scheduler", self.kernel.scheduler("exit 1"))
        self.assertIn("ended with status 1 after SIGINT", message)

    def test_an_ejection_is_an_error_even_if_it_attached_again(self) -> None:
        ejected = 'attach_scheduler; echo 6 >"$sched_ext/enable_seq"; detach_scheduler'
        self.assertIn("ejected", self.refusal(ejected, self.kernel.scheduler("exit 0")))

    def test_the_scheduler_does_not_outlive_a_job_that_fails(self) -> None:
        mark = self.kernel.path / "ended"
        self.refusal("attach_scheduler; false", self.kernel.scheduler(f"touch {mark}; exit 0"))
        self.assertTrue(mark.exists())


class SchedulerCommand(unittest.TestCase):
    def test_none_is_the_kernels_own(self) -> None:
        self.assertEqual(parse_scheduler("none").command, "")

    def test_a_path_is_taken_into_the_guest(self) -> None:
        scheduler = parse_scheduler("/bin/sh -c 'a b'")
        self.assertEqual(scheduler.name, "sh")
        self.assertEqual(scheduler.command, "/bin/sh -c 'a b'")
        self.assertEqual(scheduler.program, Path(os.path.realpath("/bin/sh")))

    def test_a_path_is_not_taken_for_the_builds_program(self) -> None:
        def run(arguments: Sequence[str]) -> Iterator[Event]:
            yield Event("script", Path(arguments[arguments.index("--") - 1].partition(":")[0]).read_text())

        with mock.patch("benchlib.job._run", run):
            (script,) = run_in_guest(Guest(), "", parse_scheduler("/bin/sh -x"))
        self.assertRegex(script.text, r"attach \S+ '/root/\w+ -x'")

    def test_nonsense_is_refused(self) -> None:
        for text in ("", "'", "/nonexistent/scx", "scx_no_such_program"):
            with self.assertRaises(CompareError):
                parse_scheduler(text)


class Commands(unittest.TestCase):
    def test_a_signal_ends_what_was_started(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            program = (
                "import signal, sys; sys.path.insert(0, sys.argv[1])\n"
                "signal.signal(int(sys.argv[2]), signal.SIG_DFL)\n"  # nohup ignores SIGHUP, and so do its children
                "from benchlib.cli import run_command\nfrom benchlib.job import Scheduler, run_here\n"
                "def command():\n  for each in run_here(sys.argv[3], Scheduler('', 'x')): print(each.text, flush=True)\n"
                "sys.exit(run_command('x', command))\n"
            )
            # Bash hears of a signal at once while it waits, not while it starts a program.
            body = "sleep 600 & say pid $$; wait"
            command = [sys.executable, "-c", program, BENCH, str(int(number)), body]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout
                child = int(process.stdout.readline())
                process.send_signal(number)
                self.assertEqual(process.wait(30), 128 + number)
            with self.assertRaises(ProcessLookupError):
                os.kill(child, 0)

    def test_closed_standard_output_is_one_message(self) -> None:
        done = subprocess.run(
            ["bash", "-c", 'exec "$0" --list >&-', BENCH / "run"], stderr=subprocess.PIPE, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (1, "bench/run: standard output is closed\n"))


class LatencyVm(unittest.TestCase):
    def test_bad_options_are_status_2_and_one_line(self) -> None:
        for arguments, word in (
            (("--json", "/nowhere/figures"), "/nowhere/figures"), (("--json", "/"), "--json"),
            (("--seconds", "nan"), "--seconds"), (("--seconds", "inf"), "--seconds"), (("--seconds", "0"), "--seconds"),
            (("--frame-work-us", "nan"), "--frame-work-us"), (("--seeds", "1,1"), "--seeds"),
        ):  # fmt: skip
            done = subprocess.run([BENCH / "latency_vm", *arguments], capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(word, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


if __name__ == "__main__":
    unittest.main()
