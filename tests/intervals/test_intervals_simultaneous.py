"""Bands that hold everywhere at once: a share of the replicates lies wholly within, and so do curves of that kind."""

import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.intervals import Sample
from jaxscale.intervals.band import pointwise

RANDOM = np.random.default_rng(3)
CURVE = np.linspace(-1.0, 1.0, 7)


def lines(count):
    """Straight lines of random height and slope at seven places."""
    height, slope = RANDOM.standard_normal((2, count, 1))
    return height + slope * CURVE


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95])
def test_that_share_of_the_replicates_lies_within_at_every_place(level):
    values = lines(4001)
    band = js.band(values, level=level, simultaneous=True)
    within = np.all((values >= band.lower) & (values <= band.upper), axis=1)
    assert np.mean(within) == pytest.approx(level, abs=5 / 4001)  # ties of ranks: a few replicates share one
    assert str(band).endswith(f"({100 * level:g} % simultaneous percentile, 4001 of 4001 replicates)")


def test_independent_places_need_the_level_of_sidak():
    """Of k independent places each needs level ** (1 / k)."""
    values = RANDOM.standard_normal((40_000, 3))
    # the error of the share of 40,000 replicates that lie within, on the scale of one place
    assert pointwise(values, 0.9) == pytest.approx(0.9 ** (1 / 3), abs=4 * np.sqrt(0.09 / 40_000) / 3)


def test_places_that_move_together_need_no_more_than_one():
    values = RANDOM.standard_normal(2001)
    many, one = (js.band(part, simultaneous=True) for part in (np.outer(values, [1.0, 2.0, 5.0]), values))
    alone = js.band(values)
    assert (one.lower, one.upper) == (alone.lower, alone.upper)
    np.testing.assert_allclose(many.lower, np.array([1.0, 2.0, 5.0]) * alone.lower, rtol=0.02)


def test_lines_have_the_band_of_working_and_hotelling_as_its_lower_bound():
    """The band over seven places lies within the one over the whole line, and beyond the one of each place."""
    band = js.band(Sample(lines(40_001)), level=0.9, simultaneous=True)
    spread = np.sqrt(1.0 + CURVE**2)
    everywhere, each = np.sqrt(stats.chi2.ppf(0.9, 2)), stats.norm.ppf(0.95)
    assert (band.upper < 1.03 * everywhere * spread).all()  # three in a hundred: the error of an outer quantile
    assert (band.upper > each * spread).all()


@pytest.mark.parametrize("method", ["basic", "normal", "bca"])
def test_every_interval_has_one_and_it_is_wider(method):
    values = lines(500)
    sample = Sample(values, np.zeros(7), jackknife=lines(30))
    whole, each = (js.band(sample, method=method, simultaneous=choice) for choice in (True, False))
    assert (whole.lower < each.lower).all()
    assert (whole.upper > each.upper).all()
    assert whole.is_simultaneous
