"""Cut-offs in compute, and the table of the runs below one in the shape of the whole table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs

FACTOR = 3.0
"""Largest over smallest compute that the runs below a cut-off have at least."""
FIRST, LAST = 0.4, 0.85
"""Shares of the runs between which the cut-offs are spread where the table allows it."""
TIED = 1e-9
"""Relative difference of compute that is rounding."""
BESIDE_LAW = 3
FEWEST = 8

TOO_FEW_CUTS = (
    "{source}: no cut-off in compute leaves {least} runs over a factor of {factor:g} below it and one above it; give "
    "more runs, or laws of fewer coefs with laws="
)
BAD_CUT = (
    "cuts: {cut:.4g} leaves {below} runs over a factor of {span:.3g} below it and {above} above it; "
    "needed are {least} over a factor of {factor:g}, and 1"
)
NOT_CUTS = "cuts = {cuts!r} is neither a positive number of cut-offs nor a list of FLOP, or of shares of the runs"


def least_runs(coefs: int, *, is_given: bool = False) -> int:
    """Return how many runs a law of so many free coefs is fitted to at least; fewer where cut-offs are given."""
    return coefs + BESIDE_LAW if is_given else max(FEWEST, coefs + BESIDE_LAW)


def below(size: np.ndarray, cut: float) -> np.ndarray:
    """Return which runs (n,) are not above a cut-off, but for rounding."""
    return np.asarray(size <= cut * (1.0 + TIED))


def cut_offs(size: np.ndarray, weight: np.ndarray, cuts: int | Sequence[float], least: int, source: str) -> np.ndarray:
    """Return the cut-offs (c,), in the unit of size, increasing; raise RunsError or UsageError for a table without.

    size: (n,) of the runs, as FLOP.   weight: (n,); runs of weight zero do not count.   cuts: how many, or themselves,
    or, all below 1, shares of the runs that lie below.   least: runs below each.
    """
    known = np.sort(size[weight > 0])
    if (
        isinstance(cuts, bool)
        or not isinstance(cuts, int | np.integer | Sequence | np.ndarray)
        or isinstance(cuts, str)
    ):
        raise UsageError(NOT_CUTS.format(cuts=cuts))
    if isinstance(cuts, Sequence | np.ndarray):
        return _checked(known, cuts, least)
    if cuts < 1:
        raise UsageError(NOT_CUTS.format(cuts=cuts))
    places = np.arange(len(known))
    wide = places[(places >= least - 1) & (known >= FACTOR * known[0]) & (known[-1] > known * (1.0 + TIED))]
    if not len(wide):
        raise RunsError(TOO_FEW_CUTS.format(source=source, least=least, factor=FACTOR))
    first = max(int(wide[0]), int(FIRST * len(known)))
    last = max(min(int(wide[-1]), int(LAST * len(known))), int(wide[0]))
    return np.unique(known[np.linspace(min(first, last), last, int(cuts)).round().astype(int)])


def _checked(known: np.ndarray, cuts: Sequence[float] | np.ndarray, least: int) -> np.ndarray:
    try:
        given = np.unique(np.asarray(cuts, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise UsageError(NOT_CUTS.format(cuts=cuts)) from error
    if given.ndim != 1 or not len(given) or not np.isfinite(given).all() or given[0] <= 0:
        raise UsageError(NOT_CUTS.format(cuts=cuts))
    are_shares = bool(given[-1] < 1.0)  # no compute is below one FLOP
    if are_shares:
        given = np.unique(known[np.maximum((given * len(known) + 0.5).astype(int), 1) - 1])
    for cut in given.tolist():
        kept = known[below(known, cut)]
        span = float(kept[-1] / kept[0]) if len(kept) else 1.0
        if len(kept) < least or span < FACTOR or len(kept) == len(known):
            told = {"below": len(kept), "above": len(known) - len(kept), "span": span}
            message = BAD_CUT.format(cut=cut, least=least, factor=FACTOR, **told)
            raise RunsError(message) if are_shares else UsageError(message)
    return given


def only(runs: Runs, rows: np.ndarray, *, length: int | None = None) -> Runs:
    """Return a table in which these rows (k,) alone count, as long as the whole or as said: programs are shared.

    The places of the other rows hold copies of these, of weight zero: of the others nothing is left, neither a loss nor
    a size, that a start point or a check could see.
    """
    kept = runs.take(np.resize(rows, len(runs) if length is None else length), "above the cut-off")
    weight = kept.weight.copy()
    weight[len(rows) :] = 0.0
    return replace(kept, weight=weight, origin=runs.origin, findings=())
