# SPDX-License-Identifier: GPL-2.0-only
"""Statistics against answers that are plain to see."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from compare.figures import Latencies, median, ratio, ratio_text  # noqa: E402


class LatencyDistribution(unittest.TestCase):
    def test_empty(self) -> None:
        empty = Latencies()
        self.assertEqual((empty.count, empty.max, empty.quantile(0.99)), (0, 0, 0))

    def test_quantiles_are_nearest_ranks(self) -> None:
        values = Latencies([[1, 98], [5, 1], [9, 1]])
        self.assertEqual(values.quantile(0.0), 1)
        self.assertEqual(values.quantile(0.98), 1)
        self.assertEqual(values.quantile(0.99), 5)
        self.assertEqual(values.quantile(0.991), 9)
        self.assertEqual(values.quantile(1.0), 9)
        self.assertEqual(values.max, 9)

    def test_adding_is_recording_together(self) -> None:
        sum_of_two = Latencies([[3, 1], [1, 1]])
        sum_of_two.add(Latencies([[2, 2], [1, 1]]))
        self.assertEqual(sum_of_two.count, 5)
        self.assertEqual([sum_of_two.quantile(rank / 5) for rank in range(1, 6)], [1, 1, 2, 2, 3])


class Numbers(unittest.TestCase):
    def test_median(self) -> None:
        self.assertEqual(median([3]), 3)
        self.assertEqual(median([9, 1, 2]), 2)
        self.assertEqual(median([4, 1, 2, 9]), 3)

    def test_ratio(self) -> None:
        self.assertEqual(ratio(1, 4), 0.25)
        self.assertIsNone(ratio(5, 0))
        self.assertEqual([ratio_text(value) for value in (None, 0.014, 1.0, 12.3)], ["-", "x0.01", "x1.00", "x12"])


if __name__ == "__main__":
    unittest.main()
