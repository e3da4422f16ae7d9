"""Every interval: what a rule may read of a sample, and what is asked of all of them."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import UsageError
from jaxscale.intervals import INTERVALS, Interval, LikelihoodProfile, Sample
from jaxscale.results.nested import ranks_of

RANDOM = np.random.default_rng(6)
ROWS, REPLICATES = 60, 2000
TABLE = RANDOM.standard_normal(ROWS)
DRAWN = TABLE[RANDOM.integers(0, ROWS, (REPLICATES, ROWS))]
NOTHING = np.asarray("", dtype=object)
ROOTS = np.linspace(-4.0, 4.0, 9)
SIMULATED = TABLE.mean() + TABLE.std() * RANDOM.standard_normal((800, ROWS))
NESTED = np.stack([one[RANDOM.integers(0, ROWS, (300, ROWS))].mean(axis=1) for one in SIMULATED], axis=1)
MEANS = Sample(
    DRAWN.mean(axis=1),
    point=TABLE.mean(),
    std=DRAWN.std(axis=1, ddof=1) / np.sqrt(ROWS),
    point_std=TABLE.std(ddof=1) / np.sqrt(ROWS),
    jackknife=(TABLE.sum() - TABLE) / (ROWS - 1),
    ranks=ranks_of(NESTED, TABLE.mean()),
    robust_std=np.sqrt(np.sum((TABLE - TABLE.mean()) ** 2) / ROWS / (ROWS - 1)),
    robust_dof=ROWS - 1,
    dof=ROWS - 1,
    profile=LikelihoodProfile(ROOTS, TABLE.mean() + ROOTS * TABLE.std(ddof=1) / np.sqrt(ROWS), NOTHING, NOTHING),
)
"""The mean of a normal table, which every interval knows to be about symmetric."""


@pytest.fixture(params=list(INTERVALS), ids=lambda rule: rule.name)
def rule(request):
    return request.param


def test_it_holds_the_estimate_and_grows_with_the_level(rule):
    narrow, wide = (js.band(MEANS, level=level, method=rule) for level in (0.5, 0.95))
    assert wide.lower < narrow.lower < MEANS.point < narrow.upper < wide.upper
    assert wide.method == rule.name


def test_of_a_normal_mean_it_is_the_textbook_interval(rule):
    """Student's limits of the mean, within a tenth of its width: the sampling error of a quantile of 2,000."""
    band, half = js.band(MEANS, level=0.95, method=rule), 2.0 * MEANS.point_std
    assert band.lower == pytest.approx(MEANS.point - half, abs=0.2 * half)
    assert band.upper == pytest.approx(MEANS.point + half, abs=0.2 * half)


def test_a_shift_of_the_quantity_shifts_it(rule):
    point, jackknife = MEANS.point - 3.0, MEANS.jackknife - 3.0
    profile = replace(MEANS.profile, values=MEANS.profile.values - 3.0)
    moved = replace(MEANS, values=MEANS.values - 3.0, point=point, jackknife=jackknife, profile=profile)
    here, there = (js.band(one, method=rule) for one in (MEANS, moved))
    np.testing.assert_allclose([there.lower, there.upper], [here.lower - 3.0, here.upper - 3.0], rtol=1e-12)


def test_each_place_of_an_array_has_the_limits_that_it_has_alone(rule):
    def stacked(part):
        return None if part is None else np.stack([part, 2.0 * np.asarray(part)], axis=-1)

    names = ("values", "point", "std", "point_std", "robust_std", "jackknife")
    twice = replace(
        MEANS, ranks=np.stack([MEANS.ranks] * 2, 1), **{name: stacked(getattr(MEANS, name)) for name in names}
    )
    profile = LikelihoodProfile.joined([MEANS.profile, replace(MEANS.profile, values=2.0 * MEANS.profile.values)])
    twice = replace(twice, profile=profile)
    both, alone = js.band(twice, method=rule), js.band(MEANS, method=rule)
    np.testing.assert_allclose(both.lower, [alone.lower, 2.0 * alone.lower], rtol=1e-12)
    np.testing.assert_allclose(both.upper, [alone.upper, 2.0 * alone.upper], rtol=1e-12)


def test_replicates_that_do_not_count_change_nothing(rule):
    values, std = np.append(MEANS.values, np.nan), np.append(MEANS.std, 1e9)
    more = replace(MEANS, values=values, std=std)
    band, alone = js.band(more, method=rule), js.band(MEANS, method=rule)
    assert (band.lower, band.upper, band.n_used, band.n_total) == (alone.lower, alone.upper, REPLICATES, REPLICATES + 1)


BY_STD = Interval(
    "by std",
    lambda sample, level: (sample.point - 2 * sample.point_std, sample.point + 2 * sample.point_std),
    "none",
    needs=("std", "point"),
)


def test_a_rule_reads_what_it_says_that_it_needs():
    band = js.band(MEANS, method=BY_STD)
    assert band.lower == MEANS.point - 2 * MEANS.point_std


@pytest.mark.parametrize(
    "sample", [MEANS.values, Sample(MEANS.values, MEANS.point, MEANS.std)], ids=["array", "no std"]
)
def test_a_sample_without_what_a_rule_needs_is_refused(sample):
    with pytest.raises(UsageError, match="'by std' needs standard errors of the estimate and of every replicate"):
        js.band(sample, method=BY_STD)
