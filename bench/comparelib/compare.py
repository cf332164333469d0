# SPDX-License-Identifier: GPL-2.0-only
"""Figures of two benchmarks, their verdicts, and the table of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from benchlib.figures import median
from runlib.results import cpus_text, place_text
from runlib.schedulers import DEFAULT
from runlib.workloads import ALL

from .read import KINDS, Benchmark, Job, Key, Operation, Results

BETTER, SAME, WORSE = "better", "same", "worse"
NO_VERDICT = "-"  # of figures that are there to be seen only
NO_CPUS = "-"
LEAST_US = 20  # about an interrupt more or less, which a p99 of few wake-ups rests on
Place = tuple[str, str, int]  # scheduler, workload, CPUs


@dataclass(frozen=True)
class Row:
    name: str  # the first columns of the table
    old: str
    new: str
    ratio: str
    verdict: str


@dataclass
class Comparison:
    rows: list[Row] = field(default_factory=list)
    regressions: list[str] = field(default_factory=list)
    to_default: bool = False  # some figures are in units of the default scheduler's

    def add(self, name: str, old: str, new: str, ratio: str, verdict: str) -> None:
        self.rows.append(Row(name, old, new, ratio, verdict))
        if verdict == WORSE:
            who, what, cpus = name.split(" | ")
            where = "" if cpus == NO_CPUS else f", {cpus_text(int(cpus))}"
            self.regressions.append(f"{who}, {what}{where}: {old} became {new}")

    def table(self) -> str:
        lines = []
        if self.to_default:
            lines += [f"Figures with an x are in units of those of the scheduler '{DEFAULT}' with the same seed.", ""]
        lines += ["| who | what | CPUs | old | new | new / old | |", "| --- " * 7 + "|"]
        lines += [f"| {row.name} | {row.old} | {row.new} | {row.ratio} | {row.verdict} |" for row in self.rows]
        return "\n".join(lines)


def verdict(
    old: Sequence[float], new: Sequence[float], percent: float, more_is_better: bool = False, least: float = 0
) -> str:
    """A change counts if it is more than so many percent, than what the seeds of either side differ by, and than
    LEAST."""
    change = median(new) - median(old)
    if abs(change) <= max(abs(median(old)) * percent / 100, max(old) - min(old), max(new) - min(new), least):
        return SAME
    return BETTER if (change > 0) == more_is_better else WORSE


def different_conditions(old: Results, new: Results) -> list[str]:
    found = [] if old.version == new.version else [f"version ({old.version}, {new.version})"]
    for name in dict.fromkeys((*old.conditions, *new.conditions)):
        mine, others = (_sorted(each.conditions.get(name)) for each in (old, new))
        if mine != others:
            found.append(f"{name} ({mine}, {others})")
    return found


def _sorted(value: object) -> object:
    return sorted(value, key=repr) if isinstance(value, list) else value


def compare(old: Benchmark, new: Benchmark, percent: float, partial: bool) -> Comparison:
    """PARTIAL: NEW need not have all that OLD has."""
    found = Comparison()
    missing = [f"{KINDS[kind]}: missing" for kind in old.kinds if kind not in new.kinds]
    if old.results and new.results:
        missing += _jobs(found, old.results, new.results, percent)
    if old.micro and new.micro:
        missing += _operations(found, old.micro, new.micro, percent)
    if not partial:
        found.regressions += missing
    return found


# --- bench/run ---


def _jobs(found: Comparison, old: Results, new: Results, percent: float) -> list[str]:
    both = [place for place in _places(old) if place in _places(new)]
    others = {place[1:] for place in both if place[0] != DEFAULT}
    for place in both:
        measured_by = place[0] == DEFAULT and place[1:] in others
        for figure in ALL[place[1]].figures:
            _measure(found, place, figure, old.jobs, new.jobs, percent, measured_by)
        _memory(found, place, old.jobs, new.jobs, percent)
    # Seeds have their counterparts only if they are the same ones.
    by_seed = set(old.conditions["seeds"]) == set(new.conditions["seeds"])
    found.regressions += _failures(old.jobs, new.jobs, by_seed)
    return list(_missing(old.jobs, new.jobs, by_seed))


def _places(results: Results) -> list[Place]:
    return list(dict.fromkeys((scheduler, workload, cpus) for scheduler, workload, cpus, _ in results.jobs))


def _here(jobs: Mapping[Key, Job], place: Place) -> dict[int, Job]:
    """By seed."""
    return {key[3]: job for key, job in jobs.items() if key[:3] == place}


def _values(jobs: Mapping[Key, Job], place: Place, figure: str) -> dict[int, float]:
    return {seed: job.figures[figure] for seed, job in _here(jobs, place).items() if figure in job.figures}


def _measure(
    found: Comparison, place: Place, figure: str, old_jobs: Mapping[Key, Job], new_jobs: Mapping[Key, Job],
    percent: float, measured_by: bool,
) -> None:  # fmt: skip
    """MEASURED_BY: there are others, which are in units of this one; then it is no matter of its own."""
    scheduler, workload, cpus = place
    name = f"{scheduler} | {workload} ({figure}) | {cpus}"
    old, new = _values(old_jobs, place, figure), _values(new_jobs, place, figure)
    if not old and new and figure == ALL[workload].measure:
        found.add(name, "failed", _text(list(new.values())), "-", BETTER)
    if not old or not new:
        return
    ratios = _to_default(old_jobs, place, figure), _to_default(new_jobs, place, figure)
    values = list(old.values()), list(new.values())
    better = ALL[workload].figures[figure]
    least: float = LEAST_US if figure.endswith("_us") else 0
    if scheduler == DEFAULT or not all(ratios):
        _add(found, name, *values, NO_VERDICT if measured_by else verdict(*values, percent, better, least))
    else:
        found.to_default = True
        own = _values(old_jobs, (DEFAULT, workload, cpus), figure)
        least /= median([own[seed] for seed in old])
        _add(found, name, *ratios, verdict(*ratios, percent, better, least), "x")


def _to_default(jobs: Mapping[Key, Job], place: Place, figure: str) -> list[float]:
    """In units of what the default scheduler has with the same seed; empty if it has not all of them."""
    values, own = _values(jobs, place, figure), _values(jobs, (DEFAULT, *place[1:]), figure)
    if not all(own.get(seed) for seed in values):
        return []
    return [value / own[seed] for seed, value in values.items()]


def _memory(
    found: Comparison, place: Place, old_jobs: Mapping[Key, Job], new_jobs: Mapping[Key, Job], percent: float
) -> None:
    old, new = (
        [job.rss_kb for job in _here(jobs, place).values() if job.rss_kb is not None] for jobs in (old_jobs, new_jobs)
    )
    if old and new:
        _add(found, f"{place[0]} | {place[1]} (RSS in KiB) | {place[2]}", old, new, verdict(old, new, percent))


def _failures(old: Mapping[Key, Job], new: Mapping[Key, Job], by_seed: bool) -> Iterator[str]:
    failed = {key for key, job in old.items() if job.failure}
    failed_places = {key[:3] for key in failed}
    for key, job in new.items():
        if job.failure and key not in failed and (by_seed or key[:3] not in failed_places):
            yield f"{_place_text(key[:3])}, seed {key[3]}: failed: {job.failure}"


def _missing(old: Mapping[Key, Job], new: Mapping[Key, Job], by_seed: bool) -> Iterator[str]:
    """Of what went well in OLD."""
    there = {key[:3] for key in new}
    lost = [key for key, job in old.items() if not job.failure and (key if by_seed else key[:3]) not in {*new, *there}]
    for place, keys in groupby(sorted(lost), lambda key: key[:3]):
        seeds = ", ".join(str(key[3]) for key in keys)
        yield f"{_place_text(place)}: missing" + (f" (seeds: {seeds})" if place in there else "")
    for place in sorted(there & {key[:3] for key in old}):
        mine, others = (list(_here(jobs, place).values()) for jobs in (old, new))
        lost_figures = {name for job in mine for name in job.figures} - {name for job in others for name in job.figures}
        if all(job.failure for job in others):
            continue
        yield from (f"{_place_text(place)}: {name} is missing" for name in sorted(lost_figures))
        if any(job.rss_kb is not None for job in mine) and all(job.rss_kb is None for job in others):
            yield f"{_place_text(place)}: RSS is missing"


def _place_text(place: Place) -> str:
    return f"{place[0]}, {place_text(place[1], place[2])}"


# --- decision_bench ---


def _operations(
    found: Comparison, old: Mapping[str, Operation], new: Mapping[str, Operation], percent: float
) -> list[str]:
    missing = []
    for name, mine in old.items():
        others = new.get(name)
        if others is None:
            missing += [] if mine.failure else [f"{name}: missing"]
            continue
        for what, a, b in (
            ("allocations per operation", mine.allocations, others.allocations),
            ("instructions per operation", mine.instructions, others.instructions),
            ("CPU time in ns", mine.ns, others.ns),
        ):
            if not a or not b:
                if a and what.startswith("alloc") and not others.failure:
                    missing.append(f"{name}: no allocations are counted")
                continue
            judged = NO_VERDICT
            if a is mine.allocations:
                judged = WORSE if max(b) > max(a) else BETTER if max(b) < max(a) else SAME
            elif a is mine.instructions:
                judged = verdict(a, b, percent)
            _add(found, f"{name} | {what} | {NO_CPUS}", a, b, judged)
    for name, operation in new.items():
        if operation.failure and not (name in old and old[name].failure):
            found.regressions.append(f"{name}: failed: {operation.failure}")
    return missing


# --- text ---


def _add(found: Comparison, name: str, old: Sequence[float], new: Sequence[float], judged: str, sign: str = "") -> None:
    ratio = f"{median(new) / median(old):.2f}" if median(old) else "-"
    found.add(name, _text(old, sign), _text(new, sign), ratio, judged)


def _text(values: Sequence[float], sign: str = "") -> str:
    text = sign + _digits(median(values))
    if max(values) > min(values):
        text += f" ({_digits(min(values))} to {_digits(max(values))})"
    return text


def _digits(value: float) -> str:
    """Four or more of them: so many that a change that counts can be seen."""
    return f"{value:.0f}" if value >= 1000 or value == int(value) else f"{value:.4g}"
