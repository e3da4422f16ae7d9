"""The interval of the profile: where the best fit with the quantity held is too bad, whatever the rest may be."""

from __future__ import annotations

import numpy as np

from jaxscale.errors import IntervalError
from jaxscale.intervals.spec import Interval, LikelihoodProfile, Sample
from jaxscale.intervals.student import quantile

NO_DOF = "the interval 'profile' needs a degree of freedom, and the fit has as many coefs as runs"


def limits(sample: Sample, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return where the signed root of the rise is ∓ t, t Student's quantile."""
    assert sample.profile is not None  # as `needs` says
    if sample.dof < 1:
        raise IntervalError(NO_DOF)
    reach = max(quantile(level, sample.dof), 0.0)  # less than that half a share leaves nothing beside a bound
    return at_root(sample.profile, -reach), at_root(sample.profile, reach)


def at_root(profile: LikelihoodProfile, root: float) -> np.ndarray:
    """Return the values (…) at which a profile has that signed root; NaN where nothing is known of a quantity.

    Raises IntervalError, with the reason, where the profile does not go so far.
    """
    places = profile.values.shape[1:]
    found = np.full(places, np.nan)
    for place in np.ndindex(*places):
        one = profile.of(place)
        is_known = ~np.isnan(one.roots)
        roots, values, end = one.roots[is_known], one.values[is_known], str(one.above if root > 0.0 else one.below)
        is_there = bool(len(roots)) and roots[0] <= root <= roots[-1]
        if not is_there and end:
            raise IntervalError(end)
        if len(roots):
            found[place] = between(roots, values, float(np.clip(root, roots[0], roots[-1])))
    return np.asarray(found[()])


def between(roots: np.ndarray, values: np.ndarray, root: float) -> float:
    """Return the value at a root within those that are known, (k,) each.

    On ln of a positive quantity its distance from the estimate, over the root, hardly changes: this is interpolated,
    monotonically between its neighbours.   Beside an infinite value it is the outer one of the two.
    """
    from scipy.interpolate import PchipInterpolator  # half a second, which not every command needs

    at = int(np.searchsorted(roots, root))
    if roots[at] == root:
        return float(values[at])
    outer = at if root > 0.0 else at - 1
    if not np.isfinite(values[at - 1 : at + 1]).all():
        return float(values[outer])
    is_known = np.isfinite(values)
    roots, values = roots[is_known], values[is_known]
    is_positive = bool((values > 0.0).all())
    own = np.log(values) if is_positive else values
    others, centre = roots != 0.0, own[roots == 0.0][0]
    slopes = (own[others] - centre) / roots[others]
    inside = float(np.clip(root, roots[others][0], roots[others][-1]))
    slope = float(slopes[0]) if len(slopes) < 2 else float(PchipInterpolator(roots[others], slopes)(inside))
    reached = float(centre + root * slope)
    return float(np.exp(reached)) if is_positive else reached


INTERVAL = Interval("profile", limits, "Bates & Watts 1988, §6.1; Venzon & Moolgavkar 1988", needs=("profile",))
