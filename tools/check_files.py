#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_files.py - checks that look at files one by one.

usage: tools/check_files.py CHECK... [--root ROOT]
  format     C and C++ files are as clang-format-19 leaves them (--fix: make them so)
  rules      tests of the modelled kernel name the kernel's source file and function
  shell      shellcheck finds nothing in shell scripts
  spelling   codespell finds nothing
  spdx       source files name their licence in their first lines
  types      no two files define a type of the same name in the same namespace
  words      no file names this machine's package mirrors, or the folder it lies in
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlparse

from lintlib.tree import ROOT, cpp_files, project_files

SPDX = "SPDX-License-Identifier: GPL-2.0-only"
SPDX_LINES = 5
SOURCE_SUFFIXES = {".h", ".cc", ".c", ".py", ".sh", ".cmake", ".in", ".yml", ".yaml", ".toml", ".service"}
SOURCE_NAMES = {"CMakeLists.txt", ".clang-format", ".clang-tidy", ".editorconfig", ".codespellrc"}
# `ls | wc`, `a && b || c`, and functions that only a sourcing script calls, are no mistakes here.
SHELLCHECK = ["shellcheck", "-x", "-P", "SCRIPTDIR", "-e", "SC2012,SC2015,SC2317"]
MODEL = "src/kernel/sim"
NO_MODEL_TESTS = {"dispatcher_test.cc"}  # of the dispatcher, which runs on the model
KERNEL_FILE = re.compile(r"\bkernel/[\w/]+\.c\b")
TYPE = re.compile(r"(?:class|struct|enum class) (?:alignas\([^)]*\) |\[\[\w+\]\] )?(\w+)\b(?!<|::)")
SHELLS = re.compile(rb"^#!\s*(/usr)?/bin/(env\s+)?(ba|da|k)?sh\b")


def shebang(path):
    with path.open("rb") as file:
        first = file.readline(200)
    return first if first.startswith(b"#!") else b""


def run(command, root, files):
    """The output of a checker over files, if it found something."""
    if not files:
        return ""
    done = subprocess.run(
        command + [str(file) for file in files], cwd=root, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def check_format(root, fix=False):
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    return run(["clang-format-19", *mode], root, cpp_files(root))


def check_shell(root):
    scripts = [
        name
        for name in project_files(root)
        if name.suffix == ".sh" or SHELLS.match(shebang(root / name))
    ]
    return run(SHELLCHECK, root, scripts)


def check_spelling(root):
    return run(["codespell"], root, project_files(root))


def is_source(root, name):
    return (
        name.suffix in SOURCE_SUFFIXES or name.name in SOURCE_NAMES or bool(shebang(root / name))
    )


def check_spdx(root):
    missing = []
    for name in project_files(root):
        if is_source(root, name):
            head = (root / name).read_text(errors="replace").splitlines()[:SPDX_LINES]
            if not any(SPDX in line for line in head):
                missing.append(f"{name}:1: no line says {SPDX}\n")
    return "".join(missing)


def mirror_hosts():
    """The hosts of apt's sources and proxies; not those of Debian itself, which everybody may name."""
    uris = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    for key in ("Acquire::http::Proxy", "Acquire::https::Proxy"):
        uris += subprocess.run(
            ["apt-config", "dump", "--format=%v%n", key], capture_output=True, text=True, check=False
        ).stdout.split()
    hosts = {urlparse(uri).hostname for uri in uris}
    public = re.compile(r"(^|\.)debian\.org$|^localhost$|^127\.")
    return {host for host in hosts if host and not public.search(host)}


def comment_above(lines, at):
    begin = at
    while begin > 0 and lines[begin - 1].startswith("//"):
        begin -= 1
    return " ".join(line[2:].strip() for line in lines[begin:at])


def check_rules(root):
    errors = []
    for path in sorted((Path(root) / MODEL).glob("*_test.cc")):
        if path.name in NO_MODEL_TESTS:
            continue
        name = f"{MODEL}/{path.name}"
        lines = path.read_text().splitlines()
        header = comment_above(lines, next((i for i, line in enumerate(lines) if line[:2] != "//"), 0))
        for at, line in enumerate(lines):
            if not re.match(r"TEST(_F|_P)?\(", line):
                continue
            comment = comment_above(lines, at)
            if comment.startswith("No kernel rule: "):
                continue
            if not re.search(r"\b\w+\(\)", comment):
                errors.append(f"{name}:{at + 1}: no comment names the kernel's function")
            elif not KERNEL_FILE.search(header + " " + comment):
                errors.append(f"{name}:{at + 1}: no comment names the kernel's source file")
    return "\n".join(errors)


def check_types(root):
    """One definition of a type for each name: of two the linker takes the functions of either, without a word."""
    defined = {}
    for name in cpp_files(root):
        if name.suffix == ".c" or name.parts[0] in ("abi", "bpf"):
            continue
        lines = (root / name).read_text(errors="replace").splitlines()
        namespace, anonymous = "", False
        for number, line in enumerate(lines, 1):
            if match := re.match(r"namespace ([\w:]+) {", line):
                namespace = match[1]
            elif re.match(r"namespace {|}  // namespace$", line):
                anonymous = line.startswith("namespace")
            elif (match := TYPE.match(line)) and not anonymous and not line.endswith(";"):
                defined.setdefault((namespace, match[1]), []).append(f"{name}:{number}")
    return "".join(
        f"{places[1]}: {namespace}::{word} is defined in {places[0]} too\n"
        for (namespace, word), places in defined.items()
        if namespace and len(places) > 1
    )


def check_words(root, hosts=None, folder=None):
    words = {rf"(?<![\w.-]){re.escape(host)}" for host in (mirror_hosts() if hosts is None else hosts)}
    folder = str(folder or root)
    if folder.count("/") > 1:  # a short name such as /src means too many other things
        words.add(rf"(?<![\w.}})]){re.escape(folder)}(?![\w-])")
    if not words:
        return ""
    pattern = re.compile("|".join(sorted(words)).encode())
    found = []
    for name in project_files(root):
        for number, line in enumerate((root / name).read_bytes().splitlines(), 1):
            match = pattern.search(line)
            if match:
                found.append(f"{name}:{number}: names {match[0].decode()}, which is this machine's\n")
    return "".join(found)


CHECKS = {
    "format": check_format,
    "rules": check_rules,
    "shell": check_shell,
    "spelling": check_spelling,
    "spdx": check_spdx,
    "types": check_types,
    "words": check_words,
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checks", nargs="+", choices=sorted(CHECKS), metavar="CHECK")
    parser.add_argument("--root", type=Path, default=ROOT)
    parser.add_argument("--fix", action="store_true")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    failed = False
    for check in arguments.checks:
        options = {"fix": True} if arguments.fix and check == "format" else {}
        errors = CHECKS[check](root, **options)
        if errors:
            failed = True
            print(errors.rstrip(), file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
