# SPDX-License-Identifier: GPL-2.0-only
"""What tools/peers prints, makes and leaves behind, with programs in place of apt's, the compilers and cargo that do
nothing but write down how they were called."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
PEERS = Path(__file__).resolve().parent / "peers"

# $CALLS is where they write it down; whether $BREAK is theirs, that they fail.
CALLED = """\
#!/bin/sh
echo "${0##*/} $*" >>"$CALLS"
case " $* " in *" $BREAK "*) echo "$BREAK is broken" >&2; exit 1 ;; esac
"""
# Writes what follows -o: a program that says that it is one.
COMPILER = """\
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\n' >"$2"
chmod +x "$2"
"""
FAKES = {
    "apt-get": """\
case " $* " in
  *" indextargets "*) echo "http://archive.invalid/debian bookworm" ;;
  *" download "*) cp "$PACKAGE" . ;;
esac
""",
    "bpftool": """\
case "$1 $2" in
  "gen object") : >"$3" ;;
  *) echo "// $*" ;;
esac
""",
    "clang-19": COMPILER,
    "llvm-config-19": "echo /libclang\n",
    "rustc": 'echo "rustc $RUST (0123abc 2026-01-01)"\n',
    "cargo": """\
case $1 in
  --version) echo "cargo $RUST (0123abc 2026-01-01)" ;;
  install)
    sleep "$SECONDS_TO_BUILD"
    while [ "$1" != --root ]; do shift; done
    mkdir -p "$2/bin"
    printf '#!/bin/sh\\n' >"$2/bin/scx_rustland"
    chmod +x "$2/bin/scx_rustland"
    ;;
