"""What rho of each run is multiplied by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jaxscale.objectives.spec import Objective
from jaxscale.runs.uncertainty import precision_of

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
