# SPDX-License-Identifier: GPL-2.0-only
"""What goes into a guest, in layers of which those that rarely change are kept in the cache."""

import hashlib
import os
import posixpath
import shutil
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from . import UsageError, VmError
from .elf import Libraries, is_elf
from .guest import add_system_files
from .tree import Tree

# Busybox's own shell and `env` would prefer its applets to the programs of the same name.
REQUIRED_PROGRAMS = {"chrt": "chrt", "env": "env", "sh": "dash"}
BASE_PROGRAMS = (
    "bash", "date", "taskset", "lscpu", "strace", "stress-ng", "hackbench", "cyclictest", "perf", "bpftool",
)  # fmt: skip
# Packages that compile and link a C or C++ program, and what of them no such program needs.
TOOLCHAIN_PACKAGES = (
    "g++", "gcc", "g++-12", "gcc-12", "cpp", "cpp-12", "libstdc++-12-dev", "libgcc-12-dev",
    "binutils", "binutils-x86-64-linux-gnu", "libc6-dev", "linux-libc-dev", "libcrypt-dev", "make",
    "libc6", "libgcc-s1", "libstdc++6",
)  # fmt: skip
TOOLCHAIN_UNNEEDED = (
    "/usr/share/", "/usr/lib/x86_64-linux-gnu/gconv", "/usr/lib/x86_64-linux-gnu/gprofng", "/usr/bin/gprofng",
    "/usr/bin/lto-dump",
    "/usr/bin/x86_64-linux-gnu-lto-dump", "/usr/bin/x86_64-linux-gnu-gp-", "/usr/bin/x86_64-linux-gnu-dwp",
    "/usr/lib/gcc/x86_64-linux-gnu/12/lto1", "/usr/lib/gcc/x86_64-linux-gnu/12/g++-mapper-server",
    "/usr/lib/gcc/x86_64-linux-gnu/12/plugin/", "/usr/lib/gcc/x86_64-linux-gnu/12/lto-wrapper",
)  # fmt: skip
TOOLCHAIN_ARCHIVES = ("libc_nonshared.a", "libgcc.a", "libgcc_eh.a", "libpthread.a", "libm.a", "libdl.a", "librt.a")
UNUSED_AFTER_SECONDS = 7 * 24 * 3600


