# SPDX-License-Identifier: GPL-2.0-only
"""Latencies out of lines as the kernel prints them."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from fidelitylib.trace import Wait, is_whole, waits  # noqa: E402


def waking(ticks: int, task: str, pid: int) -> str:
    return f"   hog-256     [000] d.h2.  {ticks}: sched_waking: comm={task} pid={pid} prio=101 target_cpu=000\n"


def switch(ticks: int, previous: int, state: str, task: str, pid: int) -> str:
    return (
        f"          a b-{previous}     [001] d..2.  {ticks}: sched_switch: prev_comm=a b prev_pid={previous}"
        f" prev_prio=101 prev_state={state} ==> next_comm={task} next_pid={pid} next_prio=101\n"
    )


class Latencies(unittest.TestCase):
    def found(self, *lines: str) -> list[Wait]:
        return list(waits(lines))

    def test_lines_of_a_kernel(self) -> None:
        lines = [
            "# tracer: nop\n",
            "             hog-256     [000] d.h2.  10436845106: sched_waking: comm=AudioTick pid=248 prio=101"
            " target_cpu=000\n",
            "             hog-256     [000] d..2.  10436857954: sched_switch: prev_comm=hog prev_pid=256 prev_prio=120"
            " prev_state=R ==> next_comm=AudioTick next_pid=248 next_prio=101\n",
        ]
        self.assertEqual(self.found(*lines), [Wait("AudioTick", 10436845106, 10436857954)])

    def test_names_may_hold_anything(self) -> None:
        found = self.found(waking(5, "a pid=3 b", 9), switch(8, 1, "R+", "a pid=3 b", 9))
        self.assertEqual(found, [Wait("a pid=3 b", 5, 8)])

    def test_other_switches_in_between_are_waiting(self) -> None:
        found = self.found(waking(5, "t", 9), switch(6, 1, "S", "u", 2), switch(8, 2, "R", "t", 9))
        self.assertEqual(found, [Wait("t", 5, 8)])

    def test_a_preempted_task_was_not_woken(self) -> None:
        self.assertEqual(self.found(switch(1, 9, "R", "u", 2), switch(8, 2, "R", "t", 9)), [])

    def test_the_first_of_two_wake_ups_counts(self) -> None:
        found = self.found(waking(5, "t", 9), waking(7, "t", 9), switch(8, 2, "R", "t", 9))
        self.assertEqual(found, [Wait("t", 5, 8)])

    def test_that_holds_for_one_that_ran_before(self) -> None:
        lines = [switch(1, 2, "R", "t", 9), switch(3, 9, "S", "u", 2), waking(5, "t", 9), waking(7, "t", 9)]
        self.assertEqual(self.found(*lines, switch(8, 2, "R", "t", 9)), [Wait("t", 5, 8)])

    def test_who_runs_and_does_not_block_did_not_wait(self) -> None:
        lines = [switch(1, 2, "R", "t", 9), waking(5, "t", 9), switch(6, 9, "R", "u", 2), switch(8, 2, "R", "t", 9)]
        self.assertEqual(self.found(*lines), [])

    def test_woken_on_the_way_to_sleep_waits_from_when_it_has_left_its_cpu(self) -> None:
        lines = [switch(1, 2, "R", "t", 9), waking(5, "t", 9), switch(6, 9, "S", "u", 2), switch(8, 2, "R", "t", 9)]
        self.assertEqual(self.found(*lines), [Wait("t", 6, 8)])

    def test_a_later_wake_up_counts_if_the_early_one_changed_nothing(self) -> None:
        lines = [
            switch(1, 2, "R", "t", 9), waking(2, "t", 9), switch(50, 9, "S", "u", 2), waking(90, "t", 9),
            switch(98, 2, "R", "t", 9), switch(99, 9, "S", "u", 2), switch(120, 2, "R", "t", 9),
        ]  # fmt: skip
        self.assertEqual(self.found(*lines), [Wait("t", 90, 98)])


class Buffer(unittest.TestCase):
    def test_whole_if_all_that_was_written_is_there(self) -> None:
        head = "# tracer: nop\n#\n# entries-in-buffer/entries-written: {}/{}   #P:1\n#\n"
        self.assertTrue(is_whole(head.format(14143, 14143).splitlines()))
        self.assertFalse(is_whole(head.format(14143, 14144).splitlines()))

    def test_no_trace_is_not_whole(self) -> None:
        self.assertFalse(is_whole([]))


if __name__ == "__main__":
    unittest.main()
