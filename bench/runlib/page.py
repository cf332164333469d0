# SPDX-License-Identifier: GPL-2.0-only
"""The results as one page that needs nothing else."""

from html import escape
from typing import Any

from .results import (
    WORDS, cell, failure_word, failures, number_text, place_text, places, releases, schedulers, verdicts,
)  # fmt: skip
from .schedulers import DEFAULT
from .workloads import ALL

WIDTH, ROW, LABEL = 720, 22, 190
COLOURS = ("#777777", "#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72", "#6940a5", "#937264", "#e03e3e", "#448361")
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse } td, th { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: left }
.met { color: #0f7b6c } .missed { color: #e03e3e } svg text { font: 12px system-ui, sans-serif }
"""


def page(results: dict[str, Any]) -> str:
    conditions = results["conditions"]
    parts = [
        "<!doctype html>", '<html lang="en"><meta charset="utf-8"><title>Benchmark</title>',
        f"<style>{STYLE}</style>", "<h1>Benchmark</h1>",
        f"<p>Kernel {escape(str(conditions['kernel']))} ({escape(releases(results))}), seeds "
        f"{escape(', '.join(map(str, conditions['seeds'])))}. Bars "
        f"are medians, lines reach from the least to the most.</p>",
        "<h2>Goals</h2>", _goals(results),
    ]  # fmt: skip
    for workload, cpus in places(results):
        better = "more is better" if ALL[workload].more_is_better else "less is better"
        parts.append(f"<h2>{escape(place_text(workload, cpus))}</h2><p>{escape(ALL[workload].summary)}; "
                     f"{escape(ALL[workload].measure)}, {better}</p>")  # fmt: skip
        parts.append(_plot(results, workload, cpus))
    lost = failures(results)
    if lost:
        parts.append("<h2>Failures</h2><ul>" + "".join(f"<li>{escape(each)}</li>" for each in lost) + "</ul>")
    return "\n".join([*parts, "</html>", ""])


def _goals(results: dict[str, Any]) -> str:
    rows = "".join(
        f'<tr><td>{escape(each.what)}</td><td>{each.figure}</td><td>{each.limit}</td>'
        f'<td class="{WORDS[each.met]}">{WORDS[each.met]}</td></tr>'
        for each in verdicts(results)
    )  # fmt: skip
    return f"<table><tr><th>goal</th><th>measured</th><th>at most</th><th></th></tr>{rows}</table>"


def _plot(results: dict[str, Any], workload: str, cpus: int) -> str:
    names = schedulers(results)
    cells = [cell(results, name, workload, cpus) for name in names]
    own = cell(results, DEFAULT, workload, cpus).value
    longest = max((each.most for each in cells if each.value is not None), default=0) or 1
    scale = (WIDTH - LABEL - 150) / longest
    height = ROW * len(names) + 6
    lines = [f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">']
    for i, (name, each) in enumerate(zip(names, cells, strict=True)):
        y = ROW * i + 4
        lines.append(f'<text x="{LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        if each.value is None:
            lines.append(f'<text x="{LABEL}" y="{y + 13}">{failure_word(each)}</text>')
            continue
        width = max(each.value * scale, 1)
        lines.append(f'<rect x="{LABEL}" y="{y}" width="{width:.1f}" height="{ROW - 6}" '
                     f'fill="{COLOURS[i % len(COLOURS)]}"/>')  # fmt: skip
        lines.append(f'<path d="M{LABEL + each.least * scale:.1f} {y + 8}H{LABEL + each.most * scale:.1f}" '
                     f'stroke="#000"/>')  # fmt: skip
        text = number_text(each.value) + (f" (x{each.value / own:.2f})" if own else "")
        lines.append(f'<text x="{LABEL + max(width, each.most * scale) + 6:.1f}" y="{y + 13}">{text}</text>')
    return "\n".join([*lines, "</svg>"])
