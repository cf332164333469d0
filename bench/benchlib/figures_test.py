# SPDX-License-Identifier: GPL-2.0-only
"""Statistics against answers that are plain to see."""

import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchlib import CompareError  # noqa: E402
from benchlib.figures import Latencies, check_writable, median, ratio, ratio_text, save  # noqa: E402


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


class FileForFigures(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def test_checking_makes_no_file(self) -> None:
        check_writable(str(self.folder / "new"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_checking_leaves_a_file_as_it_is(self) -> None:
        file = self.folder / "old"
        file.write_text("what it held")
        check_writable(str(file))
        self.assertEqual(file.read_text(), "what it held")

    def test_checking_follows_a_link_to_nothing(self) -> None:
        link = self.folder / "link"
        link.symlink_to("target")
        check_writable(str(link))
        self.assertEqual(os.listdir(self.folder), ["link"])

    def test_a_device_will_do(self) -> None:
        check_writable("/dev/null")
        save({"a": 1}, "/dev/null")

    def test_the_reader_of_a_pipe_notices_no_check(self) -> None:
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        check_writable(str(pipe))
        reader, writer = os.pipe()
        check_writable(f"/dev/fd/{writer}")
        os.close(reader)
        os.close(writer)

    def test_what_cannot_be_written_is_refused(self) -> None:
        for file in (str(self.folder), str(self.folder / "nowhere" / "file"), "/proc/nowhere", ""):
            with self.subTest(file=file), self.assertRaisesRegex(CompareError, "--json: cannot write") as caught:
                check_writable(file)
            self.assertEqual(caught.exception.status, 2)

    def test_a_full_disk_is_one_message(self) -> None:
        with self.assertRaisesRegex(CompareError, "'/dev/full'"):
            save({"a": 1}, "/dev/full")


if __name__ == "__main__":
    unittest.main()
