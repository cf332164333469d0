# SPDX-License-Identifier: GPL-2.0-only
"""Figures out of what a guest has written."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchlib import CompareError  # noqa: E402
from fidelitylib.guest import figures, missed_periods  # noqa: E402
from fidelitylib.trace_test import switch, waking  # noqa: E402
from fidelitylib.workload import Workload  # noqa: E402

# As rt-app 1.0 writes it, with fewer spaces; the third phase has no timer.
LOG = """\
# Policy : SCHED_OTHER priority : -19
#idx     perf      run   period        start          end       rel_st      slack c_duration   c_period     wu_lat
   0        0        0       14      9173337      9173351        11924      -4488          0       6000          0
   0        0        0     6015      9173353      9179368        11940       5997          0       6000         17
   1    13586     5307    27363     21184065     21211428         3269          0       5000          0          0
"""
HEAD = "# entries-in-buffer/entries-written: {}/9   #P:1\n"


class OfAGuest(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.logs = Path(holder.name)
        self.workload = Workload("w", {"tick": {}, "tick-tack": {}, "a name that is long": {}})

    def write_trace(self, *lines: str, entries: int = 9) -> None:
        (self.logs / "trace").write_text(HEAD.format(entries) + "".join(lines))

    def test_each_timer_is_a_period(self) -> None:
        self.assertEqual(list(missed_periods(LOG)), [True, False])

    def test_classes_and_all_but_the_hogs(self) -> None:
        self.write_trace(
            waking(1000, "tick", 7), switch(3000, 1, "R", "tick", 7), switch(4000, 7, "S", "hog", 1),
            waking(5000, "a name that is ", 8), switch(9000, 1, "R", "a name that is ", 8),
            waking(9000, "hog", 1), switch(90000, 8, "S", "hog", 1),
        )  # fmt: skip
        for log in ("log-tick-0.log", "log-tick-1.log", "log-tick-tack-2.log"):
            (self.logs / log).write_text(LOG)
        found = figures(self.workload, self.logs, 1000, (0, 1))
        self.assertEqual([found["classes"][name]["p50_us"] for name in ("tick", "a name that is long", "hog")],
                         [2, 4, 81])  # fmt: skip
        self.assertEqual(found["classes"]["tick"]["periods"], 4)
        self.assertEqual(found["classes"]["tick-tack"]["periods"], 2)
        self.assertEqual(found["all"], {"wakeups": 2, "p50_us": 2, "p99_us": 4, "max_us": 4, "periods": 6, "missed": 3})

    def test_wake_ups_of_the_start_and_of_the_end_do_not_count(self) -> None:
        waits = [(1000, 9000), (2500, 2600), (12000, 15000), (21000, 29000)]
        self.write_trace(
            *(line for begin, end in waits
              for line in (waking(begin, "tick", 7), switch(end, 1, "R", "tick", 7), switch(end + 1, 7, "S", "hog", 1))),
        )  # fmt: skip
        found = figures(self.workload, self.logs, 1, (0.002, 0.02))
        self.assertEqual([found["all"][name] for name in ("wakeups", "max_us")], [1, 3000])

    def test_a_trace_that_is_not_whole_is_refused(self) -> None:
        self.write_trace(entries=8)
        with self.assertRaisesRegex(CompareError, "buffer is too small"):
            figures(self.workload, self.logs, 1000, (0, 1))


if __name__ == "__main__":
    unittest.main()
