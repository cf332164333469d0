# SPDX-License-Identifier: GPL-2.0-only
"""What the demo makes of figures."""

import sys
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "bench")]

from outcome import as_json, outcome_of, table, verdict  # noqa: E402


def run(frame: float = 1000, audio: float = 500, pair: float = 100, missed: int = 10, cpu_seconds: float = 20,
        units: int = 4000) -> dict[str, Any]:  # fmt: skip
    """One run's JSON, where each class has one latency only."""
    def periodic(latency: float, missed: int) -> dict[str, Any]:
        return {"wakeup": {"cells": [[latency, 100]]}, "periods": 600, "missed": missed}

    return {
        "seconds": 10.0,
        "frame": periodic(frame, missed),
        "audio": periodic(audio, 0),
        "pair": {"wakeup": {"cells": [[pair, 300]]}, "round_trip": {"cells": [[2 * pair, 300]]}},
        "hogs": {"units": units},
        "with": {"cpu_seconds": cpu_seconds},
    }  # fmt: skip


def sentence(before: dict[str, Any], after: dict[str, Any]) -> str:
    return verdict(outcome_of([before]), outcome_of([after]), "scx_x")


class OutcomeOfRuns(unittest.TestCase):
    def test_several_runs_are_one_distribution(self) -> None:
        both = outcome_of([run(frame=1000, missed=1), run(frame=3000, missed=4)])
        frame = both.classes["frame"]
        self.assertEqual(frame.wakeup.count, 200)
        self.assertEqual(frame.wakeup.quantile(0.5), 1000)
        self.assertEqual(frame.wakeup.quantile(0.99), 3000)
        self.assertEqual((frame.missed, frame.periods), (5, 1200))

    def test_work_is_a_rate(self) -> None:
        both = outcome_of([run(units=4000, cpu_seconds=20), run(units=2000, cpu_seconds=10)])
        self.assertEqual(both.hog_units_per_second, 300)
        self.assertEqual(both.compile_cpu_seconds_per_minute, 90)

    def test_json_has_deadlines_only_where_there_are_some(self) -> None:
        figures = as_json(outcome_of([run()]))
        self.assertEqual(figures["frame"]["missed"], 10)
        self.assertNotIn("missed", figures["pair"])
        self.assertEqual(figures["pair"]["round_trip"]["p99_us"], 200)


class Table(unittest.TestCase):
    def lines(self, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        text = table(outcome_of([before]), outcome_of([after]), "scx_x")
        return [" ".join(line.split()) for line in text.splitlines()]

    def test_shows_both_and_the_ratio(self) -> None:
        lines = self.lines(run(frame=4000, missed=30), run(frame=1000, missed=3))
        self.assertEqual(lines[0], "kernel's own scx_x ratio")
        self.assertIn("wake-up p99 (us) 4,000 1,000 x0.25", lines)
        self.assertIn("missed deadlines 30 of 600 3 of 600 x0.10", lines)
        self.assertIn("round trip max (us) 200 200 x1.00", lines)
        self.assertIn("hog units / s 400 400 x1.00", lines)
        self.assertIn("compile CPU s / min 120 120 x1.00", lines)

    def test_nothing_is_no_unit_of_comparison(self) -> None:
        lines = self.lines(run(missed=0), run(missed=5))
        self.assertIn("missed deadlines 0 of 600 5 of 600 -", lines)

    def test_columns_are_aligned(self) -> None:
        text = table(outcome_of([run(frame=1e7)]), outcome_of([run(frame=1e5)]), "a_very_long_scheduler_name")
        widths = {len(line) for line in text.splitlines() if line.startswith(("  ", "    "))}
        self.assertEqual(len(widths), 1, text)


class Verdict(unittest.TestCase):
    def test_better(self) -> None:
        text = sentence(run(frame=4000, missed=30, cpu_seconds=20), run(frame=1000, missed=0, cpu_seconds=19))
        self.assertTrue(text.startswith("Better for the interactive tasks: under scx_x"), text)
        self.assertIn("frame 4.0 times shorter, audio the same, pair the same", text)
        self.assertIn("frame 30 -> 0, audio 0 -> 0;", text)
        self.assertIn("hogs unchanged, compile's CPU time -5.0 %.", text)

    def test_worse(self) -> None:
        text = sentence(run(pair=100), run(pair=150))
        self.assertTrue(text.startswith("Worse for the interactive tasks"), text)
        self.assertIn("pair 1.5 times as long", text)

    def test_more_missed_deadlines_are_worse_even_with_shorter_latencies(self) -> None:
        self.assertTrue(sentence(run(missed=10), run(frame=500, missed=50)).startswith("Mixed"))

    def test_one_class_better_and_one_worse_is_mixed(self) -> None:
        self.assertTrue(sentence(run(), run(frame=100, audio=5000)).startswith("Mixed"))

    def test_small_changes_are_none(self) -> None:
        text = sentence(run(), run(frame=1040, audio=480))
        self.assertTrue(text.startswith("No difference"), text)

    def test_more_background_work_does_not_make_up_for_latency(self) -> None:
        text = sentence(run(), run(frame=9000, cpu_seconds=40, units=8000))
        self.assertTrue(text.startswith("Worse"), text)
        self.assertIn("hogs +100.0 %, compile's CPU time +100.0 %", text)


if __name__ == "__main__":
    unittest.main()
