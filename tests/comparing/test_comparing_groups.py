"""Curves of one input: each is cut by itself, what is held out has no part, and half of them teach the others."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.comparing import backtest, calibration, compare_groups, hold_out
from jaxscale.comparing.compare import asked_of

LAW = ("power-tokens",)


def curves(count=4, seed=0):
    """Curves of 12 points of E + A D^-alpha, with noise of a per cent, one of 11, and one that is too short."""
    random = np.random.default_rng(seed)
    tokens, loss, name = [], [], []
    for place, points in enumerate([*[12] * (count - 1), 11, 5]):
        one = np.geomspace(1e6, 1e9, points)
        own = 0.2 + random.uniform(20, 40) * one ** -random.uniform(0.25, 0.35)
        tokens += one.tolist()
        loss += (own * np.exp(0.01 * random.standard_normal(points))).tolist()
        name += [f"curve {place}"] * points
    return js.Runs.from_arrays(tokens=tokens, loss=loss, group=name)


@pytest.fixture(scope="module")
def table():
    return curves()


@pytest.fixture(scope="module")
def compared(table):
    return compare_groups(table, LAW, replicates=64)


@pytest.mark.slow
def test_each_curve_is_cut_by_its_only_input_at_shares_of_its_own_points(compared, table):
    assert list(compared.comparisons) == [f"curve {place}" for place in range(4)]
    assert list(compared.failed) == ["curve 4"]
    assert "needed are 6" in compared.failed["curve 4"]
    for name, one in compared.comparisons.items():
        own = np.sort(table["tokens"][table.group == name])
        assert one.along == "tokens"
        np.testing.assert_array_equal(
            one.cuts, own[np.floor(np.array([0.5, 0.7, 0.85]) * len(own) + 0.5).astype(int) - 1]
        )
        for test in one.best.backtests:
            np.testing.assert_array_equal(np.sort(test.size), own[own > test.cut])
            np.testing.assert_allclose(test.distance, np.log(test.size / test.cut))
            start = js.predict(test.fit, tokens=test.cut)
            np.testing.assert_allclose(test.fall, np.abs(np.log(test.prediction / start)), rtol=1e-9)
            assert np.isnan(test.compute).all()  # no compute is known


@pytest.mark.slow
def test_a_curve_is_compared_as_if_it_were_the_whole_table(compared, table):
    name = "curve 1"
    own = np.flatnonzero(table.group == name)
    alone = js.compare(table.take(own, "other curves"), LAW, cuts=(0.5, 0.7, 0.85), replicates=64)
    assert alone.best.fit.coefs == compared.comparisons[name].best.fit.coefs
    assert alone.best.root_mean_square == compared.comparisons[name].best.root_mean_square


@pytest.mark.slow
@pytest.mark.parametrize("poison", [np.nan, 1e9])
def test_points_held_out_have_no_part_in_what_a_curve_predicts(compared, table, poison):
    name = "curve 0"
    before = compared.comparisons[name]
    own = np.flatnonzero(table.group == name)
    loss = table.loss[own].copy()
    loss[(table["tokens"][own] > before.cuts[0]) & (np.arange(len(own)) < len(own) - 1)] = poison
    poisoned = replace(table.take(own, "other curves"), loss=loss)
    law = js.LAWS.resolve(LAW[0])
    asked = asked_of(poisoned, [law], "huber", "pairs", 64, 0, 0.9)
    first, second = before.best.backtests[0], backtest(law, float(before.cuts[0]), asked)
    assert first.fit.coefs == second.fit.coefs
    np.testing.assert_array_equal(first.predictive.mean[:, -1], second.predictive.mean[:, -1])


@pytest.mark.slow
def test_a_rule_of_other_curves_decides_the_limits(compared):
    *others, last = compared.comparisons.values()
    rule = calibration(others)
    assert rule.groups == 3
    assert rule.weights == (1.0,)
    band = last.held_out(0, level=0.7, calibration=rule)
    reach, centre, error = last.back_tested(0)
    half = rule.half_width(reach, 0.7)
    np.testing.assert_allclose(np.log(band.upper), centre + half)
    np.testing.assert_allclose(np.log(band.lower), centre - half)
    np.testing.assert_allclose(centre - error, np.log(last.best.backtests[0].loss))
    far = last.predict(tokens=[2e9, 1e11], level=0.7, calibration=rule)
    assert far.method == "calibrated"
    width = np.log(far.upper / far.lower)
    assert width[1] > width[0] > 0
    assert np.isinf(rule.factor(0.8))  # three curves cannot promise more than three in four


@pytest.mark.slow
def test_runs_of_another_table_are_held_against_every_band(compared):
    one = compared.comparisons["curve 2"]
    beyond = js.Runs.from_arrays(tokens=[2e9, 5e9], loss=[1e-9, float(js.predict(one.best.fit, tokens=5e9))])
    found = hold_out(one, beyond, level=0.5)
    assert set(found.bands) == {"combined", "power-tokens"}
    alone = one.predict(tokens=[2e9, 5e9], level=0.5, is_widened=False)
    np.testing.assert_array_equal(found.bands["power-tokens"].upper, alone.upper)
    for name in found.bands:
        assert found.is_inside(name).tolist() == [False, True]
    assert found.to_frame()["combined upper"].tolist() == found.bands["combined"].upper.tolist()
    poisoned = hold_out(one, replace(beyond, loss=np.full(2, np.nan)), level=0.5)
    for name, band in found.bands.items():
        np.testing.assert_array_equal(poisoned.bands[name].lower, band.lower)
        np.testing.assert_array_equal(poisoned.bands[name].upper, band.upper)
    with pytest.raises(js.RunsError, match="no tokens"):
        hold_out(one, js.Runs.from_arrays(params=[1e9], loss=[2.0]))


def test_a_table_without_groups_or_without_a_size_is_refused():
    runs = js.Runs.from_arrays(tokens=np.geomspace(1e6, 1e9, 12), loss=np.geomspace(3, 2, 12))
    with pytest.raises(js.RunsError, match="group column"):
        compare_groups(runs, LAW)
    with pytest.raises(js.RunsError, match="no only input in common"):
        js.compare(runs, ["chinchilla", "power-tokens"])
