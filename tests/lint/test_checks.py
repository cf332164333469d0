# SPDX-License-Identifier: GPL-2.0-only
"""The checks of tools/check_*.py find what they are for, and nothing else."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_files  # noqa: E402
import check_layers  # noqa: E402
from lintlib.compile import run_cached  # noqa: E402
from lintlib.tree import Closure, project_files  # noqa: E402

# The word is put together here, so that the check does not find it in this file.
SPDX = "SPDX-License-" + "Identifier: GPL-2.0-only"


class TreeTest(unittest.TestCase):
    """A test with a folder of its own, to be filled with files."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()

    def write(self, name, *lines):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines))
        return path


class LayersTest(TreeTest):
    def setUp(self):
        super().setUp()
        self.write("abi/cppland_abi.h", "#include <linux/types.h>")
        self.write("bpf/state.h", '#include "../abi/cppland_abi.h"', "#include <bpf/bpf_helpers.h>")
        self.write("include/cppland/task.h", "#include <abi/cppland_abi.h>", "#include <vector>")
        self.write("src/base/result.h", "#include <fmt/format.h>")
        self.write("src/kernel/kernel.h", '#include "base/result.h"', "#include <cppland/task.h>")
        self.write("src/kernel/live/live.cc", "#include <bpf/libbpf.h>", '#include "d.skel.h"')
        self.write("src/agent/agent.cc", '#include "kernel/kernel.h"')
        self.write("tests/support/tree.h", '#include "base/result.h"')

    def assert_finds(self, name, line, words):
        found = check_layers.check(self.root)
        self.assertEqual([(str(file), number) for file, number, _ in found], [(name, line)])
        self.assertIn(words, found[0][2])

    def test_accepts_what_goes_down(self):
        self.assertEqual(check_layers.check(self.root), [])

    def test_finds_what_goes_up(self):
        self.write("src/base/file.cc", '#include "base/result.h"', '#include "agent/agent.h"')
        self.write("src/agent/agent.h")
        self.assert_finds("src/base/file.cc", 2, "src/base must not include src/agent/agent.h")

    def test_finds_what_goes_up_in_angle_brackets(self):
        self.write("abi/cppland_abi.h", "#  include <cppland/task.h>")
        self.assert_finds("abi/cppland_abi.h", 1, "abi must not include include/cppland/task.h")

    def test_finds_libbpf_outside_the_seam(self):
        self.write("src/kernel/kernel.cc", "", "#include <bpf/libbpf.h>")
        self.assert_finds("src/kernel/kernel.cc", 2, "only src/kernel/live may use libbpf")

    def test_finds_skeletons_outside_the_seam(self):
        self.write("src/agent/x.cc", '#include "dispatcher.skel.h"')
        self.assert_finds("src/agent/x.cc", 1, "only src/kernel/live may use libbpf")

    def test_finds_foreign_headers_in_the_sdk(self):
        self.write("include/cppland/x.h", "#include <fmt/format.h>")
        self.assert_finds("include/cppland/x.h", 1, "SDK's headers may include only")

    def test_finds_private_headers_in_the_sdk(self):
        self.write("include/cppland/x.h", '#include "base/result.h"')
        self.assert_finds("include/cppland/x.h", 1, "include/cppland must not include")

    def test_finds_the_dispatcher_in_the_sdk(self):
        self.write("include/cppland/x.h", "#include <bpf/state.h>")
        self.assert_finds("include/cppland/x.h", 1, "SDK's headers may include only")

    def test_finds_foreign_headers_in_the_abi(self):
        self.write("abi/x.h", "#include <vector>")
        self.assert_finds("abi/x.h", 1, "the ABI may include only")

    def test_finds_test_support_in_products(self):
        self.write("src/agent/x.cc", '#include "tests/support/tree.h"')
        self.write("src/agent/x_test.cc", '#include "tests/support/tree.h"')
        self.write("src/agent/y_fuzz.cc", '#include "tests/support/tree.h"')
        self.assert_finds("src/agent/x.cc", 1, "for tests only")

    def test_finds_missing_project_headers(self):
        self.write("src/agent/x.cc", '#include "agent/none.h"')
        self.assert_finds("src/agent/x.cc", 1, "no file of this project")

    def test_accepts_examples_that_include_their_own(self):
        self.write("examples/one/policy.h", "#include <cppland/task.h>")
        self.write("examples/one/main.cc", '#include "policy.h"')
        self.assertEqual(check_layers.check(self.root), [])

    def test_finds_examples_in_products(self):
        self.write("examples/one/policy.h")
        self.write("src/agent/x.cc", '#include "examples/one/policy.h"')
        self.assert_finds("src/agent/x.cc", 1, "examples/one/policy.h belongs to no layer")

    def test_finds_folders_without_layer(self):
        self.write("src/new/x.cc")
        self.assert_finds("src/new/x.cc", 1, "src/new is no layer")

    def test_program_prints_file_and_line_and_fails(self):
        self.write("src/kernel/kernel.cc", "#include <bpf/libbpf.h>")
        command = [sys.executable, "-B", ROOT / "tools/check_layers.py", self.root]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stderr.startswith("src/kernel/kernel.cc:1: only "), done.stderr)