class Layers:
    """Builds layers; CACHE is the folder that keeps them."""

    def __init__(self, cache: Path) -> None:
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VmError(f"the cache folder '{cache}': {error.strerror} (CPPLAND_CACHE names another)") from error
        self._cache = cache
        self._libraries = Libraries(cache)

    def base(self) -> Path:
        tree = Tree()
        add_system_files(tree)
        busybox = shutil.which("busybox")
        if busybox is None:
            raise VmError("busybox is not installed (run tools/setup)")
        tree.file("/usr/bin/busybox", busybox)
        for applet in subprocess.check_output([busybox, "--list-full"], text=True).split():
            if posixpath.basename(applet) not in ("busybox", "linuxrc"):
                tree.link(_applet_path(applet), "/usr/bin/busybox")
        for name, program_name in REQUIRED_PROGRAMS.items():
            program = _which(program_name)
            if program is None:
                raise VmError(f"{program_name} is not installed (run tools/setup)")
            self._add_one(tree, "/usr/bin/" + name, program)
        for name in BASE_PROGRAMS:
            program = _which(name)
            if program is not None:
                self._add_one(tree, "/usr/bin/" + name, program)
        return self._kept("base", tree)

    def modules(self, release: str, folder: Path) -> Path:
        tree = Tree()
        _add_folder(tree, f"/usr/lib/modules/{release}", folder)
        return self._kept("modules", tree)

    def toolchain(self) -> Path:
        tree = Tree()
        listing = subprocess.run(
            ["dpkg", "-L", *TOOLCHAIN_PACKAGES], capture_output=True, text=True, check=False
        ).stdout
        for path in sorted(set(listing.split("\n"))):
            if path.startswith(("/usr/", "/lib/", "/lib64/")) and _compiles_need(path):
                self._add_one(tree, path, path)
        if "/usr/bin/g++" not in tree:
            raise VmError("--add-toolchain: g++ is not installed (run tools/setup)")
        tree.link("/usr/bin/c++", "g++")
        tree.link("/usr/bin/cc", "gcc")
        return self._kept("toolchain", tree)

    def add_build(self, tree: Tree, build: Path) -> None:
        """The executables of BUILD/bin become the guest's /usr/bin."""
        for path in sorted((build / "bin").iterdir()):
            if path.is_file() and os.access(path, os.X_OK):
                self._add_one(tree, f"/usr/bin/{path.name}", os.path.realpath(path))

    def add_user_file(self, tree: Tree, request: str) -> None:
        """FILE[:GUESTPATH], where FILE may be a folder."""
        source, target = _split_request(request)
        path = Path(source)
        if not path.is_dir():
            self._add_one(tree, target, os.path.realpath(path))
            return
        tree.directory(target)
        for folder, names, files in os.walk(path):
            inside = posixpath.join(target, os.path.relpath(folder, path))
            for name in names + files:
                self._add_one(tree, posixpath.join(inside, name), os.path.join(folder, name))

    def save(self) -> None:
        self._libraries.save()

    def _add_one(self, tree: Tree, target: str, source: str) -> None:
        """One file, link or (without what is in it) folder; with its libraries if it is a program."""
        if os.path.islink(source):
            tree.link(target, os.readlink(source))
        elif os.path.isdir(source):
            tree.directory(target)
        elif os.path.isfile(source):
            tree.file(target, source)
            if is_elf(source) and not source.endswith((".o", ".a", ".ko")):
                self._libraries.add_to(tree, source)

    def _kept(self, name: str, tree: Tree) -> Path:
        """The archive of TREE, from the cache if it has the same content."""
        path = self._cache / f"{name}-{_fingerprint(tree)}.cpio"
        try:
            os.utime(path)
            return path
        except FileNotFoundError:
            pass
        partial = path.with_suffix(f".{os.getpid()}")
        try:
            with open(partial, "wb") as out:
                tree.write(out)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._forget_unused()
        return path

    def _forget_unused(self) -> None:
        for path in self._cache.glob("*.cpio"):
            try:
                if time.time() - path.stat().st_mtime > UNUSED_AFTER_SECONDS:
                    path.unlink()
            except FileNotFoundError:
                pass


def write_archive(out: BinaryIO, layers: list[Path], top: Tree) -> int:
    """LAYERS and then TOP, which wins, as one initial file system; returns its size."""
    for layer in layers:
        with open(layer, "rb") as file:
            shutil.copyfileobj(file, out, 1 << 20)
    top.write(out)
    out.flush()
    return out.tell()


def _fingerprint(tree: Tree) -> str:
    digest = hashlib.sha256()
    for path, entry in tree.items():
        stamp = ""
        if entry.source:
            info = os.stat(entry.source)
            stamp = f"{entry.source}:{info.st_mtime_ns}:{info.st_size}"
        digest.update(repr((path, entry.mode, entry.owner, entry.content, stamp)).encode())
    return digest.hexdigest()[:16]


def _which(name: str) -> str | None:
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return os.path.realpath(found) if found else None


def _applet_path(listed: str) -> str:
    """Applets stand in /usr/bin, except for those of the administrator."""
    folder = "/usr/sbin/" if "sbin/" in listed else "/usr/bin/"
    return folder + posixpath.basename(listed)


def _compiles_need(path: str) -> bool:
    if path.startswith(TOOLCHAIN_UNNEEDED):
        return False
    name = posixpath.basename(path)
    if name.endswith(".a"):
        return name in TOOLCHAIN_ARCHIVES
    return "san.so" not in name and "san_preinit" not in name


def _split_request(request: str) -> tuple[str, str]:
    source, target = request, ""
    if not os.path.exists(request) and ":" in request:
        source, _, target = request.rpartition(":")
    if not source or not os.path.exists(source):
        raise UsageError(f"--add: there is no file '{source or request}'")
    absolute = os.path.abspath(source)
    name = os.path.basename(absolute)
    if not target:
        target = absolute if absolute.startswith("/usr/") else name
    elif target.endswith("/"):
        target += name
    return source, posixpath.join("/root", target)


def _add_folder(tree: Tree, target: str, folder: Path) -> None:
    for inside, _, files in os.walk(folder):
        for name in files:
            path = Path(inside, name)
            tree.file(posixpath.join(target, path.relative_to(folder).as_posix()), str(path))
