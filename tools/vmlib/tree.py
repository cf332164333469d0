# SPDX-License-Identifier: GPL-2.0-only
"""A tree of guest files, and its archive in the format that the kernel unpacks (cpio, "newc")."""

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

# Every file has this time (2026-01-01), so that equal content gives equal archives.
TIMESTAMP = 1767225600
MERGED = ("bin", "sbin", "lib", "lib64")


@dataclass(frozen=True)
class Entry:
    mode: int
    content: bytes = b""  # of a small file, or the target of a symbolic link
    source: str = ""  # the host's file that holds the content instead
    owner: int = 0


class Tree:
    """Guest paths and what they hold. A path that is put twice holds what was put last."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def __contains__(self, path: str) -> bool:
        return normalised(path) in self._entries

    def items(self) -> Iterator[tuple[str, Entry]]:
        return iter(sorted(self._entries.items()))

    def directory(self, path: str, mode: int = 0o755, owner: int = 0) -> None:
        self._put(path, Entry(stat.S_IFDIR | mode, owner=owner))

    def text(self, path: str, content: str, mode: int = 0o644, owner: int = 0) -> None:
        self._put(path, Entry(stat.S_IFREG | mode, os.fsencode(content), owner=owner))

    def link(self, path: str, target: str) -> None:
        self._put(path, Entry(stat.S_IFLNK | 0o777, os.fsencode(target)))

    def node(self, path: str) -> None:
        """The console device, which the kernel opens before anything is mounted."""
        self._put(path, Entry(stat.S_IFCHR | 0o600))

    def file(self, path: str, source: str) -> None:
        mode = stat.S_IMODE(os.stat(source).st_mode) & 0o755 | 0o600
        self._put(path, Entry(stat.S_IFREG | mode, source=source))

    def write(self, out: BinaryIO) -> None:
        """Appends the archive to OUT; several archives in a row make one guest."""
        for number, (path, entry) in enumerate(self.items(), start=1):
            _write_member(out, number, path, entry)
        _write_member(out, 0, "TRAILER!!!", Entry(0))
        out.write(bytes(-out.tell() % 512))

    def _put(self, path: str, entry: Entry) -> None:
        path = normalised(path)
        parent = posixpath.dirname(path)
        if parent and parent not in self._entries:
            self.directory(parent)
        self._entries[path] = entry


def normalised(path: str) -> str:
    """PATH relative to the guest's root, whose /bin, /sbin, /lib, /lib64 are links into /usr."""
    path = posixpath.normpath("/" + path).lstrip("/")
    first, slash, _ = path.partition("/")
    return "usr/" + path if slash and first in MERGED else path


def _write_member(out: BinaryIO, number: int, path: str, entry: Entry) -> None:
    content = entry.content
    if entry.source:
        with open(entry.source, "rb") as file:
            content = file.read()
    name = os.fsencode(path) + b"\0"
    is_console = stat.S_ISCHR(entry.mode)
    fields = (
        number, entry.mode, entry.owner, entry.owner, 1, TIMESTAMP, len(content),
        0, 0, 5 if is_console else 0, 1 if is_console else 0, len(name), 0,
    )  # fmt: skip
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    out.write(header + bytes(-len(header) % 4))
    out.write(content)
    out.write(bytes(-len(content) % 4))
