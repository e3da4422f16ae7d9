"""What may stand on an axis: a quantity's label with its unit, and its values in a table of runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.laws import Law
from jaxscale.runs import Runs

LABELS = {
    "flops": "training compute C (FLOP)",
    "params": "params N",
    "tokens": "training tokens D (tokens)",
    "tokens_per_param": "tokens per param D/N",
    "loss": "loss (nats/token)",
}


@dataclass(frozen=True)
class Quantity:
    """A label with its unit, and one number per run (n,), positive for a log axis, NaN where the table has none."""

    name: str
    label: str
    values: np.ndarray
    is_log: bool = True


def label_of(name: str) -> str:
    """Return the axis label of a quantity; a column without a known unit is labelled by its own name."""
    return LABELS.get(name, name)


def column(runs: Runs, name: str) -> np.ndarray:
    """Return a quantity of the runs (n,) as positive numbers, NaN where the table has none that a log axis can show."""
    if name == "tokens_per_param":
        return column(runs, "tokens") / column(runs, "params")
    values = runs.loss if name == "loss" else runs.columns.get(name)
    if values is None or values.ndim != 1:
        return np.full(len(runs), np.nan)
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def abscissae(runs: Runs, law: Law) -> tuple[Quantity, ...]:
    """Return what residuals are drawn against: compute and tokens per param, else the law's inputs; one or two.

    Runs without a positive number in any of them are drawn against their row.
    """
    names = dict.fromkeys(("flops", "tokens_per_param", *law.inputs))
    found = [Quantity(name, label_of(name), column(runs, name)) for name in names]
    shown = tuple(one for one in found if np.isfinite(one.values).any())[:2]
    return shown or (Quantity("row", "row of the table", runs.row.astype(np.float64), is_log=False),)
