# SPDX-License-Identifier: GPL-2.0-only
"""Reads what bench/run and decision_bench left, and believes none of it before it has looked."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchlib import CompareError
from runlib.results import VERSION
from runlib.workloads import ALL

RESULTS, MICRO = "results.json", "decision_bench.json"  # in a folder
KINDS = {RESULTS: "results of bench/run", MICRO: "results of decision_bench"}
ALLOCATIONS, INSTRUCTIONS = "allocs/op", "instructions/op"
MOST = 1e100  # so that quotients are numbers, too
NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}

Key = tuple[str, str, int, int]  # scheduler, workload, CPUs, seed


@dataclass(frozen=True)
class Job:
    figures: Mapping[str, float]  # of its workload, those to compare; none: it failed
    failure: str = ""
    rss_kb: float | None = None


@dataclass(frozen=True)
class Results:
    version: int
    conditions: Mapping[str, Any]
    jobs: Mapping[Key, Job]


@dataclass
class Operation:
    """One benchmark of decision_bench: what its repetitions counted."""

    allocations: list[float] = field(default_factory=list)
    instructions: list[float] = field(default_factory=list)
    ns: list[float] = field(default_factory=list)
    failure: str = ""


@dataclass(frozen=True)
class Benchmark:
    """A file, or a folder with up to one of each kind."""

    name: str
    results: Results | None = None
    micro: Mapping[str, Operation] | None = None

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, part in ((RESULTS, self.results), (MICRO, self.micro)) if part is not None]


class _Bad(Exception):
    """What is wrong with a file."""


def read(path: Path, any_version: bool = False) -> Benchmark:
    """Or raises OSError. ANY_VERSION: tries to, even if this program does not know the results' version."""
    files = [path]
    if path.is_dir():
        files = [path / name for name in (RESULTS, MICRO) if (path / name).exists()]
        if not files:
            raise CompareError(f"{path}: a folder with neither {RESULTS} nor {MICRO}", 2)
    parts: dict[str, Any] = {}
    for file in files:
        try:
            kind, part = _parse(file.read_bytes(), any_version)
            if kind in parts:
                raise _Bad(f"these are {KINDS[kind]} too")
        except _Bad as error:
            raise CompareError(f"{file}: {error}", 2) from error
        parts[kind] = part
    return Benchmark(str(path), parts.get(RESULTS), parts.get(MICRO))


def _parse(text: bytes, any_version: bool) -> tuple[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _Bad("this is no JSON") from error
    if isinstance(document, dict) and "jobs" in document:
        return RESULTS, _results(document, any_version)
    if isinstance(document, dict) and "benchmarks" in document:
        return MICRO, _micro(document)
    raise _Bad("neither results of bench/run nor of decision_bench")


# --- values ---


def _get(place: str, of: dict[str, Any], name: str, kind: type, what: str) -> Any:
    if name not in of:
        raise _Bad(f"{place} has no '{name}'")
    value = of[name]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _Bad(f"'{name}' of {place} is not {what}")
    return value


def _name(place: str, of: dict[str, Any], name: str) -> str:
    text: str = _get(place, of, name, str, "a name")
    if not text or not text.isprintable() or "|" in text:
        raise _Bad(f"'{name}' of {place} is not a name")
    return text


def _count(place: str, of: dict[str, Any], name: str, least: int) -> int:
    number: int = _get(place, of, name, int, "a whole number")
    if number < least:
        raise _Bad(f"'{name}' of {place} is less than {least}")
    return number


def _figure(place: str, of: dict[str, Any], name: str) -> float:
    value = _get(place, of, name, object, "")
    # An integer may be more than a float can hold.
    if type(value) not in (int, float) or not (value == 0 or 1 / MOST <= value <= MOST):
        raise _Bad(f"'{name}' of {place} is not a number from 0 up to {MOST:g}")
    return float(value)


def _dicts(document: dict[str, Any], name: str, noun: str) -> Iterator[tuple[str, dict[str, Any]]]:
    each = _get("the file", document, name, list, "a list")
    if not each:
        raise _Bad(f"'{name}' is empty: nothing was measured")
    for number, entry in enumerate(each, 1):
        if not isinstance(entry, dict):
            raise _Bad(f"{noun} {number} is not an object")
        yield f"{noun} {number}", entry


def one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


# --- bench/run ---


def _results(document: dict[str, Any], any_version: bool) -> Results:
    version = _count("the file", document, "version", 0)
    if version != VERSION and not any_version:
        raise _Bad(f"results of version {version}, not {VERSION} (--force tries)")
    conditions = _get("the file", document, "conditions", dict, "an object")
    _name("the conditions", conditions, "kernel")
    _get("the conditions", conditions, "quick", bool, "true or false")
    seeds = _get("the conditions", conditions, "seeds", list, "a list")
    if not all(type(seed) is int for seed in seeds):
        raise _Bad("'seeds' of the conditions are not whole numbers")
    jobs: dict[Key, Job] = {}
    for place, entry in _dicts(document, "jobs", "job"):
        key = (
            _name(place, entry, "scheduler"), _name(place, entry, "workload"),
            _count(place, entry, "cpus", 1), _count(place, entry, "seed", 0),
        )  # fmt: skip
        if key[1] not in ALL:
            raise _Bad(f"{place} is of an unknown workload, '{key[1]}'")
        if key in jobs:
            raise _Bad(f"{place} is there twice")
        jobs[key] = _job(place, entry)
    return Results(version, conditions, jobs)


def _job(place: str, entry: dict[str, Any]) -> Job:
    if "failure" in entry:
        failure = one_line(_get(place, entry, "failure", str, "a text"))
        return Job({}, failure or "for no reason that is known")
    figures = _get(place, entry, "figures", dict, "an object")
    workload = ALL[entry["workload"]]
    wanted = [name for name in workload.figures if name == workload.measure or name in figures]
    return Job({name: _figure(place, figures, name) for name in wanted}, rss_kb=_figure(place, entry, "rss_kb") if "rss_kb" in entry else None)


# --- decision_bench ---


def _micro(document: dict[str, Any]) -> Mapping[str, Operation]:
    operations: dict[str, Operation] = {}
    for place, entry in _dicts(document, "benchmarks", "benchmark"):
        if entry.get("run_type") == "aggregate":  # made of the repetitions, which are there too
            continue
        operation = operations.setdefault(_name(place, entry, "name"), Operation())
        if entry.get("error_occurred"):
            operation.failure = one_line(str(entry.get("error_message", ""))) or "for no reason that is known"
            continue
        if ALLOCATIONS in entry:
            operation.allocations.append(_figure(place, entry, ALLOCATIONS))
        if INSTRUCTIONS in entry:
            operation.instructions.append(_figure(place, entry, INSTRUCTIONS))
        if "cpu_time" in entry:
            unit = _get(place, entry, "time_unit", str, "a unit of time")
            if unit not in NS:
                raise _Bad(f"'time_unit' of {place} is none of {', '.join(NS)}")
            operation.ns.append(_figure(place, entry, "cpu_time") * NS[unit])
    if not operations:
        raise _Bad("only means of repetitions, and none of these")
    return operations
