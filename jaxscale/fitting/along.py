"""What is left to fit where all runs lie on one curve: the loss along it, as a power law in one variable."""

from __future__ import annotations

import numpy as np

from jaxscale.fitting.design import Design
from jaxscale.laws import Law
from jaxscale.laws.power import POWER, POWER_PARAMS, POWER_TOKENS
from jaxscale.runs import Runs


def law_along(runs: Runs, design: Design) -> Law | None:
    """Return the law of the loss along the curve on which all runs lie; None where they do not, or none ships.

    In compute, C, where both params and tokens grow along it; else in the one of them that varies.
    """
    if len(design.moving) != 1 or not design.is_rising or not design.ties:
        return None
    varying = {*design.moving, *(tie.name for tie in design.ties if tie.powers)}
    flops = runs.columns.get("flops", np.zeros(len(runs)))
    is_known = bool(np.isfinite(flops).all() and (flops > 0).all())
    if is_known and ("flops" in varying or {"params", "tokens"} <= varying):
        return POWER
    return {"params": POWER_PARAMS, "tokens": POWER_TOKENS}.get(*design.moving)
