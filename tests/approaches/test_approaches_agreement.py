"""Three approaches on the same resampled runs."""

import numpy as np
import pytest
from surfaces import PRINTED, curves_on, optimum_of, profiles_on

import jaxscale as js
from jaxscale.allocation import uncertainty
from jaxscale.approaches import agreement, isoflop
from jaxscale.approaches.agreement import isoflop_trends
from jaxscale.errors import RunsError, UsageError

AT = (1e21, 5.76e23)


@pytest.fixture(scope="module")
def without_noise():
    return agreement(profiles_on(PRINTED, 16), flops=AT, budget="budget", replicates=30)


@pytest.mark.slow
def test_the_fit_has_no_bias_where_the_profiles_have(without_noise):
    """laws.md C2: +5.4 % at ±16×; approach 3 on the same points has none."""
    profiles, fitted = without_noise.approaches
    best = optimum_of(PRINTED, np.array(AT))
    np.testing.assert_allclose(fitted.point.params.at(np.array(AT)), best, rtol=1e-9)
    np.testing.assert_allclose(profiles.point.params.at(np.array(AT)) / best - 1, 0.054, atol=5e-4)
    np.testing.assert_allclose(profiles.bias.at(np.array(AT)), 0.054, atol=5e-4)
    assert "isoflop-bias" in {one.code for one in profiles.findings}
    (difference,) = without_noise.differences()
    assert (difference.first, difference.second) == ("parametric", "isoflop")
    np.testing.assert_allclose(difference.params, 1 / 1.054, atol=5e-4)
    assert "no training curves" in without_noise.absent["envelope"]


@pytest.mark.slow
def test_all_approaches_see_the_replicates_of_the_ensemble(without_noise):
    runs = without_noise.fit.runs
    weight = without_noise.ensemble.weights(np.arange(30))
    trends = isoflop_trends(runs, weight, budget="budget", tolerance=0.05, method="parabola")
    np.testing.assert_array_equal(trends.params.exponent, without_noise.approaches[0].ensemble.params.exponent)


@pytest.mark.slow
def test_the_pivot_of_an_ensemble_is_where_its_sizes_vary_least():
    runs = profiles_on(PRINTED, 8, noise=0.005, seed=1)
    ensemble = js.bootstrap(js.fit(runs), replicates=200)
    pivot = uncertainty.pivot_of(ensemble)
    at = pivot * np.array([0.7, 1.0, 1 / 0.7])
    logs = np.log(js.frontier(ensemble, flops=at).params)[ensemble.usable]
    below, least, above = np.var(logs, axis=0, ddof=1)
    assert least < below
    assert least < above
    assert runs["flops"].min() < pivot < runs["flops"].max()
    with js.precision.float64():
        near = float(uncertainty.pivot_flops(ensemble.fit.coefs, uncertainty.theta_covariance(ensemble)))
    assert np.log(near / pivot) == pytest.approx(0.0, abs=0.7)  # the delta method, to first order


@pytest.mark.slow
def test_curves_are_resampled_whole_and_all_three_find_the_exponent():
    runs = curves_on(PRINTED, sizes=12, points=20, noise=0.002, seed=2)
    flops = 10.0 ** (np.round(5 * np.log10(runs["flops"])) / 5)
    runs = js.Runs.from_arrays(
        loss=runs.loss, params=runs["params"], tokens=runs["tokens"], flops=runs["flops"], group=runs["group"],
        budget=flops,
    )  # fmt: skip
    found = agreement(runs, flops=1e21, budget="budget", method="cubic", replicates=40)
    assert [one.name for one in found.approaches] == ["envelope", "isoflop", "parametric"]
    assert len(found.differences()) == 3
    a = PRINTED["beta"] / (PRINTED["alpha"] + PRINTED["beta"])
    for one in found.approaches:
        assert one.point.params.exponent == pytest.approx(a, abs=0.04), one.name
        assert one.usable >= 36, one.name  # a draw of few sizes may leave no two budgets bracketed
    assert found.scheme == "cluster"
    assert [(one.rows, one.parts) for one in found.approaches][::2] == [(240, 12), (240, None)]
    profiles = isoflop(runs, budget="budget", method="cubic")
    assert (found.approaches[1].rows, found.approaches[1].parts) == (profiles.runs.sum(), len(profiles.flops))
    used = np.isin(np.log10(runs["budget"]).round(6), np.log10(profiles.flops).round(6))
    assert found.approaches[1].rows == used.sum() > 100


def test_fewer_than_five_curves_are_no_sample():
    with pytest.raises(RunsError, match="4 groups for the scheme 'cluster', which needs 5; without groups"):
        agreement(curves_on(PRINTED, sizes=4, points=12), flops=1e21)


@pytest.mark.parametrize("flops", [-1.0, [1e20, np.nan], [[1e20]]])
def test_budgets_that_cannot_be_meant_are_refused(flops):
    with pytest.raises(UsageError, match="budgets are positive"):
        agreement(profiles_on(PRINTED, 2), flops=flops)


def test_an_isoflop_line_alone_needs_no_fit():
    assert isoflop(profiles_on(PRINTED, 2)).bias is None
