"""Bands from samples, against quantiles counted by hand and the normal distribution."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import jaxscale as js
from jaxscale.errors import UsageError
from jaxscale.intervals import Sample


def quantile_by_hand(values, share):
    """Linear interpolation between order statistics, (n - 1) q + 1 from one: Hyndman & Fan 1996, definition 7."""
    ordered = np.sort(values)
    place = share * (len(ordered) - 1)
    below = int(np.floor(place))
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


@given(arrays(float, st.integers(1, 60), elements=st.floats(-1e6, 1e6)), st.floats(0.01, 0.99))
def test_the_limits_are_the_quantiles_of_the_samples(samples, level):
    band = js.band(samples, level=level)
    assert band.lower == pytest.approx(quantile_by_hand(samples, (1 - level) / 2), rel=1e-12, abs=1e-9)
    assert band.upper == pytest.approx(quantile_by_hand(samples, (1 + level) / 2), rel=1e-12, abs=1e-9)
    assert band.centre == pytest.approx(np.median(samples), rel=1e-12, abs=1e-9)
    assert band.n_used == band.n_total == len(samples)


@given(arrays(float, (20, 3), elements=st.floats(-1e6, 1e6)))
def test_a_wider_level_contains_a_narrower_one(samples):
    narrow, wide = js.band(samples, level=0.5), js.band(samples, level=0.9)
    assert np.all(wide.lower <= narrow.lower)
    assert np.all(narrow.lower <= narrow.centre)
    assert np.all(narrow.centre <= narrow.upper)
    assert np.all(narrow.upper <= wide.upper)


def test_the_band_of_bootstrapped_normal_means_covers_as_often_as_it_says():
    random = np.random.default_rng(4)
    tables, count = 400, 60
    covered = 0
    for _ in range(tables):
        table = random.standard_normal(count)
        means = table[random.integers(0, count, (500, count))].mean(axis=1)
        band = js.band(means, level=0.9)
        covered += band.lower <= 0.0 <= band.upper
    # four standard errors of a binomial share; the percentile interval of 60 is about 1 % short
    assert abs(covered / tables - 0.9) < 4 * np.sqrt(0.9 * 0.1 / tables) + 0.01


def test_a_replicate_that_is_nan_anywhere_is_left_out_whole():
    samples = np.random.default_rng(5).standard_normal((50, 4))
    samples[7, 2] = samples[30, 0] = np.nan
    band = js.band(samples)
    rest = js.band(np.delete(samples, [7, 30], axis=0))
    np.testing.assert_array_equal(band.lower, rest.lower)
    np.testing.assert_array_equal(band.upper, rest.upper)
    assert (band.n_used, band.n_total) == (48, 50)


def test_without_a_usable_sample_the_band_is_absent_and_says_so():
    band = js.band(np.full((3, 2), np.nan))
    assert np.isnan(band.lower).all()
    assert band.lower.shape == (2,)
    assert (band.n_used, band.n_total) == (0, 3)
    assert "0 of 3 replicates" in str(band)


def test_a_monotone_map_of_the_samples_maps_the_limits():
    samples = np.random.default_rng(6).standard_normal(1001)  # (n - 1) q is whole, so the limits are samples
    plain, mapped = js.band(samples, level=0.9), js.band(np.exp(samples), level=0.9)
    np.testing.assert_allclose([mapped.lower, mapped.upper], np.exp([plain.lower, plain.upper]), rtol=1e-12)


def test_a_percentage_is_refused_with_the_share_that_was_meant():
    with pytest.raises(UsageError, match=r"level = 95 is not between 0 and 1\. For 95 % write 0\.95"):
        js.band(np.arange(10.0), level=95)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, float("nan"), 100.0, "0.95", True, None])
def test_levels_that_are_no_share_are_refused(level):
    with pytest.raises(UsageError, match="is not between 0 and 1"):
        js.band(np.arange(10.0), level=level)


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="Did you mean 'percentile'"):
        js.band(np.arange(10.0), method="percentil")


def test_a_single_number_is_no_ensemble():
    with pytest.raises(UsageError, match="one value per replicate"):
        js.band(3.0)


def test_no_samples_at_all_give_an_absent_band():
    band = js.band(np.empty(0))
    assert np.isnan(band.centre)
    assert (band.n_used, band.n_total) == (0, 0)


@given(arrays(float, st.integers(2, 60), elements=st.floats(0, 1e6)), st.floats(0.05, 0.99))
def test_a_one_sided_band_begins_at_its_edge_and_leaves_out_one_tail(samples, level):
    low = js.band(Sample(samples, bound=0.0), level=level)
    assert low.lower == 0.0
    assert low.upper == pytest.approx(quantile_by_hand(samples, level), rel=1e-12, abs=1e-9)
    high = js.band(Sample(-samples - 1.0, bound=0.0), level=level)  # the samples lie below it
    assert high.upper == 0.0
    assert high.lower == pytest.approx(-1.0 - quantile_by_hand(samples, level), rel=1e-12, abs=1e-9)


def test_a_limit_among_infinite_samples_is_infinite_and_one_before_them_is_not():
    """An exponent that runs off: 90 finite replicates, 10 at infinity."""
    samples = np.r_[np.arange(90.0), np.full(10, np.inf)]
    wide, narrow = js.band(samples, level=0.95), js.band(samples, level=0.5)
    assert (wide.upper, narrow.upper) == (np.inf, pytest.approx(74.25))
    assert wide.lower == pytest.approx(2.475)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_band_with_infinite_samples_holds_that_of_any_finite_ones_in_their_place(sign):
    for count in range(1, 20):
        finite = sign * np.r_[np.arange(20.0 - count), np.full(count, 1e9)]
        inner, outer = js.band(finite), js.band(np.where(np.abs(finite) == 1e9, sign * np.inf, finite))
        assert outer.lower <= inner.lower, count
        assert inner.upper <= outer.upper, count
