# SPDX-License-Identifier: GPL-2.0-only
"""What the demo's measurements say: a table, its ratios, and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchlib.figures import Latencies, latencies_of, ratio, ratio_text

CLASSES = {
    "frame": "frame task: 60 Hz",
    "audio": "audio task: every 5 ms",
    "pair": "request and answer",
}
# Changes by less than this are none: of a latency, and of the share of deadlines that were missed.
SAME_LATENCY = 0.05
SAME_MISSED = 0.001


@dataclass(frozen=True)
class ClassOutcome:
    """One class of tasks under one scheduler."""

    wakeup: Latencies
    periods: int = 0  # 0: the class has no deadlines
    missed: int = 0
    round_trip: Latencies | None = None

    @property
    def missed_share(self) -> float:
        return self.missed / self.periods if self.periods else 0.0


@dataclass(frozen=True)
class Outcome:
    """All runs under one scheduler, together."""

    classes: dict[str, ClassOutcome]
    hog_units_per_second: float
    compile_cpu_seconds_per_minute: float


def outcome_of(runs: Sequence[dict[str, Any]]) -> Outcome:
    """From the JSON of cppland-load, one per run. REQUIRES: there is one."""
    seconds = sum(run["seconds"] for run in runs)
    return Outcome(
        classes={name: _class_outcome([run[name] for run in runs]) for name in CLASSES},
        hog_units_per_second=sum(run["hogs"]["units"] for run in runs) / seconds,
        compile_cpu_seconds_per_minute=sum(run["with"]["cpu_seconds"] for run in runs) / seconds * 60,
    )


def _class_outcome(parts: Sequence[dict[str, Any]]) -> ClassOutcome:
    wakeup, round_trip = Latencies(), Latencies()
    for part in parts:
        wakeup.add(latencies_of(part["wakeup"]))
        if "round_trip" in part:
            round_trip.add(latencies_of(part["round_trip"]))
    return ClassOutcome(
        wakeup=wakeup,
        periods=sum(part.get("periods", 0) for part in parts),
        missed=sum(part.get("missed", 0) for part in parts),
        round_trip=round_trip if round_trip.count else None,
    )


def as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        **{name: _class_json(part) for name, part in outcome.classes.items()},
        "hog_units_per_second": outcome.hog_units_per_second,
        "compile_cpu_seconds_per_minute": outcome.compile_cpu_seconds_per_minute,
    }


def _class_json(part: ClassOutcome) -> dict[str, Any]:
    json: dict[str, Any] = {"wakeup": _latency_json(part.wakeup)}
    if part.periods:
        json |= {"periods": part.periods, "missed": part.missed}
    if part.round_trip:
        json["round_trip"] = _latency_json(part.round_trip)
    return json


def _latency_json(latencies: Latencies) -> dict[str, float]:
    return {
        "count": latencies.count, "p50_us": latencies.quantile(0.5),
        "p99_us": latencies.quantile(0.99), "max_us": latencies.max,
    }  # fmt: skip


# --- the table ----------------------------------------------------------------------------------------------


def table(own: Outcome, other: Outcome, name: str) -> str:
    """NAME is the other scheduler's."""
    lines = [_line("", "kernel's own", name, "ratio")]
    for key, title in CLASSES.items():
        lines.append(title)
        lines += _class_lines(own.classes[key], other.classes[key])
    lines.append("background")
    lines.append(_number_line("hog units / s", own.hog_units_per_second, other.hog_units_per_second))
    # Not files: in a measurement too few are finished for a comparison.
    compiles = own.compile_cpu_seconds_per_minute, other.compile_cpu_seconds_per_minute
    lines.append(_number_line("compile CPU s / min", *compiles))
    return "\n".join(lines)


def _class_lines(own: ClassOutcome, other: ClassOutcome) -> list[str]:
    lines = _latency_lines("wake-up", own.wakeup, other.wakeup)
    if own.round_trip and other.round_trip:
        lines += _latency_lines("round trip", own.round_trip, other.round_trip)
    if own.periods:
        lines.append(
            _line("  missed deadlines", f"{own.missed} of {own.periods}", f"{other.missed} of {other.periods}",
                  ratio_text(ratio(other.missed_share, own.missed_share)))  # fmt: skip
        )
    return lines


def _latency_lines(what: str, own: Latencies, other: Latencies) -> list[str]:
    lines = [
        _number_line(f"{what} p{percent} (us)", own.quantile(percent / 100), other.quantile(percent / 100))
        for percent in (50, 99)
    ]
    lines.append(_number_line(f"{what} max (us)", own.max, other.max))
    return lines


def _number_line(label: str, own: float, other: float) -> str:
    return _line("  " + label, f"{own:,.0f}", f"{other:,.0f}", ratio_text(ratio(other, own)))


def _line(label: str, own: str, other: str, change: str) -> str:
    return f"{label:<26}{own:>16}{other[:16]:>18}{change:>10}"


# --- the sentence -------------------------------------------------------------------------------------------


def verdict(own: Outcome, other: Outcome, name: str) -> str:
    """What the table says about the interactive tasks, and what it cost."""
    changes = {key: _p99_change(own.classes[key], other.classes[key]) for key in CLASSES}
    latencies = ", ".join(f"{key} {_change_text(change)}" for key, change in changes.items())
    missed = ", ".join(
        f"{key} {own.classes[key].missed} -> {other.classes[key].missed}"
        for key in CLASSES if own.classes[key].periods
    )  # fmt: skip
    return (
        f"{_judgement(own, other)}: under {name} the 99th percentile of the wake-up latency is {latencies}; "
        f"missed deadlines {missed}; background work {_work_text(own, other)}."
    )


def _p99_change(own: ClassOutcome, other: ClassOutcome) -> float | None:
    return ratio(other.wakeup.quantile(0.99), own.wakeup.quantile(0.99))


def _judgement(own: Outcome, other: Outcome) -> str:
    signs = set()
    for key in CLASSES:
        before, after = own.classes[key], other.classes[key]
        signs.add(_sign((_p99_change(before, after) or 1) - 1, SAME_LATENCY))
        signs.add(_sign(after.missed_share - before.missed_share, SAME_MISSED))
    if {1, -1} <= signs:
        return "Mixed"
    if -1 in signs:
        return "Better for the interactive tasks"
    return "Worse for the interactive tasks" if 1 in signs else "No difference for the interactive tasks"


def _sign(change: float, same: float) -> int:
    return 0 if abs(change) <= same else 1 if change > 0 else -1


def _change_text(change: float | None) -> str:
    if change is None:
        return "not known"
    if _sign(change - 1, SAME_LATENCY) == 0:
        return "the same"
    if change > 1:
        return f"{change:.1f} times as long"
    return f"{1 / change:.1f} times shorter" if change > 0 else "gone"


def _work_text(own: Outcome, other: Outcome) -> str:
    hogs = ratio(other.hog_units_per_second, own.hog_units_per_second)
    compiles = ratio(other.compile_cpu_seconds_per_minute, own.compile_cpu_seconds_per_minute)
    return f"hogs {_percent_text(hogs)}, compile's CPU time {_percent_text(compiles)}"


def _percent_text(change: float | None) -> str:
    if change is None:
        return "not known"
    percent = round(100 * (change - 1), 1)
    return f"{percent:+.1f} %" if percent else "unchanged"
