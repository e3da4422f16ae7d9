"""What the package says today of the runs that were fitted: its diagnoses, and the band of several laws together.

The prediction was made without either. Of the runs that were held back only the counts inside the bands are taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import jaxscale as js
from benchmarks.pilot.forecast import LAW, LEVEL, SEED, runs_of
from benchmarks.pilot.records import SCHEMA_VERSION

REVISITED = Path(__file__).with_name("revisited.json")
REPLICATES = 200
FURTHER = ("layers", "width", "learning_rate", "steps", "batch")
"""Columns of the ledger that the law does not take and a diagnosis may try."""

Rows = Sequence[Mapping[str, str]]


def revisit(rows: Rows, held_back: Rows) -> dict:
    """Return the diagnoses of the fitted rows, the laws compared on them, and how their bands hold what was made."""
    return {
        "schema_version": SCHEMA_VERSION,
        "rows": len(rows),
        "diagnoses": diagnoses(rows, max(float(row["budget"]) for row in held_back)),
        **bands(rows, held_back),
    }


def diagnoses(rows: Rows, flops: float) -> list[dict[str, str]]:
    """Return code and message of all that `js.diagnose` and the fit find, with the target at this compute."""
    plain = runs_of(rows)
    further = {name: np.array([float(row[name]) for row in rows]) for name in FURTHER}
    columns = {name: plain[name] for name in ("params", "tokens", "flops")}
    runs = js.Runs.from_arrays(loss=plain.loss, **columns, **further)
    found = js.diagnose(js.fit(runs, LAW), flops=flops)
    return [{"code": one.code, "message": " ".join(one.message.split())} for one in (*runs.findings, *found.findings)]


def bands(rows: Rows, held_back: Rows) -> dict:
    """Return the laws that are compared by default, ranked on the fitted rows alone, and the bands of what was made.

    width: median of ln(upper/lower).   error: root mean square of ln(prediction) - ln(loss) over the runs above the
    cut-offs, which are fitted rows, too.
    """
    found = js.compare(runs_of(rows), scheme="cluster", replicates=REPLICATES, seed=SEED, level=LEVEL)
    beyond = js.comparing.hold_out(found, runs_of(held_back))
    return {
        "level": LEVEL,
        "replicates": REPLICATES,
        "cuts": [float(cut) for cut in found.cuts],
        "laws": [
            {"law": one.law.name, "error": one.root_mean_square, "weight": one.weight} for one in found.scores
        ],
        "failed": dict(found.failed),
        "held_back": len(held_back),
        "bands": [
            {"band": name, "inside": int(beyond.is_inside(name).sum()), "width": beyond.width(name)}
            for name in beyond.bands
        ],
    }  # fmt: skip
