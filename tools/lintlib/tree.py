# SPDX-License-Identifier: GPL-2.0-only
"""The project's files: which there are, and which of them include which."""

import hashlib
import re
import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
CPP_SUFFIXES = (".h", ".cc", ".c")


def project_files(root):
    """Paths below root, relative to it: what git tracks or would track; in an unpacked archive, all."""
    git = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=False,
    )
    if git.returncode == 0:
        names = [Path(name) for name in git.stdout.decode().split("\0") if name]
    else:
        names = [path.relative_to(root) for path in Path(root).rglob("*")]
        names = [name for name in names if name.parts[0] not in ("build", "out", ".git")]
    return sorted(name for name in set(names) if (root / name).is_file())


def cpp_files(root):
    return [name for name in project_files(root) if name.suffix in CPP_SUFFIXES]


def includes(path):
    """(line number, '"' or '<', name) of each #include in a file."""
    lines = path.read_text(errors="replace").splitlines()
    found = ((number, INCLUDE.match(line)) for number, line in enumerate(lines, 1))
    return [(number, match[1], match[2]) for number, match in found if match]


class Closure:
    """A digest of a file and of all that it includes from the project or its build folder."""

    def __init__(self, folders):
        self.folders = [Path(folder) for folder in folders]
        self.files = lru_cache(maxsize=None)(self._files)
        self.content = lru_cache(maxsize=None)(lambda path: path.read_bytes())

    def _direct(self, path):
        for _, quote, name in includes(path):
            beside = [path.parent] if quote == '"' else []
            for folder in beside + self.folders:
                if (folder / name).is_file():
                    yield (folder / name).resolve()
                    break

    def _files(self, path):
        seen = {path}
        todo = [path]
        while todo:
            for included in self._direct(todo.pop()):
                if included not in seen:
                    seen.add(included)
                    todo.append(included)
        return sorted(seen)

    def digest(self, path, *extra):
        digest = hashlib.sha256()
        for word in extra:
            digest.update(str(word).encode() + b"\0")
        for file in self.files(path.resolve()):
            content = self.content(file)
            digest.update(b"%d\0" % len(content) + content)
        return digest.hexdigest()
