"""A comparison held against runs that had no part in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from jaxscale.allocation.inputs import priced
from jaxscale.errors import RunsError
from jaxscale.intervals import Band
from jaxscale.results import Comparison
from jaxscale.results.holdout import COMBINED, HeldOut
from jaxscale.runs import Runs

NO_SIZE = "{source}: its runs have no {along}, by which the comparison is cut"


def hold_out(found: Comparison, runs: Runs, *, level: float | None = None) -> HeldOut:
    """Return how a comparison's bands fare at runs of another table, which it has not seen.

    Parameters
    ----------
    found
        A comparison.
    runs
        Other runs, with the inputs of its laws. That none of them is in the comparison is not checked.
    level
        Of the bands; that of the comparison by default.

    Returns
    -------
    HeldOut
        With the combined, widened band, and that of a new run by each law alone.

    Raises
    ------
    UsageError
        For an input of a law that is lacking, and a level outside (0, 1).
    RunsError
        For runs without compute, or without the input by which the comparison is cut.

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> beyond = js.Runs.from_arrays(params=[1e10], tokens=[1e11], loss=[2.0])
    >>> sorted(js.comparing.hold_out(found, beyond).bands)
    ['combined', 'pure-power-params']
    """
    level = found.level if level is None else level
    columns: dict[str, np.ndarray] = {}
    for score in found.scores:
        columns |= {name: column for name, column in priced(score.law, runs).columns.items() if column.ndim == 1}
    if found.along not in columns:
        raise RunsError(NO_SIZE.format(source=runs.origin.source, along=found.along))
    needed = (found.along, *(name for score in found.scores for name in score.law.inputs))
    given: dict[str, Any] = {name: columns[name] for name in dict.fromkeys(needed) if name in columns}
    bands: dict[str, Band] = {COMBINED: found.predict(level=level, **given)}
    for score in found.scores:
        alone = replace(found, scores=(replace(score, weight=1.0),))
        bands[score.law.name] = alone.predict(level=level, is_widened=False, **given)
    return HeldOut(runs, given[found.along], bands, level)
