"""Where a law has no minimum inside: the coefs that are printed give the objective beside them, whatever the limit.

The tables are a power of tokens at few and narrow sizes, with noise: the size term has next to nothing to say, so that
its exponent goes to zero, to infinity with its scale, or the floor to zero. The law of tokens alone is the witness.
"""

import numpy as np
import pytest
from scipy.optimize import minimize

import jaxscale as js
from jaxscale.fitting.checking import recomputed
from jaxscale.laws import law_from_expression
from jaxscale.status import Status

REPLICATES = 256


def table(seed, sizes, noise):
    """Runs of 2.7 + 20000 / D^0.484 at three sizes, with so much lognormal noise."""
    random = np.random.default_rng(100 + seed)
    params, tokens = np.repeat(np.array(sizes) * 1e8, 5), np.tile(np.array([1, 2, 4, 8, 16]) * 1e9, len(sizes))
    loss = (2.7 + 20000 / tokens**0.484) * np.exp(noise * random.standard_normal(len(params)))
    return js.Runs.from_arrays(params=params, tokens=tokens, loss=loss)


def rising():
    """Runs that get worse with size, which the law cannot follow."""
    runs = table(0, (1, 1.4, 2), 0.002)
    loss = runs.loss * runs["params"] ** 0.01
    return js.Runs.from_arrays(params=runs["params"], tokens=runs["tokens"], loss=loss)


TABLES = [(seed, sizes, noise) for seed in range(4) for sizes in ((1, 1.4, 2), (1, 2, 4)) for noise in (0.002, 0.006)]


def of(fit, coefs, weight):
    """Return the objective of coefs (R, p) as they are reported."""
    return recomputed(fit.law, fit.objective, fit.runs, coefs, weight)


QUICK = {(0, (1, 1.4, 2), 0.002), (1, (1, 2, 4), 0.006), (2, (1, 1.4, 2), 0.006), (3, (1, 2, 4), 0.002)}
"""Tables of the default run: both spacings of the sizes with both noises."""


@pytest.fixture(
    scope="module",
    params=[pytest.param(one, marks=() if one in QUICK else pytest.mark.slow) for one in TABLES],
    ids=str,
)
def studied(request):
    fit = js.fit(table(*request.param))
    return fit, js.bootstrap(fit, replicates=REPLICATES)


def test_printed_coefs_give_their_own_objective(studied):
    fit, ensemble = studied
    assert fit.is_usable
    assert of(fit, fit.law.vector(fit.coefs)[None], fit.runs.weight)[0] == pytest.approx(fit.value, rel=1e-9)
    coefs = np.stack([ensemble.coefs[name] for name in fit.law.names], axis=1)
    usable = ensemble.usable
    again = of(fit, coefs[usable], ensemble.weights(np.flatnonzero(usable)))
    np.testing.assert_allclose(again, ensemble.value[usable], rtol=1e-9)


def test_a_usable_fit_predicts_its_runs(studied):
    fit, _ = studied
    predicted = js.predict(fit, params=fit.runs["params"], tokens=fit.runs["tokens"])
    np.testing.assert_allclose(predicted, fit.runs.loss, rtol=0.05)


def test_what_is_identified_keeps_its_interval_and_error(studied):
    fit, ensemble = studied
    assert ensemble.usable.mean() >= 0.95
    for name in ("B", "beta"):
        band = ensemble.interval(name)
        assert band.n_used >= 0.95 * REPLICATES
        assert 0 < band.lower < fit.coefs[name] < band.upper < np.inf
        assert fit.std[name] > 0


def test_nelder_and_mead_find_nothing_lower(studied):
    """On the law itself, from the law of tokens alone with its floor shared out between E and A."""
    fit, _ = studied
    runs = fit.runs

    def objective(point):
        with np.errstate(all="ignore"):
            E, A, B, alpha, beta = np.exp(np.clip(point, -80, 80))
            residual = np.abs(
                np.log(E + A * runs["params"] ** -alpha + B * runs["tokens"] ** -beta) - np.log(runs.loss)
            )
            return np.sum(np.where(residual <= 1e-3, residual**2 / 2, 1e-3 * (residual - 5e-4)))

    pure = js.fit(runs, "power-tokens")
    E, B, beta = (pure.coefs[name] for name in ("E", "A", "alpha"))
    for share in (0.02, 0.5, 0.98):
        start = np.log([E * share, E * (1 - share), B, 0.02, beta])
        found = minimize(objective, start, method="Nelder-Mead", options={"maxiter": 6000, "maxfev": 6000})
        assert fit.value <= found.fun * (1 + 1e-8)


def test_a_floor_and_a_flat_size_term_are_one_constant():
    """The runs get worse with size and the law can only fall: alpha = 0, and E + A is the floor of the other law."""
    runs = rising()
    fit, pure = js.fit(runs), js.fit(runs, "power-tokens")
    assert fit.status is Status.AT_BOUND
    assert fit.at_bound == ("alpha",)
    assert fit.coefs["alpha"] == 0.0
    assert fit.unidentified == ("E", "A")
    (one,) = fit.joint
    assert one.formula == "E + A"
    assert one.value == pytest.approx(pure.coefs["E"], rel=1e-6)
    assert one.std == pytest.approx(pure.std["E"], rel=0.5)  # on one degree of freedom less
    assert fit.value == pytest.approx(pure.value, rel=1e-9)
    assert [fit.coefs["B"], fit.coefs["beta"]] == pytest.approx([pure.coefs["A"], pure.coefs["alpha"]], rel=1e-5)
    (message,) = [finding.message for finding in fit.findings if finding.code == "not-split"]
    assert "E and A are one constant, E + A =" in message