class HeadersTest(TreeTest):
    def check(self, *compiled):
        entries = [{"directory": str(self.root), "file": name, "command": "g++ -c"} for name in compiled]
        self.write("build/compile_commands.json", json.dumps(entries))
        command = [sys.executable, "-B", ROOT / "tools/check_headers.py"]
        command += [self.root / "build", "--root", self.root]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_accepts_what_compiles(self):
        self.write("abi/a.h", "#ifndef A_H", "#define A_H", "struct a { int b; };", "#endif")
        self.write("src/base/x.h", "#pragma once", "#include <abi/a.h>", "inline a make() { return {}; }")
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 files, 0 unchanged", done.stdout)
        self.assertIn("2 files, 2 unchanged", self.check().stdout)

    def test_finds_missing_includes(self):
        self.write("include/cppland/x.h", "#pragma once", "inline std::string name;")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("include/cppland/x.h does not compile by itself (g++)", done.stderr)

    def test_finds_missing_guards(self):
        self.write("src/x.h", "struct Twice {};")
        self.assertEqual(self.check().returncode, 1)

    def test_finds_what_is_no_c_in_the_abi(self):
        self.write("abi/a.h", "#pragma once", "struct a { int b = 1; };")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("abi/a.h does not compile by itself (gcc)", done.stderr)

    def test_leaves_out_what_the_build_has_shown(self):
        self.write("src/base/first.h", "#pragma once", "std::string first;")
        self.write("src/base/first.cc", '#include "base/first.h"')
        self.write("src/base/second.h", "#pragma once")
        self.write("src/base/second_test.cc", "#include <string>", '#include "base/second.h"')
        self.write("src/base/twice.h", "")
        self.write("src/base/twice.cc", '#include "base/twice.h"')
        sources = ("src/base/first.cc", "src/base/second_test.cc", "src/base/twice.cc")
        done = self.check(*sources)
        self.assertIn("2 files, 0 unchanged", done.stdout, done.stderr)
        self.assertEqual(self.check(*sources[1:]).returncode, 1)  # nothing shows first.h

    def test_looks_again_when_an_included_file_changes(self):
        self.write("src/x.h", "#pragma once", '#include "y.h"', "inline Y y;")
        self.write("src/y.h", "#pragma once", "struct Y {};")
        self.assertEqual(self.check().returncode, 0)
        self.write("src/y.h", "#pragma once", "struct Z {};")
        self.assertEqual(self.check().returncode, 1)