esac
""",
}
SOURCE = "linux-source-7.3"


class Peers(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.programs = self.folder / "bin"
        self.programs.mkdir()
        for name, body in FAKES.items():
            self.write_program(name, body)
        self.calls = self.folder / "calls"
        self.cache = self.folder / "a cache"
        self.store = self.cache / "peers"
        kernel = self.cache / "kernels" / "7.3.4+deb13-cloud-amd64"
        kernel.mkdir(parents=True)
        for image in ("vmlinuz", "vmlinux"):
            (kernel / image).write_text("x")
        self.package = self.make_package("7.3.5-1~bpo13+1")

    def write_program(self, name: str, body: str) -> None:
        path = self.programs / name
        path.write_text(CALLED + body)
        path.chmod(0o755)

    def make_package(self, version: str) -> Path:
        sources = self.folder / "sources" / SOURCE / "tools" / "sched_ext"
        sources.mkdir(parents=True)
        for name in ("scx_simple", "scx_userland"):
            (sources / f"{name}.bpf.c").touch()
            (sources / f"{name}.c").touch()
        root = self.folder / "root"
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(
            f"Package: {SOURCE}\nVersion: {version}\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n"
        )
        (root / "usr" / "src").mkdir(parents=True)
        archive = root / "usr" / "src" / f"{SOURCE}.tar.xz"
        subprocess.run(["tar", "-C", sources.parents[2], "-cJf", archive, SOURCE], check=True)
        package = self.folder / f"{SOURCE}_{version}_all.deb"
        subprocess.run(["dpkg-deb", "--build", root, package], check=True, stdout=subprocess.DEVNULL)
        return package

    def start_peers(
        self, *names: str, broken: str = "-", rust: str = "1.95.0", seconds_to_build: float = 0
    ) -> subprocess.Popen[str]:
        environment = {
            "PATH": f"{self.programs}:/usr/bin:/bin", "HOME": str(self.folder), "CPPLAND_CACHE": str(self.cache),
            "CALLS": str(self.calls), "PACKAGE": str(self.package), "BREAK": broken, "RUST": rust,
            "SECONDS_TO_BUILD": str(seconds_to_build),
        }  # fmt: skip
        return subprocess.Popen([PEERS, *names], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, process_group=0)  # fmt: skip

    def ended(self, process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
        out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def run_peers(self, *names: str, broken: str = "-", rust: str = "1.95.0") -> subprocess.CompletedProcess[str]:
        self.calls.write_text("")
        return self.ended(self.start_peers(*names, broken=broken, rust=rust))

    def assert_made(self, done: subprocess.CompletedProcess[str], *paths: str, status: int = 0) -> None:
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "".join(f"{self.store / path}\n" for path in paths))
        for path in paths:
            self.assertTrue(os.access(self.store / path, os.X_OK), path)

    def assert_nothing_left(self) -> None:
        left = {path.name for path in self.store.iterdir()}
        self.assertLessEqual(left, {".linux.lock", ".linux.log", ".rustland.lock", ".rustland.log"})

    def calls_of(self, program: str) -> list[str]:
        return [call for call in self.calls.read_text().splitlines() if call.startswith(f"{program} ")]


SIMPLE, USERLAND = "linux-7.3.5/scx_simple", "linux-7.3.5/scx_userland"
RUSTLAND = "scx_rustland-1.1.1/scx_rustland"


class Made(Peers):
    def test_all_in_this_order_with_progress_beside(self) -> None:
        done = self.run_peers()
        self.assert_made(done, SIMPLE, USERLAND, RUSTLAND)
        for word in (SOURCE, "scx_simple", "scx_userland", "scx_rustland 1.1.1"):
            self.assertIn(word, done.stderr)

    def test_those_that_are_named_in_their_order(self) -> None:
        self.assert_made(self.run_peers("scx_userland", "scx_simple"), USERLAND, SIMPLE)
        self.assertEqual(self.calls_of("cargo"), [])
        self.assert_made(self.run_peers("scx_rustland"), RUSTLAND)
        self.assertEqual(self.calls_of("apt-get"), [])

    def test_once(self) -> None:
        self.run_peers()
        done = self.run_peers(broken="download")
        self.assert_made(done, SIMPLE, USERLAND, RUSTLAND)
        self.assertEqual((done.stderr, self.calls.read_text()), ("", ""))

    def test_the_newest_of_the_kernel_s_series(self) -> None:
        for version in ("7.2.12", "7.3.9", "7.3.10", "7.3.11", "7.30.1"):
            program = self.store / f"linux-{version}" / "scx_simple"
            program.parent.mkdir(parents=True)
            program.touch(0o644 if version == "7.3.11" else 0o755)
        self.assert_made(self.run_peers("scx_simple"), "linux-7.3.10/scx_simple")

    def test_what_is_left_of_a_run_that_was_killed_does_not_count(self) -> None:
        for folder in (".linux.part", ".rustland.part"):
            (self.store / folder / "made").mkdir(parents=True)
            (self.store / folder / "made" / "stale").touch(0o755)
        self.assert_made(self.run_peers(), SIMPLE, USERLAND, RUSTLAND)
        self.assertEqual({path.name for path in self.store.rglob("scx_*/*")}, {"scx_rustland"})
        self.assertEqual(list(self.store.rglob("stale")), [])
        self.assertEqual(list(self.store.glob(".*.part")), [])

    def test_two_runs_at_a_time_make_it_once(self) -> None:
        runs = [self.start_peers("scx_rustland", seconds_to_build=0.3) for _ in range(2)]
        for run in runs:
            self.assert_made(self.ended(run), RUSTLAND)
        self.assertEqual(sum("cargo install" in call for call in self.calls_of("cargo")), 1)

    def test_of_the_tools_that_setup_installs(self) -> None:
        self.run_peers()
        sources = [re.findall(r"sched_ext/(\S+\.c) ", call)[0] for call in self.calls_of("clang-19")]
        self.assertEqual(sources, ["scx_simple.bpf.c", "scx_simple.c", "scx_userland.bpf.c", "scx_userland.c"])
        self.assertIn("kernels/7.3.4+deb13-cloud-amd64/vmlinux format c", self.calls_of("bpftool")[0])
        self.assertEqual(sum("gen skeleton" in call for call in self.calls_of("bpftool")), 2)


class NotMade(Peers):
    def test_unknown_names_are_status_2_and_one_line(self) -> None:
        for names in (("scx_lavd",), ("scx_simple", "-x"), ("",)):
            done = self.run_peers(*names)
            self.assertEqual((done.returncode, done.stdout), (2, ""), names)
            self.assertIn(f"'{names[-1]}'", done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(self.calls.read_text(), "")

    def test_without_cargo_or_with_an_old_one_all_others_are_made(self) -> None:
        for options, word in (
            ({"broken": "--version"}, "there is no cargo"), ({"broken": "info"}, "registry"),
            ({"rust": "1.66.0"}, "1.66.0"), ({"rust": "1.87.9-nightly"}, "1.87.9"),
        ):  # fmt: skip
            done = self.run_peers(**options)
            self.assert_made(done, SIMPLE, USERLAND, status=77)
            self.assertIn("no scx_rustland", done.stderr)
            self.assertIn(word, done.stderr)
            self.assertEqual([call for call in self.calls_of("cargo") if " install" in call], [])

    def test_skipped_only(self) -> None:
        self.assert_made(self.run_peers("scx_rustland", broken="info"), status=77)
        self.assert_nothing_left()

    def test_a_failure_tells_where_the_log_is_and_leaves_nothing(self) -> None:
        for broken, names in (
            ("update", ("scx_simple",)), ("download", ("scx_simple",)), ("btf", ("scx_simple",)),
            ("skeleton", ("scx_simple",)), ("install", ("scx_rustland",)), ("--libdir", ("scx_rustland",)),
        ):  # fmt: skip
            done = self.run_peers(*names, broken=broken)
            self.assert_made(done, status=1)
            self.assertIn("peers: ", done.stderr)
            self.assert_nothing_left()
            self.assertIn(f"{broken} is broken", done.stderr + "".join(map(Path.read_text, self.store.glob(".*.log"))))

    def test_one_that_does_not_compile_leaves_none_of_its_kind(self) -> None:
        self.write_program("clang-19", f'case "$*" in *scx_userland.c*) exit 1 ;; esac\n{COMPILER}')
        done = self.run_peers()
        self.assert_made(done, RUSTLAND, status=1)
        self.assertIn(".linux.log", done.stderr)
        self.assertEqual([path.name for path in self.store.iterdir() if path.name[0] != "."], ["scx_rustland-1.1.1"])

    def test_one_that_is_ended_leaves_nothing(self) -> None:
        run = self.start_peers("scx_rustland", seconds_to_build=60)
        while not self.calls.exists() or "cargo install" not in self.calls.read_text():
            self.assertIsNone(run.poll())
            time.sleep(0.02)
        os.killpg(run.pid, signal.SIGTERM)
        self.assert_made(self.ended(run), status=128 + signal.SIGTERM)
        self.assert_nothing_left()

    def test_a_failure_outweighs_a_skip(self) -> None:
        self.write_program("apt-get", "exit 100\n")
        for names in ((), ("scx_rustland", "scx_simple")):
            self.assert_made(self.run_peers(*names, broken="info"), status=1)

    def test_a_kernel_whose_types_cannot_be_read(self) -> None:
        (self.cache / "kernels" / "7.3.4+deb13-cloud-amd64" / "vmlinux").unlink()
        done = self.run_peers("scx_simple")
        self.assert_made(done, status=1)
        self.assertIn("7.3.4+deb13-cloud-amd64", done.stderr)
        self.assertEqual(self.calls_of("apt-get"), [])

    def test_help(self) -> None:
        done = self.run_peers("scx_simple", "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("usage: tools/peers", "scx_simple", "scx_userland", "scx_rustland", "77"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
