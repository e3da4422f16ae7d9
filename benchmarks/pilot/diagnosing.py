"""What the fitted runs say against the law: back-tests, what depth explains of its misses, what other laws predict.

None of it needs a run that was held back; how far other laws miss those is added where they have been made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import jaxscale as js
from benchmarks.pilot import ledger
from benchmarks.pilot.forecast import LAW, LEVEL, METHODS, forecast, runs_of, slopes_of
from benchmarks.pilot.records import SCHEMA_VERSION

DIAGNOSTICS = Path(__file__).with_name("diagnostics.json")
BACK = 2
"""Of so many budgets each is predicted from the smaller ones."""
REPLICATES = 1000
LAWS = (LAW, "chinchilla-tied", "nested-q", "kaplan")
"""The law of the prediction, the same with one exponent, one whose terms bend into one another, one without a floor."""

Rows = Sequence[Mapping[str, str]]


def diagnose(rows: Rows, asked: Rows, held_back: Rows) -> dict:
    """Return the diagnostics of the fitted rows; asked: what was predicted.   held_back: rows of it that were made."""
    budgets = sorted({float(row["budget"]) for row in rows})
    return {
        "schema_version": SCHEMA_VERSION,
        "rows": len(rows),
        "back_tests": [back_test(rows, budget) for budget in budgets[-BACK:]],
        "layers": left_over(rows, "layers"),
        "laws": other_laws(rows, asked, held_back),
    }


def back_test(rows: Rows, budget: float) -> dict:
    """Return how the runs of a budget are predicted from those of smaller ones."""
    known = [row for row in rows if float(row["budget"]) < budget]
    asked = {row["run"]: row for row in rows if float(row["budget"]) == budget}
    found = forecast(
        runs_of(known), {name: ledger.settings_of(row) for name, row in asked.items()}, (), replicates=REPLICATES
    )
    inside, misses = dict.fromkeys(METHODS, 0), []
    for name, row in asked.items():
        loss, limits = float(row["loss"]), found.losses[name]
        misses.append(np.log(loss / limits.value))
        for method, (low, high) in limits.intervals.items():
            inside[method] += bool(low <= loss <= high)
    return {
        "budget": budget, "runs": len(asked), "level": LEVEL, "inside": inside, "mean_miss": float(np.mean(misses)),
    }  # fmt: skip


def left_over(rows: Rows, column: str) -> dict:
    """Return the coefficient of ln column beside the law in least squares of ln loss, and its standard error.

    The law is linearised at its own least-squares fit.
    """
    fit = js.fit(runs_of(rows), LAW, objective=js.squared())
    slopes = slopes_of(fit.law, fit.law.theta(fit.coefs), fit.runs.columns)
    design = np.column_stack([slopes, np.log([float(row[column]) for row in rows])])
    missed = -fit.residuals
    effects = np.linalg.lstsq(design, missed, rcond=None)[0]
    spread = np.sum((missed - design @ effects) ** 2) / (len(rows) - design.shape[1])
    std = np.sqrt(spread * np.linalg.inv(design.T @ design)[-1, -1])
    return {"effect": float(effects[-1]), "std": float(std)}


def other_laws(rows: Rows, asked: Rows, held_back: Rows) -> list[dict]:
    """Return, per law, its objective on the fitted rows, and how it predicts what was asked beside the first law.

    beside_first: mean of ln of its prediction over the first law's.   mean_miss: mean of ln of loss over prediction.
    """
    runs = runs_of(rows)
    fits = [js.fit(runs, law) for law in LAWS]
    at = {name: np.array([float(one[name]) for one in asked]) for name in ("params", "tokens")}
    predicted = [np.log(js.predict(fit, **at)) for fit in fits]
    measured = {row["run"]: np.log(float(row["loss"])) for row in held_back}
    is_measured = np.array([one["run"] in measured for one in asked])
    losses = np.array([measured[one["run"]] for one in asked if one["run"] in measured])
    return [
        {
            "law": fit.law.name,
            "status": str(fit.status),
            "objective_value": fit.value,
            "beside_first": float(np.mean(logs - predicted[0])),
            "mean_miss": float(np.mean(losses - logs[is_measured])) if len(losses) else None,
        }
        for fit, logs in zip(fits, predicted, strict=True)
    ]