class FilesTest(TreeTest):
    def test_format(self):
        (self.root / ".clang-format").write_text("BasedOnStyle: Google\n")
        self.write("src/x.cc", "int x;")
        self.assertEqual(check_files.check_format(self.root), "")
        self.write("src/x.cc", "int   x;")
        self.assertIn("src/x.cc:1:4: error", check_files.check_format(self.root))
        check_files.check_format(self.root, fix=True)
        self.assertEqual(check_files.check_format(self.root), "")

    def test_rules(self):
        name = "src/kernel/sim/ext_test.cc"
        self.write(name, f"// {SPDX}", "// of kernel/sched/ext.c", "", "// f(): so.", "TEST(A, B) {}")
        self.assertEqual(check_files.check_rules(self.root), "")
        self.write(name, f"// {SPDX}", "", "// f(): so.", "TEST_F(A, B) {}")
        self.assertIn(f"{name}:4: no comment names the kernel's source", check_files.check_rules(self.root))
        self.write(name, "// kernel/sched/ext.c", "", "TEST(A, B) {}", "", "// It is.", "TEST(A, C) {}")
        self.assertIn(f"{name}:3: no comment names the kernel's function", check_files.check_rules(self.root))
        self.assertIn(f"{name}:6: ", check_files.check_rules(self.root))
        self.write(name, "// x", "", "// No kernel rule: it is ours.", "TEST(A, B) {}")
        self.assertEqual(check_files.check_rules(self.root), "")

    def test_shell(self):
        self.write("tools/run", "#!/usr/bin/env bash", 'echo "$1"')
        self.assertEqual(check_files.check_shell(self.root), "")
        self.write("tools/run", "#!/usr/bin/env bash", "rm $1")
        self.assertIn("SC2086", check_files.check_shell(self.root))

    def test_spelling(self):
        self.write("README.md", "These are the words.")
        self.assertEqual(check_files.check_spelling(self.root), "")
        self.write("README.md", "These are t" + "eh words.")
        self.assertIn("README.md:1", check_files.check_spelling(self.root))

    def test_spdx(self):
        self.write("README.md", "no source")
        self.write("data.txt", "no source")
        self.write("x.cc", f"// {SPDX}")
        self.write("script", "#!/bin/sh", f"# {SPDX}")
        self.assertEqual(check_files.check_spdx(self.root), "")
        self.write("y.cc", "int x;", *[""] * 5, f"// {SPDX}")
        self.write("script", "#!/bin/sh", "echo")
        self.assertEqual(
            [line.split(":")[0] for line in check_files.check_spdx(self.root).splitlines()],
            ["script", "y.cc"],
        )

    def test_types(self):
        self.write("src/a.h", "namespace cppland::sim {", "struct Thing;", "struct Thing {", "};", "}")
        self.write("src/b.h", "namespace cppland {", "class Thing final : public Other {", "};", "}")
        self.write("src/c.cc", "namespace cppland::sim {", "namespace {", "struct Thing {", "};", "}  // namespace", "}")
        self.assertEqual(check_files.check_types(self.root), "")
        self.write("src/d.cc", "namespace cppland::sim {", "namespace {", "}  // namespace", "struct Thing {")
        self.assertIn("src/d.cc:4: cppland::sim::Thing is defined in src/a.h:3", check_files.check_types(self.root))

    def test_words(self):
        def found(*lines):
            self.write("x.md", *lines)
            text = check_files.check_words(self.root, {"archive.invalid"}, "/there/cppland")
            return [int(line.split(":")[1]) for line in text.splitlines()]

        self.assertEqual(found("other.invalid", "/there", "my-archive.invalid"), [])
        self.assertEqual(found("", "http://archive.invalid/debian"), [2])
        self.assertEqual(found("cd /there/cppland", "", "(/there/cppland/build)"), [1, 3])
        self.assertEqual(found("/there/cppland-2", "x/there/cppland"), [])

    def test_program_fails_when_a_check_does(self):
        self.write("x.cc")
        command = [sys.executable, "-B", ROOT / "tools/check_files.py", "spdx", "--root", self.root]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("x.cc:1: no line says", done.stderr)


class LintlibTest(TreeTest):
    def test_files_are_those_that_git_would_track(self):
        subprocess.run(["git", "init", "--quiet", self.root], check=True)
        self.write(".gitignore", "/build/")
        self.write("build/x.h")
        self.write("src/x.h")
        self.assertEqual([str(name) for name in project_files(self.root)], [".gitignore", "src/x.h"])

    def test_files_are_found_without_git(self):
        self.write("build/x.h")
        self.write("src/x.h")
        self.assertEqual([str(name) for name in project_files(self.root)], ["src/x.h"])

    def test_digests_follow_includes(self):
        main = self.write("src/main.cc", '#include "a.h"')
        self.write("src/a.h", "#include <sub/b.h>")
        self.write("include/sub/b.h", "1")
        before = Closure([self.root / "include"]).digest(main)
        self.assertEqual(Closure([self.root / "include"]).digest(main), before)
        self.assertNotEqual(Closure([self.root / "include"]).digest(main, "extra"), before)
        self.write("include/sub/b.h", "2")
        self.assertNotEqual(Closure([self.root / "include"]).digest(main), before)

    def test_only_what_passed_is_skipped(self):
        ran = []

        def work(job):
            ran.append(job)
            return "wrong\n" if job == "bad" else ""

        cache = self.root / "cache"
        with open("/dev/null", "w", encoding="utf-8") as null:
            stdout, stderr, sys.stdout, sys.stderr = sys.stdout, sys.stderr, null, null
            try:
                self.assertEqual(run_cached({"good": "1", "bad": "2"}, cache, work), 1)
                self.assertEqual(run_cached({"good": "1", "bad": "2"}, cache, work), 1)
                self.assertEqual(run_cached({"good": "3"}, cache, work), 0)
            finally:
                sys.stdout, sys.stderr = stdout, stderr
        self.assertEqual(sorted(ran), ["bad", "bad", "good", "good"])
        self.assertEqual([stamp.name for stamp in cache.iterdir()], ["3"])


if __name__ == "__main__":
    unittest.main()
