# SPDX-License-Identifier: GPL-2.0-only
"""rt-app's files, in the dialect that people write them in."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchlib import CompareError  # noqa: E402
from fidelitylib.workload import Workload, combined, parse, read  # noqa: E402


class Dialect(unittest.TestCase):
    def test_plain_json_stays_what_it_is(self) -> None:
        text = '{"a": [1, 2.5, -3], "b": {"c": "x, y: {", "d": true}, "e": []}'
        self.assertEqual(parse(text), json.loads(text))

    def test_comments_are_left_out(self) -> None:
        self.assertEqual(parse('{ // one "x"\n "a": 1, /* "b": 2,\n */ "c": "// no comment" }'),
                         {"a": 1, "c": "// no comment"})  # fmt: skip

    def test_commas_too_many_are_left_out(self) -> None:
        self.assertEqual(parse('{"a": [1, 2,], "b": {"c": 3,},\n}'), {"a": [1, 2], "b": {"c": 3}})

    def test_repeated_keys_get_numbers_in_their_order(self) -> None:
        found = parse('{"run": 1, "sleep": 2, "run": 3, "run": 4}')
        self.assertEqual(list(found.items()), [("run", 1), ("sleep", 2), ("run1", 3), ("run2", 4)])

    def test_a_number_that_is_taken_is_passed_over(self) -> None:
        self.assertEqual(list(parse('{"run": 1, "run": 2, "run1": 3}')), ["run", "run2", "run1"])

    def test_suspend_without_a_value_means_its_own_task(self) -> None:
        found = parse('{"tasks": {"t": {"suspend", "run": 1}, "u": {"phases": {"p": {"run": 2, "suspend"}}}}}')
        self.assertEqual(found["tasks"]["t"]["suspend"], "t")
        self.assertEqual(found["tasks"]["u"]["phases"]["p"]["suspend"], "u")

    def test_yield_without_a_value_is_empty(self) -> None:
        self.assertEqual(parse('{"tasks": {"t": {"yield"}}}')["tasks"]["t"]["yield"], "")

    def test_strings_in_arrays_are_no_keys(self) -> None:
        self.assertEqual(parse('{"a": ["x", "y", "z"]}'), {"a": ["x", "y", "z"]})

    def test_what_is_no_json_names_its_line(self) -> None:
        for text in ('{\n\n"a": 1 /', '{\n// x\n"a" 1}', '{\n"a": {\n]'):
            with self.subTest(text=text), self.assertRaisesRegex(ValueError, "line 3"):
                parse(text)


class Files(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.file = Path(holder.name, "some.json")

    def test_a_workload_has_the_name_of_its_file(self) -> None:
        self.file.write_text('{"tasks": {"t": {"run": 1}}}')
        self.assertEqual(read(self.file), Workload("some", {"t": {"run": 1}}))

    def test_what_is_no_workload_is_refused_with_the_files_name(self) -> None:
        tasks = ("{}", '{"t": 1}', "1", '{"hog": {"run": 1}}', '{"a name that is 1": {}, "a name that is 2": {}}')
        for text in ("", "[]", *(f'{{"tasks": {one}}}' for one in tasks)):
            self.file.write_text(text)
            with self.subTest(text=text), self.assertRaisesRegex(CompareError, "some.json") as caught:
                read(self.file)
            self.assertEqual(caught.exception.status, 2)

    def test_no_file_is_refused(self) -> None:
        with self.assertRaisesRegex(CompareError, "No such file"):
            read(self.file)


class Combined(unittest.TestCase):
    WORKLOAD = Workload("w", {"t": {"run": 1}})

    def test_hogs_are_tasks_like_others(self) -> None:
        found = combined(self.WORKLOAD, 8, 10, 368, "/logs")
        self.assertEqual(list(found["tasks"]), ["t", "hog"])
        self.assertEqual(found["tasks"]["hog"]["instance"], 8)
        self.assertEqual([found["global"][key] for key in ("duration", "calibration", "logdir")], [10, 368, "/logs"])
        self.assertEqual(list(self.WORKLOAD.tasks), ["t"])

    def test_no_hogs_is_no_task(self) -> None:
        self.assertEqual(list(combined(self.WORKLOAD, 0, 1, 1, "")["tasks"]), ["t"])


if __name__ == "__main__":
    unittest.main()
