#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""check_layers.py - includes go down only, and each layer includes only what it may.

usage: tools/check_layers.py [ROOT]

The layers are those of ARCHITECTURE.md, bottom-up. Prints FILE:LINE and the rule that is broken.
"""

import re
import sys
from pathlib import Path

from lintlib.tree import ROOT, cpp_files, includes

# Bottom-up. A file belongs to the first folder that contains it; a layer may include itself and what
# stands above it in this list.
LAYERS = [
    "abi",
    "bpf",
    "include/cppland",
    "src/base",
    "src/topology",
    "src/stats",
    "src/kernel",
    "src/policies",
    "src/agent",
    "src/sim",
    "src/cli",
    "apps",
    "bench",
    "tests",
]

# Where an include's name may be found, as on the compiler's command line.
INCLUDE_ROOTS = ["include", "src", "."]

LIVE = Path("src/kernel/live")
# Plays the other side of the shared memory.
OTHER_SIDE = Path("tests/vm/scribble.cc")
STANDARD_HEADER = re.compile(r"^[a-z_]+$")
SDK_LIBRARIES = ("boost/intrusive/",)
ABI_HEADERS = ("linux/types.h", "stdint.h", "stddef.h", "assert.h")


def layer_of(name):
    """Index in LAYERS; None for what belongs to none (tools and the like)."""
    for index, folder in enumerate(LAYERS):
        if name.is_relative_to(folder):
            return index
    return None


def find(root, including, quote, name):
    """The project's file that an include means, relative to root; None if it is not the project's."""
    folders = [including.parent] if quote == '"' else []
    for folder in folders + [Path(folder) for folder in INCLUDE_ROOTS]:
        candidate = root / folder / name
        if candidate.is_file():
            resolved = candidate.resolve()
            return resolved.relative_to(root) if resolved.is_relative_to(root) else None
    return None


def is_test(name):
    return name.parts[0] in ("tests", "bench") or name.stem.endswith(("_test", "_bench", "_fuzz"))


def broken_rule(root, file, quote, name):
    """Why this include is not allowed; None if it is."""
    included = find(root, file, quote, name)
    generated = name.endswith(".skel.h")
    if included is None:
        if quote == '"' and not generated:
            return f'"{name}" is no file of this project: use <> for headers of others'
        if (generated or name.startswith("bpf/")) and not file.is_relative_to("bpf"):
            if not file.is_relative_to(LIVE) and file != OTHER_SIDE:
                return f"only {LIVE} may use libbpf: <{name}>"
        elif file.is_relative_to("include/cppland"):
            if not STANDARD_HEADER.match(name) and not name.startswith(SDK_LIBRARIES):
                return f"the SDK's headers may include only abi, the standard library and each other: <{name}>"
        elif file.is_relative_to("abi") and name not in ABI_HEADERS:
            return f"the ABI may include only {', '.join(ABI_HEADERS)}: <{name}>"
        return None

    own, other = layer_of(file), layer_of(included)
    if included.is_relative_to("tests") and is_test(file):
        return None
    if is_test(included) and not is_test(file):
        return f"{included} is for tests only"
    if own is None and other is None:  # an example, of a file of its own
        return None
    if other is None:
        return f"{included} belongs to no layer"
    if own is not None and other > own:
        return f"{LAYERS[own]} must not include {included}, a layer above it"
    if file.is_relative_to("include/cppland") and LAYERS[other] == "bpf":
        return f"the SDK's headers may include only abi, the standard library and each other: {included}"
    return None


def check(root):
    """(file, line, rule) of every include that breaks one."""
    found = []
    for file in cpp_files(root):
        if layer_of(file) is None and file.parts[0] == "src":
            found.append((file, 1, f"{file.parent} is no layer: add it to LAYERS in tools/check_layers.py"))
        for line, quote, name in includes(root / file):
            rule = broken_rule(root, file, quote, name)
            if rule:
                found.append((file, line, rule))
    return found


def main():
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT
    found = check(root)
    for file, line, rule in found:
        print(f"{file}:{line}: {rule}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
