# SPDX-License-Identifier: GPL-2.0-only
"""Files that are kept, to compare with: figures that another machine has too, and nothing about this one."""

import json
from pathlib import Path
from typing import Any

from benchlib import CompareError
from runlib.results import place_text

from .read import ALLOCATIONS, INSTRUCTIONS, MICRO, RESULTS, Benchmark, Operation, Results


def save(benchmark: Benchmark, folder: Path) -> list[Path]:
    """Puts what BENCHMARK has into FOLDER, and leaves the rest of it alone. What failed is nothing to compare with."""
    documents: dict[str, Any] = {}
    if benchmark.results is not None:
        documents[RESULTS] = _results(benchmark.results)
    if benchmark.micro is not None:
        documents[MICRO] = {"benchmarks": [_operation(name, each) for name, each in benchmark.micro.items()]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in documents.items():
        partial = folder / f"{name}.part"
        partial.write_text(json.dumps(document, indent=1) + "\n")
        partial.replace(folder / name)
    return [folder / name for name in documents]


def _results(results: Results) -> dict[str, Any]:
    jobs = []
    for (scheduler, workload, cpus, seed), job in results.jobs.items():
        if job.failure:
            raise CompareError(f"{scheduler}, {place_text(workload, cpus)}, seed {seed}: {job.failure}", 2)
        entry: dict[str, Any] = {"scheduler": scheduler, "workload": workload, "cpus": cpus, "seed": seed}
        entry["figures"] = dict(job.figures)
        if job.rss_kb is not None:
            entry["rss_kb"] = job.rss_kb
        jobs.append(entry)
    return {"version": results.version, "conditions": dict(results.conditions), "jobs": jobs}


def _operation(name: str, operation: Operation) -> dict[str, Any]:
    if operation.failure:
        raise CompareError(f"{name}: {operation.failure}", 2)
    found: dict[str, Any] = {"name": name}
    for key, values in ((ALLOCATIONS, operation.allocations), (INSTRUCTIONS, operation.instructions)):
        if values:
            found[key] = max(values)
    if len(found) == 1:
        raise CompareError(f"{name}: neither {ALLOCATIONS} nor {INSTRUCTIONS}, nothing to compare with", 2)
    return found
