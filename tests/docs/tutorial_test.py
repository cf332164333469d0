#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""tutorial_test.py - does with docs/write-a-policy.md what its reader does (see --help)."""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "write-a-policy.md"
SECONDS = 1200  # that a command may take; it is there to end a test, not to measure

DESCRIPTION = """\
Makes the files and runs the commands of docs/write-a-policy.md in a temporary folder, in the order in which they are
there, and ends with the first one that fails or says something else than the document.

In the document, a block is

  ```sh     commands, one a line, which must exit with status 0
  ```text   what the last command before it prints on stdout
  others    a file, whose name is in a comment on the first line

What is printed must be equal to the document; in a virtual machine, where figures are never the same, all but the
figures must be. One block is not run: the one that builds cppland. The build of --build takes its place."""

# The block that is not run, and what a reader has after it.
BUILD_BLOCK = """\
CPPLAND=~/cppland
cd $CPPLAND
cmake --preset release && cmake --build --preset release
"""
BUILD_FOLDER = "$CPPLAND/build/release"
VM = "tools/vm"

FENCE = re.compile(r"^```(\w*)$")
FILE_NAME = re.compile(r"^(?://|#) (\S+)")
FIGURE = re.compile(r"\d[\d.,]*")


class Failure(Exception):
    """What is wrong, in full."""


@dataclass
class Block:
    kind: str
    text: str
    first: int  # line of the document, from 0, where its text begins

    @property
    def place(self) -> str:
        return f"{DOCUMENT.relative_to(ROOT)}:{self.first + 1}"

    def commands(self) -> list[str]:
        return re.sub(r"\\\n", "", self.text).splitlines()


def blocks_of(document: str) -> list[Block]:
    blocks = []
    kind, first, lines = None, 0, document.splitlines(keepends=True)
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if fence and kind is None:
            kind, first = fence[1], number + 1
        elif fence:
            blocks.append(Block(kind or "", "".join(lines[first:number]), first))
            kind = None
    if kind is not None:
        raise Failure(f"{DOCUMENT}:{first}: this block has no end")
    if [block.text for block in blocks].count(BUILD_BLOCK) != 1:
        raise Failure(f"{DOCUMENT}: there must be one block that builds cppland, which is not run:\n{BUILD_BLOCK}")
    return blocks


class Reader:
    """Somebody who does what the document says."""

    def __init__(self, folder: Path, build: Path, vm: bool) -> None:
        self.vm = vm
        self.build = build
        self.state = folder / "folder-of-the-shell"
        self.cwd = folder / "cppland"  # where the block that is not run leads to
        self.cwd.mkdir()
        self.printed: str | None = None  # by the last command; None: it was left out
        self.command = ""
        self.environment = {**os.environ, "CPPLAND": str(ROOT), "CPPLAND_BUILD": str(build), "LC_ALL": "C.UTF-8"}
        if shutil.which("ccache"):
            self.environment |= {f"CMAKE_{language}_COMPILER_LAUNCHER": "ccache" for language in ("C", "CXX")}
            self.environment["CCACHE_NOHASHDIR"] = "1"

    def write(self, block: Block) -> None:
        name = FILE_NAME.match(block.text)
        if not name or "/" in name[1]:
            raise Failure(f"{block.place}: the first line of a file must be a comment that begins with its name")
        (self.cwd / name[1]).write_text(block.text)
        print(f"{block.place}: {name[1]}", flush=True)

    def run(self, block: Block) -> None:
        if block.text == BUILD_BLOCK:
            print(f"{block.place}: the build in {self.build} takes the place of this one", flush=True)
            return
        for command in block.commands():
            self.command = command
            if VM in command and not self.vm:
                print(f"{block.place}: needs --vm, left out: {command}", flush=True)
                self.printed = None
            else:
                self.run_command(block, command)

    def run_command(self, block: Block, command: str) -> None:
        begin = time.monotonic()
        here = command.replace(BUILD_FOLDER, "$CPPLAND_BUILD")
        done = subprocess.run(
            ["bash", "-c", f"set -eo pipefail; trap 'pwd >{self.state}' EXIT\n{here}\n"],
            cwd=self.cwd, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=SECONDS, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise Failure(
                f"{block.place}: exit status {done.returncode} of\n  {command}\n{done.stdout}{done.stderr}"
            )
        print(f"{block.place}: {time.monotonic() - begin:.1f} s: {command}", flush=True)
        self.cwd = Path(self.state.read_text().rstrip("\n"))
        self.printed = done.stdout

    def compare(self, block: Block) -> None:
        if self.printed is None:
            return
        wanted, printed = block.text.splitlines(), self.printed.splitlines()
        if VM in self.command:
            wanted, printed = list(map(shape, wanted)), list(map(shape, printed))
        if [line.rstrip() for line in wanted] != [line.rstrip() for line in printed]:
            difference = "\n".join(difflib.unified_diff(wanted, printed, "the document", "printed", lineterm=""))
            raise Failure(
                f"{block.place}: this is not what was printed by\n  {self.command}\n{difference}\n\n"
                f"If the change is meant to be, tests/docs/tutorial_test.py --update{' --vm' * (VM in self.command)} "
                "puts the new output into the document;\nread then whether its text is still true."
            )


def shape(line: str) -> str:
    """The line without what differs each time: figures, and the width of columns."""
    return " ".join(FIGURE.sub("N", line).split())


def follow(blocks: Sequence[Block], reader: Reader, update: bool) -> dict[int, str]:
    """Goes through the document; with @update, returns what to put into blocks instead of complaining."""
    news = {}
    for index, block in enumerate(blocks):
        if block.kind == "sh":
            reader.run(block)
        elif block.kind != "text":
            reader.write(block)
        elif index == 0 or blocks[index - 1].kind != "sh":
            raise Failure(f"{block.place}: no commands stand before this output")
        elif not update:
            reader.compare(block)
        elif reader.printed is not None:
            news[index] = "".join(f"{line.rstrip()}\n" for line in reader.printed.splitlines())
    return news


def rewrite(document: str, blocks: Sequence[Block], news: dict[int, str]) -> str:
    lines = document.splitlines(keepends=True)
    for index in sorted(news, reverse=True):
        block = blocks[index]
        lines[block.first : block.first + len(block.text.splitlines())] = [news[index]]
    return "".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--build", type=Path, metavar="DIR", default=ROOT / "build" / "release",
                        help="folder that cppland is built in (default: build/release)")  # fmt: skip
    parser.add_argument("--vm", action="store_true", help=f"run the commands that start {VM}, too")
    parser.add_argument("--update", action="store_true", help="put what is printed into the document")
    options = parser.parse_args(arguments)
    if not (options.build / "bin").is_dir():
        parser.error(f"--build: there is no folder '{options.build / 'bin'}'")
    document = DOCUMENT.read_text()
    try:
        blocks = blocks_of(document)
        with tempfile.TemporaryDirectory(prefix="cppland-") as folder:
            news = follow(blocks, Reader(Path(folder), options.build.absolute(), options.vm), options.update)
    except Failure as failure:
        print(f"FAIL {failure}", file=sys.stderr)
        return 1
    if news:
        DOCUMENT.write_text(rewrite(document, blocks, news))
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
