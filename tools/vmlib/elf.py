# SPDX-License-Identifier: GPL-2.0-only
"""Which shared libraries a program needs, remembered until the program changes."""

import contextlib
import json
import os
import posixpath
import re
import subprocess
from pathlib import Path

from .tree import Tree

# Where the guest's loader looks without being told.
STANDARD_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/")
FALLBACK_FOLDER = "/usr/lib/x86_64-linux-gnu"
FORGET_BEYOND = 5000


def is_elf(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"


class Libraries:
    """Answers from a memory in the cache folder; `save` keeps what was learnt."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / "libraries.json"
        self._known: dict[str, list[str]] = {}
        self._changed = False
        with contextlib.suppress(OSError, ValueError):
            self._known = json.loads(self._file.read_text())

    def add_to(self, tree: Tree, program: str) -> None:
        """Puts what PROGRAM needs into TREE."""
        for library in self.of(program):
            target = library
            if not library.startswith(STANDARD_FOLDERS):
                target = posixpath.join(FALLBACK_FOLDER, posixpath.basename(library))
            if target not in tree:
                tree.file(target, library)

    def of(self, program: str) -> list[str]:
        info = os.stat(program)
        key = f"{os.path.realpath(program)}:{info.st_mtime_ns}:{info.st_size}"
        known = self._known.get(key)
        if known is None or not all(map(os.path.exists, known)):
            known = _ask_loader(program)
            self._known[key] = known
            self._changed = True
        return known

    def save(self) -> None:
        if not self._changed:
            return
        if len(self._known) > FORGET_BEYOND:  # mostly programs that have been rebuilt since
            self._known = {}
        partial = self._file.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(self._known))
        partial.replace(self._file)


def _ask_loader(program: str) -> list[str]:
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"^\s+(?:\S+ => )?(/\S+) \(0x", done.stdout, re.MULTILINE)
