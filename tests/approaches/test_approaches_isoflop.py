"""Approach 2: its documented bias, the published exponents of real IsoFLOP tables, and what it leaves out."""

import numpy as np
import pytest
from surfaces import ASYMMETRIC, BUDGETS, PRINTED, curves_on, optimum_of, profiles_on

import jaxscale as js
from jaxscale.approaches import isoflop
from jaxscale.approaches.profiles import CURVED_DOWN, FOUND, NOT_BRACKETED, TOO_FEW, minima, profiles_of
from jaxscale.errors import RunsError, UsageError


@pytest.mark.parametrize(
    ("coefs", "reach", "percent", "digits"),
    [
        (PRINTED, 2, 0.33, 2), (PRINTED, 4, 1.3, 1), (PRINTED, 16, 5.4, 1),
        (ASYMMETRIC, 2, 1.7, 1), (ASYMMETRIC, 4, 6.9, 1), (ASYMMETRIC, 16, 30, 0),
    ],
)  # fmt: skip
def test_a_parabola_has_the_documented_bias_and_says_so(coefs, reach, percent, digits):
    """laws.md C2: fifteen noise-free points per budget."""
    found = isoflop(profiles_on(coefs, reach), budget="budget", surface=coefs)
    missed = 100 * (found.params / optimum_of(coefs, BUDGETS) - 1)
    np.testing.assert_allclose(np.round(missed, digits), percent, atol=10.0**-digits * 0.51)
    np.testing.assert_allclose(found.bias.params, missed / 100, rtol=1e-6)
    assert found.bias.exponent == pytest.approx(0.0, abs=1e-9)  # the same miss at every budget
    (said,) = [one for one in found.findings if one.code == "isoflop-bias"]
    assert f"{missed[0]:+.2g}" in said.message


@pytest.mark.parametrize(("method", "most"), [("cubic", 0.002), ("akima", 0.005)])
def test_a_cubic_and_akimas_curve_have_far_less_bias(method, most):
    found = isoflop(profiles_on(PRINTED, 16), method=method, surface=PRINTED)
    assert 0 < np.abs(found.bias.params).max() < most
    assert isoflop(profiles_on(PRINTED, 16), method="local", surface=PRINTED).bias.params.max() < 0.03


@pytest.mark.parametrize(
    ("configuration", "published", "low", "high"),
    [
        ("rw_base_long_kaplan_kaplan_train", 0.8353, 0.8235, 0.8460),
        ("rw_base_long_kaplan_standard_val", 0.7065, 0.6915, 0.7169),
        ("rw_base_short_kaplan_standard_val", 0.6020, 0.5914, 0.6173),
        ("rw_base_short_chinchilla_standard_val", 0.5715, 0.5598, 0.5885),
        ("rw_tuned_short_const_standard_val", 0.4969, 0.4907, 0.5045),
    ],
)
def test_the_exponents_of_porian_come_from_the_losses(shared_data, configuration, published, low, high):
    """Porian et al. 2024, arXiv 2406.19146, and their 95 % limits, as in PROVENANCE.md; noise of 0.002 nats."""
    runs = js.read_runs(shared_data / "porian_isoflop_rw.csv", where=[f"experiment == '{configuration}'"])
    found = isoflop(runs, budget="budget", method="akima", noise=0.002, replicates=400)
    assert low < found.trend.params.exponent < high
    assert found.trend.params.exponent == pytest.approx(published, abs=0.003)
    band = found.ensemble.params.interval()
    assert band.lower < published < band.upper
    assert band.lower == pytest.approx(low, abs=0.004)  # their own noise bootstrap, with other noise
    assert band.upper == pytest.approx(high, abs=0.004)
    assert len(found.flops) >= 11


def test_the_budgets_of_epochs_table_give_the_exponent_of_its_fit(epoch):
    """PROVENANCE.md: vertices at all 9 budgets, one of them beyond the measured sizes, give 0.513 and 0.488.

    The one that is not bracketed, at 1e20, is left out here.
    """
    found = isoflop(epoch, budget="budget")
    (left,) = found.left_out
    assert (left.flops, left.runs) == (1e20, 13)
    assert left.reason == "minimum not between measured sizes"
    assert found.trend.params.exponent == pytest.approx(0.513, abs=0.005)
    vertices = []
    for profile in profiles_of(epoch, budget="budget"):
        x = np.log10(epoch.columns["params"][profile.rows])
        bend, slope, _ = np.polyfit(x, epoch.loss[profile.rows], 2)
        vertices.append(-slope / (2 * bend))
    budgets = np.log10([profile.flops for profile in profiles_of(epoch, budget="budget")])
    assert np.polyfit(budgets, vertices, 1)[0] == pytest.approx(0.513, abs=5e-4)
    kept = budgets != 20.0
    np.testing.assert_allclose(np.log10(found.params), np.array(vertices)[kept], rtol=1e-9)


