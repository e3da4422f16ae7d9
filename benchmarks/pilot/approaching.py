"""The three approaches to the best size, on the study's own runs and their curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import jaxscale as js
from benchmarks.pilot.forecast import LEVEL, SEED
from benchmarks.pilot.records import SCHEMA_VERSION
from jaxscale.approaches import agreement
from jaxscale.reports import agreement_document

APPROACHES = Path(__file__).with_name("approaches.json")
REPLICATES = 400
TOLERANCE = 0.02
"""Runs of one budget differ in FLOP by less."""

WHOLE = ("flops", "price", "bootstrap", "approaches", "differences", "absent")
KEPT = (
    "name", "rows", "parts", "replicates_used", "params_exponent", "params_exponent_band", "params", "params_band",
    "first", "second", "exponent", "exponent_band", "params_ratio", "params_ratio_band",
)  # fmt: skip

Rows = Sequence[Mapping[str, str]]


def curved(rows: Rows, curves: Rows) -> js.Runs:
    """Return the runs with their losses on the way, each run a group.

    Losses on the way were measured on fewer windows than the last one; a curve is moved to end where its run does.
    """
    points: dict[str, list[Mapping[str, str]]] = {}
    for point in curves:
        points.setdefault(point["run"], []).append(point)
    columns: dict[str, list[float]] = {"params": [], "tokens": [], "flops": [], "loss": []}
    group = []
    for row in rows:
        way = sorted(points[row["run"]], key=lambda point: int(point["tokens"]))
        moved = float(row["loss"]) - float(way[-1]["loss"])
        for point in way:
            for name in ("params", "tokens", "flops"):
                columns[name].append(float(point[name]))
            columns["loss"].append(float(point["loss"]) + moved)
            group.append(row["run"])
    arrays = {name: np.array(values) for name, values in columns.items()}
    return js.Runs.from_arrays(group=np.array(group, dtype=object), **arrays)


def compare(rows: Rows, curves: Rows, flops: Sequence[float]) -> dict:
    """Return what the approaches say of runs: approach 1 of the curves, 2 and 3 of their ends."""
    runs = curved(rows, curves)
    found = agreement(
        runs, flops=flops, tolerance=TOLERANCE, method="cubic", final=True, replicates=REPLICATES, seed=SEED
    )
    document = agreement_document(found, LEVEL)
    for part in ("approaches", "differences"):
        document[part] = [{name: one[name] for name in KEPT if name in one} for one in document[part]]
    return {"schema_version": SCHEMA_VERSION, "runs": len(rows), **{name: document[name] for name in WHOLE}}
