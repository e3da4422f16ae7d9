"""What is left to fit where all runs lie on one curve: the loss along it, as a power law in one variable."""

from __future__ import annotations

from jaxscale.fitting.design import Design
from jaxscale.laws import POWER, POWER_PARAMS, POWER_TOKENS, Law
from jaxscale.runs import Runs


def law_along(runs: Runs, design: Design) -> Law | None:
    """Return the law of the loss along the curve on which all runs lie; None where they do not, or none ships.

    In compute, C, where both params and tokens vary; else in the one of them that does.
    """
    if len(design.moving) != 1 or not design.ties:
        return None
    varying = {*design.moving, *(tie.name for tie in design.ties if tie.powers)}
    if "flops" in varying or varying == {"params", "tokens"}:
        return POWER if "flops" in runs.columns else None
    return {"params": POWER_PARAMS, "tokens": POWER_TOKENS}.get(*design.moving)