def test_budgets_are_found_by_closeness_as_a_column_says_them():
    random = np.random.default_rng(4)
    runs = profiles_on(PRINTED, 4)
    shaken = js.Runs.from_arrays(
        loss=runs.loss,
        params=runs["params"],
        tokens=runs["tokens"],
        flops=runs["flops"] * random.uniform(0.98, 1.02, 45),
    )
    found = profiles_of(shaken)
    assert [len(one.rows) for one in found] == [15, 15, 15]
    np.testing.assert_allclose([one.flops for one in found], BUDGETS, rtol=0.02)


def test_a_table_without_budgets_is_refused():
    with pytest.raises(RunsError, match="no 3 runs share a budget within 5 %"):
        isoflop(curves_on(PRINTED, sizes=2, points=4))


def test_what_has_no_bracketed_minimum_is_left_out_with_its_reason():
    x = np.log(np.array([1e7, 2e7, 4e7, 8e7]))
    loss = np.array([[3.0, 2.9, 2.95, 3.1], [3.0, 2.9, 2.8, 2.72], [2.9, 3.0, 3.0, 2.9], [3.0, 2.9, 2.95, 3.1]])
    weight = np.ones((4, 4))
    weight[3, 1:3] = 0
    place, reason = minima(x, loss, weight, "parabola")
    assert tuple(reason) == (FOUND, NOT_BRACKETED, CURVED_DOWN, TOO_FEW)
    assert list(np.isfinite(place)) == [True, False, False, False]
    line = isoflop(profiles_on(PRINTED, 2)).trend.params.exponent
    assert line == pytest.approx(PRINTED["beta"] / (PRINTED["alpha"] + PRINTED["beta"]), abs=1e-9)


@pytest.mark.parametrize("method", ["parabola", "local", "cubic", "akima"])
def test_many_replicates_are_what_each_is_alone(method):
    random = np.random.default_rng(2)
    x = np.sort(np.log(np.geomspace(1e7, 1e9, 12))) + 0.01 * random.standard_normal(12)
    loss = (2.5 + 0.05 * (x - x.mean()) ** 2 + 0.001 * random.standard_normal(12))[None]
    weight = random.multinomial(12, np.full(12, 1 / 12), size=20).astype(float)
    together, _ = minima(x, loss, weight, method)
    for lane in range(20):
        rows = weight[lane] > 0
        alone, _ = minima(x[rows], loss[:, rows], weight[lane : lane + 1, rows], method)
        np.testing.assert_allclose(together[lane], alone[0], rtol=1e-7)


@pytest.mark.parametrize("degree", [2, 3])
def test_the_polynomials_are_those_of_numpy(degree):
    random = np.random.default_rng(8)
    x = np.sort(random.uniform(16, 22, 11))
    loss = 2.5 + 0.03 * (x - 19) ** 2 - 0.002 * (x - 19) ** 3 + 0.001 * random.standard_normal(11)
    weight = random.uniform(0.5, 2.0, 11)
    place, _ = minima(x, loss, weight, "parabola" if degree == 2 else "cubic")
    fitted = np.polynomial.Polynomial.fit(x, loss, degree, w=np.sqrt(weight))
    ends = [root.real for root in fitted.deriv().roots() if fitted.deriv(2)(root.real) > 0]
    assert place[0] == pytest.approx(ends[0], rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "parabolla"}, "Did you mean 'parabola'"),
        ({"noise": -1.0}, "noise = -1.0"),
        ({"tolerance": 5}, "tolerance = 5"),
        ({"budget": "bugdet"}, "Did you mean 'budget'"),
        ({"replicates": 0}, "replicates = 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        isoflop(profiles_on(PRINTED, 2), **change)


def test_a_local_parabola_is_numpys_through_the_runs_within_six_percent_of_the_lowest_loss():
    """Without noise a curve that is no parabola has another vertex for every other choice of runs."""
    x = np.log(np.geomspace(1e7, 1e9, 25))
    loss = 2.5 + 0.08 * (x - 17.5) ** 2 - 0.01 * (x - 17.5) ** 3
    near = loss <= 1.06 * loss.min()
    bend, slope, _ = np.polyfit(x[near], loss[near], 2)
    place, _ = minima(x, loss, np.ones(25), "local")
    assert place[0] == pytest.approx(-slope / (2 * bend), rel=1e-9)
