"""What looks odd about the numbers of a table, without forbidding a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jaxscale.finding import Finding, row_numbers
from jaxscale.runs.bits import bits_finding
from jaxscale.runs.repeats import findings_of_repeats
from jaxscale.runs.table import Runs
from jaxscale.runs.units import units_finding
from jaxscale.text import counted

FLOPS_MISMATCH = (
    "flops differ from 6 params tokens by more than rounding in {rows}: the ratio there is {low:.3g} to {high:.3g}, "
    "median {median:.3g}{hint}; --count all refits under other conventions of counting"
)
FORWARD_ONLY = ", as of 2 params tokens for a forward pass alone"
NONPOSITIVE_LOSS = "{rows} have a loss at or below zero, which only an objective in linear space can use"

ROUNDED = -3.0 * np.log(0.995)
"""What the logs of three numbers add up to, where each was rounded to three digits, at worst."""
FORWARD_SHARE, NEAR = 1.0 / 3.0, 0.02
ORDINARY = 5
"""Coefs of the law that is fitted where none is named."""


def findings_of(
    runs: Runs, inputs: Sequence[str] = (), *, coefs: int = ORDINARY, has_own: bool = False
) -> tuple[Finding, ...]:
    """Return at most one finding per code; neither codes nor messages depend on the order of rows.

    inputs, coefs, has_own: of a law, as in `findings_of_repeats`; units are looked at in the columns that it takes.
    """
    units = units_finding(runs, inputs)
    of_rows = findings_of_repeats(runs, inputs, coefs=coefs, has_own=has_own)
    flops = _flops(runs) if units is None else None
    found = (units, *of_rows, flops, bits_finding(runs), _losses(runs))
    return tuple(finding for finding in found if finding is not None)


def _flops(runs: Runs) -> Finding | None:
    if "flops" in runs.origin.derived or not {"params", "tokens", "flops"} <= set(runs.columns):
        return None
    with np.errstate(all="ignore"):
        ratio = runs["flops"] / (6.0 * runs["params"] * runs["tokens"])
        is_off = np.isfinite(ratio) & (np.abs(np.log(ratio)) > ROUNDED)
    if not is_off.any():
        return None
    off = ratio[is_off]
    is_forward = bool((np.abs(off / FORWARD_SHARE - 1.0) < NEAR).all())
    message = FLOPS_MISMATCH.format(
        rows=counted(off.size, "row"),
        low=off.min(),
        high=off.max(),
        median=np.median(off),
        hint=FORWARD_ONLY if is_forward else "",
    )
    return Finding("flops-mismatch", message, row_numbers(runs.row[is_off]))


def _losses(runs: Runs) -> Finding | None:
    rows = runs.row[runs.loss <= 0]
    if not rows.size:
        return None
    return Finding("nonpositive-loss", NONPOSITIVE_LOSS.format(rows=counted(rows.size, "row")), row_numbers(rows))
