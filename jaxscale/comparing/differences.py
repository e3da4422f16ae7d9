"""By how much one law extrapolates better than another, with an interval over the runs held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from jaxscale.errors import UsageError
from jaxscale.intervals import Band, band
from jaxscale.intervals.spec import Sample
from jaxscale.registry import unknown
from jaxscale.results import Comparison, LawScore

DRAWS = 4_000


@dataclass(frozen=True)
class LawDifference:
    """Scores of a first law less those of a second, on the same runs held out.

    Attributes
    ----------
    log_score
        Of the mean log density of ln loss: above zero where the first is better; the point and its interval.
    root_mean_square
        Of the root mean square error of ln loss: below zero where the first is better.
    runs
        How many runs the intervals are over.
    """

    log_score: tuple[float, Band]
    root_mean_square: tuple[float, Band]
    runs: int


def difference(found: Comparison, first: str, second: str, *, level: float = 0.9, seed: int = 0) -> LawDifference:
    """Return the difference of two laws' scores, with percentile intervals over resampled runs.

    A run is drawn with all its back-tests, for those at several cut-offs share its noise. What the fits below the
    cut-offs owe to their own runs is not in the interval: it is of other runs above, not of another table.

    Parameters
    ----------
    found
        Of `js.compare`.
    first, second
        Names of laws in it, or those that they stand for.
    level
        Above 0 and below 1.
    seed
        Of the draws.

    Returns
    -------
    LawDifference
        Of log score and error.

    Raises
    ------
    UsageError
        For a law that is not in the comparison, and a level outside (0, 1).

    Examples
    --------
    >>> found = js.compare(runs, ["pure-power-params"], replicates=64, cuts=2)
    >>> js.comparing.difference(found, "pure-power-params", "pure-power-params").log_score[0]
    0.0
    """
    one, other = _score_of(found, first), _score_of(found, second)
    rows = np.concatenate([test.rows for test in one.backtests])
    names, place = np.unique(rows, return_inverse=True)
    count = np.bincount(place).astype(np.float64)
    gain = np.concatenate([a.log_density - b.log_density for a, b in zip(one.backtests, other.backtests, strict=True)])
    squares = [np.concatenate([test.errors**2 for test in law.backtests]) for law in (one, other)]
    sums = [np.bincount(place, weights=values) for values in (gain, *squares)]
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=DRAWS)
    times = np.concatenate([np.ones((1, len(names))), drawn])  # the runs as they are come first
    total, first_square, second_square = (times @ one / (times @ count) for one in sums)
    root = np.sqrt(first_square) - np.sqrt(second_square)
    score, error = (
        (float(values[0]), band(Sample(values[1:], point=values[0]), level=level)) for values in (total, root)
    )
    return LawDifference(score, error, len(names))


def _score_of(found: Comparison, name: str) -> LawScore:
    from jaxscale.laws import LAWS

    known = {one.law.name: one for one in found.scores}
    chosen = name if name in known else LAWS.resolve(name).name
    if chosen not in known:
        raise UsageError(unknown("law", name, tuple(known)))
    return known[chosen]
