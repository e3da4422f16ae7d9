"""From samples to a Band, by the name of a method."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals.percentile import PERCENTILE
from jaxscale.intervals.spec import Band, Interval
from jaxscale.registry import Registry

INTERVALS = Registry("interval", (PERCENTILE,))

NO_SAMPLES = "samples = {samples!r}: a band needs one value per replicate"
LEVEL_NOT_A_SHARE = "level = {level!r} is not between 0 and 1.{hint}"
PERCENT_HINT = " For {level:g} % write {share:g}."


def band(
    samples: np.ndarray, *, level: float = 0.95, method: Interval | str = "percentile", edge: float | None = None
) -> Band:
    """Return the band of samples (R, …) over axis 0.

    edge: an end that no sample passes and at which the estimate lies. The band then begins there and is one-sided:
    all that it leaves out lies beyond its other limit.

    A replicate that is NaN anywhere is left out whole, so that the limits at every budget rest on the same
    replicates; n_used says how many remain.   Raises UsageError for a level outside (0, 1), an unknown method, or a
    single number.
    """
    check_level(level)
    rule = INTERVALS.resolve(method)
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim == 0:
        raise UsageError(NO_SAMPLES.format(samples=samples))
    usable = values[~np.isnan(values).any(axis=tuple(range(1, values.ndim)))]
    if len(usable) == 0:
        absent = np.full(values.shape[1:], np.nan)
        return Band(absent, absent, absent, level, rule.name, 0, len(values))
    lower, upper = rule.limits(usable, level) if edge is None else _one_sided(rule, usable, level, edge)
    return Band(lower, np.median(usable, axis=0), upper, level, rule.name, len(usable), len(values))


def _one_sided(rule: Interval, usable: np.ndarray, level: float, edge: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the edge and the limit that a share `level` of the samples lies within: that of a level 2 level - 1."""
    lower, upper = rule.limits(usable, 2.0 * level - 1.0)
    end = np.full(usable.shape[1:], edge)[()]
    return (end, upper) if (usable >= edge).all() else (lower, end)


def check_level(level: float) -> None:
    """Raise UsageError unless 0 < level < 1, with a hint where a percentage was meant."""
    is_number = isinstance(level, int | float | np.number) and not isinstance(level, bool)
    if not is_number or not 0.0 < level < 1.0:
        is_percent = is_number and 1.0 < level < 100.0
        hint = PERCENT_HINT.format(level=level, share=level / 100.0) if is_percent else ""
        raise UsageError(LEVEL_NOT_A_SHARE.format(level=level, hint=hint))