def test_one_constant_has_an_interval_of_its_own():
    fit = js.fit(rising())
    ensemble = js.bootstrap(fit, replicates=REPLICATES)
    samples = ensemble.joint_samples(fit.joint[0])
    is_joint = ensemble.without["E"] & ensemble.without["A"] & ensemble.usable
    np.testing.assert_array_equal(np.isfinite(samples), is_joint)
    assert is_joint.sum() > 30
    low, high = np.nanquantile(samples, (0.025, 0.975))
    assert low < fit.joint[0].value < high
    assert np.isnan(ensemble.samples("E")[ensemble.without["E"]]).all()


def test_what_can_be_moved_from_one_coef_to_another_has_no_value_in_a_replicate():
    """Sizes without effect: a floor of nothing beside a flat size term is no floor of zero, but one constant."""
    fit = js.fit(table(0, (1, 1.4, 2), 0.004), objective=js.squared(space="linear"))
    ensemble = js.bootstrap(fit, replicates=REPLICATES)
    has_value = np.isfinite(ensemble.samples("E")) & np.isfinite(ensemble.samples("A"))
    coefs = np.stack([ensemble.coefs[name] for name in fit.law.names], axis=1)[has_value]
    moved = coefs.copy()
    moved[:, 0] = moved[:, 1] = (coefs[:, 0] + coefs[:, 1]) / 2.0  # E and A, whose sum stays
    weight = ensemble.weights(np.flatnonzero(has_value))
    before, after = of(fit, coefs, weight), of(fit, moved, weight)
    assert not np.isclose(after, before, rtol=1e-9).any()


def test_a_corner_is_no_plan():
    fit = js.fit(rising())
    refits = js.bootstrap(fit, replicates=REPLICATES)
    front, usable = js.frontier(refits, flops=[1e20, 1e24]), refits.usable
    assert np.isnan(front.point.params).all()
    codes = {finding.code: finding.message for finding in front.findings}
    assert "do not determine the size" in codes["optimum-at-end"]
    ensemble = front.params[:, 0]
    assert codes["replicates-without-optimum"].startswith(f"{int(np.isnan(ensemble[usable]).sum())} of {usable.sum()} ")


def test_limits_of_a_typed_law_are_found_by_evaluation():
    """The law falls with size whatever its coefs, the runs rise: alpha is zero, and E + A the geometric mean."""
    law = law_from_expression("E + A*(1 + params/1e9)**-alpha", ["E:positive", "A:positive", "alpha:positive"])
    params = np.geomspace(1e7, 1e10, 12)
    fit = js.fit(js.Runs.from_arrays(params=params, loss=3.0 * params**0.002), law, objective="squared")
    assert [one.formula for one in fit.joint] == ["E + A"]
    assert fit.joint[0].value == pytest.approx(np.exp(np.mean(np.log(fit.runs.loss))), rel=1e-9)


def test_certificates_are_zero_at_an_exact_fit_and_at_a_bound(field):
    exact = js.fit(js.read_runs(field / "noise_free.csv"))
    assert exact.certificate.scaled_gradient == 0.0
    runs = js.read_runs(field / "floor_at_zero.csv", inputs=("flops",))
    at_zero = js.fit(runs, "power", objective="squared")
    slope, level = np.polyfit(np.log(runs["flops"]), np.log(runs.loss), 1)
    assert at_zero.coefs["E"] == 0.0
    assert [at_zero.coefs["alpha"], at_zero.coefs["A"]] == pytest.approx([-slope, np.exp(level)], rel=1e-9)
    assert at_zero.certificate.scaled_gradient < 1e-9


@pytest.mark.parametrize("name", ["narrow_sizes_0.csv", "narrow_sizes_3.csv", "bigger_worse.csv"])
def test_tables_of_narrow_sizes_are_fitted(field, name):
    fit = js.fit(js.read_runs(field / name))
    assert fit.is_usable
    assert of(fit, fit.law.vector(fit.coefs)[None], fit.runs.weight)[0] == pytest.approx(fit.value, rel=1e-9)
    predicted = js.predict(fit, params=fit.runs["params"], tokens=fit.runs["tokens"])
    np.testing.assert_allclose(predicted, fit.runs.loss, rtol=0.05)


def test_where_bigger_is_worse_the_size_term_is_a_constant(field):
    fit = js.fit(js.read_runs(field / "bigger_worse.csv"))
    assert fit.joint[0].value == pytest.approx(2.70981, abs=5e-6)
    assert fit.coefs["B"] == pytest.approx(19493.8, abs=0.5)
    assert fit.coefs["beta"] == pytest.approx(0.479140, abs=1e-6)
    assert fit.value == pytest.approx(7.26404e-5, rel=1e-6)


def test_one_sweep_of_one_budget_is_judged_by_its_curvature():
    """On a falling tie the two terms rise and fall and cannot exchange roles: theory gives sd(alpha) near 0.001."""
    params = np.geomspace(3e7, 3e10, 32)
    tokens = 1e20 / (6 * params)
    noise = np.exp(1e-4 * np.random.default_rng(0).standard_normal(32))
    loss = (1.8 + 480 / params**0.34 + 2100 / tokens**0.37) * noise
    fit = js.fit(js.Runs.from_arrays(params=params, tokens=tokens, loss=loss))
    assert fit.status is Status.CONVERGED
    assert abs(fit.coefs["alpha"] - 0.34) < 4 * fit.std["alpha"] < 0.01
    ensemble = js.bootstrap(fit, replicates=16)
    for replicate in range(0, 16, 5):
        weighted = js.Runs.from_arrays(params=params, tokens=tokens, loss=loss, weight=ensemble.weights(replicate))
        again = js.fit(weighted)
        assert again.is_usable == ensemble.usable[replicate]
        assert again.value == pytest.approx(ensemble.value[replicate], rel=1e-8)
