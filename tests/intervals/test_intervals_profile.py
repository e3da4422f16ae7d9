"""The interval of a profile that is known at some roots: where it ends, and what it says where it does not go."""

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.errors import IntervalError
from jaxscale.intervals import LikelihoodProfile, Sample

ROOTS = np.linspace(-4.0, 4.0, 9)
VALUES = np.arange(10.0)
TWO = np.array([1.0, 2.0])


def known(roots, values, below="", above=""):
    return LikelihoodProfile(
        np.asarray(roots), np.asarray(values), *(np.asarray(said, dtype=object) for said in (below, above))
    )


def sample(profile, dof=12, **own):
    """Replicates that a profile does not ask for."""
    shape = np.shape(profile.values)[1:]
    return Sample(
        np.broadcast_to(VALUES.reshape(-1, *(1,) * len(shape)), (10, *shape)), dof=dof, profile=profile, **own
    )


def limits(profile, level=0.9, **own):
    band = js.band(sample(profile, **own), level=level, method="profile")
    return np.array([band.lower, band.upper])


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_of_roots_that_are_the_distance_in_standard_errors_it_is_students_interval(level):
    reach = stats.t.ppf(0.5 + level / 2, 12) * 0.3
    np.testing.assert_allclose(
        limits(known(ROOTS, -2.0 + 0.3 * ROOTS), level), [-2.0 - reach, -2.0 + reach], rtol=1e-12
    )
    logs = 1.0 + 0.3 * ROOTS
    np.testing.assert_allclose(
        limits(known(ROOTS, np.exp(logs)), level), np.exp([1.0 - reach, 1.0 + reach]), rtol=1e-12
    )


def test_a_bent_profile_is_met_between_its_roots():
    """Values whose ln is a quadratic in the root, which the distance over the root has as a line."""
    limit = np.exp(0.3 * np.array([-1, 1]) * stats.t.ppf(0.95, 12) + 0.02 * stats.t.ppf(0.95, 12) ** 2)
    np.testing.assert_allclose(limits(known(ROOTS, np.exp(0.3 * ROOTS + 0.02 * ROOTS**2))), limit, rtol=1e-12)


def test_each_place_has_its_own_roots():
    part = known(ROOTS[2:], 1.0 + ROOTS[2:], "far below")
    both = LikelihoodProfile.joined([known(ROOTS, -ROOTS[0] + 2.0 + ROOTS), part])
    assert both.values.shape == (9, 2)
    np.testing.assert_allclose(limits(both)[:, 1], limits(part))
    np.testing.assert_array_equal(both.of(1).values[:7], part.values)


def test_where_it_has_an_end_that_is_the_limit_and_where_it_was_given_up_it_is_refused_with_the_reason():
    roots = ROOTS[3:]  # from -1
    np.testing.assert_allclose(limits(known(roots, 1.0 + roots))[0], 0.0)
    cut = known(roots, 1.0 + roots, below="the fit of the others failed")
    assert limits(cut, level=0.5)[0] > 0.0
    with pytest.raises(IntervalError, match="the fit of the others failed"):
        limits(cut)


def test_beside_an_infinite_value_the_limit_is_the_outer_one():
    runaway = known([-2.0, -1.0, 0.0, 1.0, 2.0], [1.0, 2.0, 3.0, 5.0, np.inf])
    assert limits(runaway, level=0.5)[1] < 5.0
    assert limits(runaway, level=0.8)[1] == np.inf
    assert limits(runaway, level=0.99)[1] == np.inf


def test_an_estimate_at_a_bound_has_one_limit():
    """All that the interval leaves out lies beyond it: Student's upper quantile at the level."""
    at_zero = known(np.abs(ROOTS[4:]), ROOTS[4:])
    low, high = limits(at_zero, level=0.9, bound=0.0)
    assert (low, high) == (0.0, pytest.approx(stats.t.ppf(0.9, 12), rel=1e-12))
    assert limits(at_zero, level=0.4, bound=0.0)[1] == 0.0


def test_without_what_it_needs_it_is_refused():
    with pytest.raises(IntervalError, match="needs the profile of the fit, which this sample does not have"):
        js.band(Sample(VALUES), method="profile")
    with pytest.raises(IntervalError, match="as many coefs as runs"):
        limits(known(ROOTS, ROOTS), dof=0)
    nothing = known([], [], "it is fixed", "it is fixed")
    with pytest.raises(IntervalError, match="it is fixed"):
        limits(nothing)
    assert np.isnan(limits(known([], []))).all()
