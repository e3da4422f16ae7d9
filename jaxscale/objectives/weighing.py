"""What rho of each run is multiplied by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from jaxscale.objectives.spec import Objective

if TYPE_CHECKING:
    from jaxscale.runs import Runs


def weight_of(runs: Runs, objective: Objective) -> np.ndarray:
    """Return the factor (n,) of each run's rho: its weight, times 1/s² where it has a standard error.

    s is in the units of the residual r: sigma/loss in log space, sigma in linear space. So `squared` sums w (r/s)², as
    SciPy's curve_fit does, and `huber` divides rho(r) by s², its delta staying in the units of r; a rho that
    is |r| in the limit takes 1/s, w |r/s|. Overflow is not checked: see `fitting.table`.
    """
    precision = precision_of(runs, objective.space)
    return np.asarray(runs.weight * (np.sqrt(precision) if objective.limit else precision))


def precision_of(runs: Runs, space: Literal["log", "linear"]) -> np.ndarray:
    """Return 1/s² of each run (n,), s the standard error in the units of the residual: sigma/loss in log space.

    Ones for runs without standard errors.
    """
    if runs.sigma is None:
        return np.ones(len(runs))
    with np.errstate(all="ignore"):
        error = runs.sigma / runs.loss if space == "log" else runs.sigma
        return np.asarray(1.0 / error**2)
