"""From samples to a Band, by the name of a method."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from jaxscale import names
from jaxscale.errors import IntervalError, UsageError
from jaxscale.intervals.blocks import Blocks, order_statistics
from jaxscale.intervals.lines import from_line, on_line
from jaxscale.intervals.spec import Band, Interval, Sample
from jaxscale.registry import Registry

INTERVALS: Registry[Interval] = Registry.of_files("interval", "jaxscale.intervals", names.INTERVALS)

NO_SAMPLES = "samples = {samples!r}: a band needs one value per replicate"
LEVEL_NOT_A_SHARE = "level = {level!r} is not between 0 and 1.{hint}"
PERCENT_HINT = " For {level:g} % write {share:g}."
LACKING = "the interval '{name}' needs {need}, which this sample does not have"
AT_BOUND = (
    "the interval '{name}' is not defined for an estimate at a bound, here {bound:g}: it takes that to lie amid "
    "its replicates; the percentile interval is one-sided there"
)
NEEDS = {
    "point": "the estimate",
    "point_std": "the standard error of the estimate",
    "robust_std": "the robust standard error of the estimate",
    "std": "standard errors of the estimate and of every replicate",
    "jackknife": "the estimates with each run left out",
    "ranks": "replicates of tables simulated from the fit",
    "profile": "the profile of the fit",
}


def band(
    sample: Sample | np.ndarray,
    *,
    level: float = 0.95,
    method: Interval | str = "percentile",
    simultaneous: bool = False,
) -> Band:
    """Return the band of a sample over its replicates.

    Where the estimate lies at a bound, the band begins there and is one-sided: all that it leaves out lies beyond its
    other limit. A replicate that is NaN anywhere is left out whole, so that the limits at every budget rest on the same
    replicates; n_used says how many remain.

    Parameters
    ----------
    sample
        A Sample, or its values (R, …) alone.
    level
        Nominal coverage of the band, above 0 and below 1.
    method
        How its ends are found: a name of `jaxscale.intervals.INTERVALS`, or an Interval.
    simultaneous
        Whether the level is that of all places at once, such as of a whole frontier: limits of each place are then of a
        higher level, the one at which a share `level` of the replicates lies wholly within its percentile band.

    Returns
    -------
    Band
        Limits (…), and the median of the usable replicates between them; NaN where none is left.

    Raises
    ------
    UsageError
        For a level outside (0, 1), an unknown method, or a single number; its IntervalError for a method that needs
        what the sample does not have, or that has no interval of such a sample.

    Examples
    --------
    >>> print(js.band(np.arange(101.0), level=0.9))
    5 … 50 … 95  (90 % percentile, 101 of 101 replicates)
    """
    check_level(level)
    rule = INTERVALS.resolve(method)
    whole = sample if isinstance(sample, Sample) else Sample(sample)
    if np.ndim(whole.values) == 0:
        raise UsageError(NO_SAMPLES.format(samples=whole.values))
    for need in rule.needs:
        if whole.lacks(need):
            raise IntervalError(LACKING.format(name=rule.name, need=NEEDS[need]))
    if isinstance(whole.values, Blocks):
        if rule.name == "percentile" and not simultaneous:
            return _band_of_blocks(whole.values, level, whole.bound)
        whole = replace(whole, values=np.asarray(whole.values))
    usable, total = whole.usable, len(whole.values)
    if len(usable.values) == 0:
        absent = np.full(np.shape(whole.values)[1:], np.nan)
        return Band(absent, absent, absent, level, rule.name, 0, total, simultaneous)
    each = pointwise(usable.values, level) if simultaneous else level
    if usable.bound is not None and not rule.at_bound:
        raise IntervalError(AT_BOUND.format(name=rule.name, bound=usable.bound))
    if usable.bound is not None:
        lower, upper = _one_sided(rule, usable, each, usable.bound)
    elif rule.is_distance:
        lower, upper = from_line(usable.line, *rule.limits(on_line(usable), each))
    else:
        lower, upper = rule.limits(usable, each)
    return Band(
        lower, np.median(usable.values, axis=0), upper, level, rule.name, len(usable.values), total, simultaneous
    )


def _band_of_blocks(values: Blocks, level: float, bound: float | None) -> Band:
    """Return the percentile band of replicates that are read block by block, the same to the bit as of all at once."""
    each = level if bound is None else 2.0 * level - 1.0
    shares = ((1.0 - each) / 2.0, (1.0 + each) / 2.0)

    def ranks_of(count: int) -> list[int]:
        places = [share * (count - 1) for share in shares]
        ends = [rank for place in places for rank in (math.floor(place), math.ceil(place))]
        return [*ends, (count - 1) // 2, count // 2, 0]

    found, count = order_statistics(values, ranks_of)
    if not count:
        absent = np.full(values.shape[1:], np.nan)
        return Band(absent, absent, absent, level, "percentile", 0, len(values))
    ends = []
    for at, (share, outer) in enumerate(zip(shares, (0, 1), strict=True)):
        two, place = found[2 * at : 2 * at + 2], share * (count - 1)
        with np.errstate(invalid="ignore"):
            between = np.quantile(two, place - math.floor(place), axis=0)
        ends.append(np.where(np.isfinite(between), between, two[outer])[()])
    lower, upper = ends
    if bound is not None:
        end = np.full(values.shape[1:], bound)[()]
        lower, upper = (end, upper) if (found[-1] >= bound).all() else (lower, end)
    return Band(lower, np.median(found[4:6], axis=0), upper, level, "percentile", count, len(values))


def pointwise(values: np.ndarray, level: float) -> float:
    """Return the level of each place at which a share `level` of values (R, …) lies within the limits at every place.

    That of one place is the level itself.   Source: Montiel Olea & Plagborg-Møller 2019, the sup-t band by quantiles.
    """
    flat = values.reshape(len(values), -1)
    if flat.shape[1] < 2 or len(flat) < 2:
        return level
    order = np.sort(flat, axis=0)
    below, above = np.empty(flat.shape), np.empty(flat.shape)
    for place in range(flat.shape[1]):
        below[:, place] = np.searchsorted(order[:, place], flat[:, place], side="right") - 1
        above[:, place] = len(flat) - 1 - np.searchsorted(order[:, place], flat[:, place], side="left")
    outermost = 2.0 * np.min(np.minimum(below, above), axis=1) / (len(flat) - 1)  # 0 for the least or largest anywhere
    return min(1.0 - float(np.quantile(outermost, 1.0 - level)), np.nextafter(1.0, 0.0))


def _one_sided(rule: Interval, usable: Sample, level: float, bound: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bound and the limit that a share `level` of the samples lies within: that of a level 2 level - 1."""
    lower, upper = rule.limits(usable, 2.0 * level - 1.0)
    end = np.full(usable.values.shape[1:], bound)[()]
    return (end, upper) if (usable.values >= bound).all() else (lower, end)


def check_level(level: float) -> None:
    """Raise UsageError unless 0 < level < 1, with a hint where a percentage was meant."""
    is_number = isinstance(level, int | float | np.number) and not isinstance(level, bool)
    if not is_number or not 0.0 < level < 1.0:
        is_percent = is_number and 1.0 < level < 100.0
        hint = PERCENT_HINT.format(level=level, share=level / 100.0) if is_percent else ""
        raise UsageError(LEVEL_NOT_A_SHARE.format(level=level, hint=hint))
