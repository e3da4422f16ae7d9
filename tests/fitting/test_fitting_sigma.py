"""Standard errors of the losses: SciPy's curve_fit(sigma) is the witness."""

import numpy as np
import pytest
from scipy.optimize import curve_fit, least_squares

import jaxscale as js
from jaxscale.approaches import isoflop
from jaxscale.errors import RunsError
from jaxscale.objectives import weight_of

COLUMNS = {"params": np.geomspace(1e7, 1e10, 30)}
SIGMA = 0.002 * 1.15 ** np.arange(30)
LOSS = 1.7 + 300.0 * COLUMNS["params"] ** -0.25 + SIGMA * np.random.default_rng(8).standard_normal(30)
START = (1.7, 300.0, 0.25)


def law(size, E, A, alpha):
    return E + A * size**-alpha


def runs(**columns):
    return js.Runs.from_arrays(**COLUMNS, loss=LOSS, **columns)


@pytest.mark.parametrize("header", ["sigma", "loss_std"])
def test_a_column_of_standard_errors_gives_the_fit_of_curve_fit(field, tmp_path, header):
    path = tmp_path / "runs.csv"
    path.write_text((field / "sigma_as_weight.csv").read_text().replace("sigma", header))
    table = js.read_runs(path, inputs=("flops",), map={"sigma": header})
    fitted = js.fit(table, "power", objective=js.squared(space="linear"))
    assert fitted.coefs["E"] == pytest.approx(2.47610, abs=5e-6)
    assert fitted.coefs["alpha"] == pytest.approx(0.224105, abs=5e-7)
    flops = table["flops"] / 1e18
    (floor, scale, exponent), covariance = curve_fit(law, flops, table.loss, p0=(2.5, 1.0, 0.2), sigma=table["sigma"])
    np.testing.assert_allclose(
        [fitted.coefs["E"], fitted.coefs["A"], fitted.coefs["alpha"]],
        [floor, scale * 1e18**exponent, exponent],
        rtol=1e-5,
    )
    # absolute_sigma=False: the standard errors rest on the ratios of sigma, not on its units
    std = np.sqrt(np.diagonal(covariance))
    np.testing.assert_allclose([fitted.std["E"], fitted.std["alpha"]], std[[0, 2]], rtol=1e-4)


@pytest.mark.parametrize("space", ["linear", "log"])
def test_each_residual_is_divided_by_its_standard_error_in_its_own_space(space):
    fitted = js.fit(runs(sigma=SIGMA), "power-params", objective=js.squared(space=space))

    def residuals(point):
        predicted = law(COLUMNS["params"], *point)
        return (np.log(predicted / LOSS) * LOSS if space == "log" else predicted - LOSS) / SIGMA

    solved = least_squares(residuals, START, x_scale=START, xtol=1e-15, ftol=1e-15, gtol=1e-15)
    np.testing.assert_allclose(list(fitted.coefs.values()), solved.x, rtol=1e-5)
    assert fitted.value == pytest.approx(2.0 * solved.cost, rel=1e-9)


def test_standard_errors_and_a_weight_multiply():
    weight = np.linspace(0.5, 2.0, 30)
    table, objective = runs(sigma=SIGMA, weight=weight), js.squared(space="linear")
    np.testing.assert_allclose(weight_of(table, objective), weight / SIGMA**2, rtol=1e-15)
    np.testing.assert_allclose(weight_of(table, js.huber()), weight / (SIGMA / LOSS) ** 2, rtol=1e-15)
    np.testing.assert_allclose(weight_of(table, js.absolute(space="linear")), weight / SIGMA, rtol=1e-15)


@pytest.mark.parametrize("objective", [js.huber(0.01), js.absolute()], ids=lambda one: one.name)
def test_the_unit_of_the_standard_errors_moves_no_coef(objective):
    one, other = (js.fit(runs(sigma=scale * SIGMA), "power-params", objective=objective) for scale in (1.0, 100.0))
    np.testing.assert_allclose(list(one.coefs.values()), list(other.coefs.values()), rtol=1e-6)


def test_the_bootstrap_sums_the_scores_that_the_fit_sums():
    fitted = js.fit(runs(sigma=SIGMA), "power-params", objective=js.huber(0.01))
    ensemble = js.bootstrap(fitted, replicates=64)
    size = np.abs(
        np.log(law(COLUMNS["params"][:, None], *(ensemble.coefs[name] for name in ("E", "A", "alpha"))).T / LOSS)
    )
    score = np.where(size <= 0.01, 0.5 * size**2, 0.01 * (size - 0.005))
    np.testing.assert_allclose(np.sum(ensemble.weights(np.arange(64)) * score, axis=1), ensemble.value, rtol=1e-8)


def test_runs_with_standard_errors_keep_them_through_a_selection():
    table = runs(sigma=SIGMA).where("params > 1e9")
    np.testing.assert_array_equal(table.sigma, SIGMA[COLUMNS["params"] > 1e9])
    np.testing.assert_array_equal(table["sigma"], table.sigma)


@pytest.mark.parametrize("scale", [1e60, 1e-60])
def test_standard_errors_whose_squares_leave_float64_are_refused_by_row(scale):
    sigma = SIGMA.copy()
    sigma[3] *= scale
    with pytest.raises(RunsError, match=r"look at sigma.*rows 4"):
        js.fit(runs(sigma=sigma), "power-params")


@pytest.mark.parametrize("objective", [js.huber(), js.squared()], ids=lambda one: one.name)
@pytest.mark.parametrize("factor", [1e12, 1e90])
def test_a_factor_common_to_all_weights_moves_no_coef(objective, factor):
    one, other = (js.fit(runs(weight=np.full(30, each)), "power-params", objective=objective) for each in (1.0, factor))
    np.testing.assert_allclose(list(one.coefs.values()), list(other.coefs.values()), rtol=1e-6)


@pytest.mark.parametrize("weight", [1e9, 1e12, 1e50])
def test_a_run_that_outweighs_all_others_is_refused_and_one_that_weighs_next_to_nothing_is_not(weight):
    with pytest.raises(RunsError, match="lost in rounding; bring them closer together; rows 16"):
        js.fit(runs(weight=np.where(np.arange(30) == 15, weight, 1.0)), "power-params")
    light = js.fit(runs(weight=np.where(np.arange(30) == 15, 1.0 / weight, 1.0)), "power-params")
    without = js.fit(runs(weight=np.where(np.arange(30) == 15, 0.0, 1.0)), "power-params")
    np.testing.assert_allclose(list(light.coefs.values()), list(without.coefs.values()), rtol=1e-6)


def test_parabolas_of_isoflop_profiles_count_standard_errors():
    """Two noisy points of a profile lose their say where their standard errors are large."""
    budgets, sizes = np.repeat([1e19, 1e20, 1e21], 7), np.tile(np.linspace(-1.5, 1.5, 7), 3)
    best = 1e8 * (budgets / 1e19) ** 0.5
    params = best * np.exp(sizes)
    loss, sigma = 3.0 - 0.1 * np.log(budgets / 1e19) + 0.05 * sizes**2, np.full(21, 0.01)
    loss[[0, 13]] += 0.1
    sigma[[0, 13]] = 1e3
    table = js.Runs.from_arrays(params=params, tokens=budgets / (6 * params), loss=loss, sigma=sigma)
    np.testing.assert_allclose(isoflop(table).params, [1e8, 1e8 * 10**0.5, 1e9], rtol=1e-3)
