"""The prediction as it is written down, and the comparison with what was then measured."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import jaxscale as js
from benchmarks import machine
from benchmarks.pilot.forecast import LEVEL, METHODS, REPLICATES, SEED, Forecast, Limits
from benchmarks.pilot.training import Settings
from jaxscale.approaches import isoflop
from jaxscale.errors import RunsError

SCHEMA_VERSION = 1
PREDICTION = Path(__file__).with_name("prediction.json")


def prediction_of(made: Forecast, asked: Mapping[str, tuple[float, Settings]], commits: Sequence[str]) -> dict:
    """Return the document of a prediction; asked: name → budget and settings.   commits: of the rows it rests on."""
    fit = made.fit
    return {
        "schema_version": SCHEMA_VERSION,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "rows": len(fit.runs),
        "sha256": fit.runs.origin.sha256,
        "commits": sorted(set(commits)),
        "fit": {
            "law": fit.law.name,
            "coefs": dict(fit.coefs),
            "status": str(fit.status),
            "objective_value": fit.value,
            "starts": fit.certificate.starts,
            "agreeing_starts": fit.certificate.agreeing_starts,
        },
        "intervals": {"level": LEVEL, "methods": list(METHODS), "replicates": REPLICATES, "seed": SEED},
        "runs": [
            {
                "run": name,
                "budget": budget,
                "params": settings.shape.params,
                "tokens": settings.tokens,
                "loss": _written(made.losses[name]),
            }
            for name, (budget, settings) in asked.items()
        ],
        "best": [{"budget": budget, "params": _written(limits)} for budget, limits in made.best.items()],
    }


def _written(limits: Limits) -> dict:
    spans = {method: {"low": low, "high": high} for method, (low, high) in limits.intervals.items()}
    return {"value": limits.value, **spans}


def write(path: Path, document: Mapping) -> None:
    """Write a document to its file, numbers at full precision."""
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read(path: Path) -> dict | None:
    """Return the document of a file; None where there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def measured_best(runs: js.Runs) -> dict[float, float]:
    """Return the best params of each budget by the profiles' cubic, where it lies between sizes that were trained."""
    try:
        found = isoflop(runs, budget="budget", method="cubic")
    except RunsError:
        return {}
    return dict(zip(found.flops.tolist(), found.params.tolist(), strict=True))
