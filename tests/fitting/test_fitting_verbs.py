"""fit and bootstrap on one small law: standard errors, fixed coefs, starts, and what a result is made of."""

import dataclasses
from collections.abc import Mapping

import jax
import numpy as np
import pytest
from scipy.optimize import curve_fit, linprog
from scipy.stats import norm

import jaxscale as js
from jaxscale.errors import UsageError
from jaxscale.fitting.preparing import start_points
from jaxscale.refitting.starting import REFITTING
from jaxscale.refitting.survey import SEEDS, SURVEY, SURVEYING
from jaxscale.status import Status

LAW = "power-params"
KAPLAN = {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103}
TRUTH = {"E": 1.7, "A": 300.0, "alpha": 0.25}
PARAMS = np.geomspace(1e7, 1e10, 30)
RUNS = js.simulate(LAW, TRUTH, columns={"params": PARAMS}, noise=0.01, seed=4)


def power(x, floor, scale, alpha):
    return floor + scale * x**-alpha


def values(fit):
    return np.array(list(fit.coefs.values()))


@pytest.fixture(scope="module")
def least_squares():
    return js.fit(RUNS, LAW, objective=js.squared(space="linear"))


@pytest.fixture(scope="module")
def huber():
    return js.fit(RUNS, LAW)


def test_least_squares_and_its_standard_errors_are_those_of_scipy(least_squares):
    best, covariance = curve_fit(power, PARAMS, RUNS.loss, p0=list(TRUTH.values()), xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(values(least_squares), best, rtol=1e-5)  # MINPACK stops at about 1e-7
    np.testing.assert_allclose(list(least_squares.std.values()), np.sqrt(np.diag(covariance)), rtol=1e-4)


def test_weights_are_inverse_variances():
    """SciPy's sigma is one over the square root of our weight; the noisy half counts less, not more."""
    weight = np.where(np.arange(30) % 2, 0.25, 1.0)
    runs = js.Runs.from_arrays(params=PARAMS, loss=RUNS.loss, weight=weight)
    fit = js.fit(runs, LAW, objective=js.squared(space="linear"))
    options = {"p0": list(TRUTH.values()), "sigma": weight**-0.5, "xtol": 1e-14, "ftol": 1e-14}
    best, covariance = curve_fit(power, PARAMS, RUNS.loss, **options)
    np.testing.assert_allclose(values(fit), best, rtol=1e-5)
    np.testing.assert_allclose(list(fit.std.values()), np.sqrt(np.diag(covariance)), rtol=1e-4)


def test_the_sandwich_of_huber_is_that_of_the_textbook(huber):
    """H⁻¹ (Σ ψψᵀ) H⁻¹ n / (n - p) in log coefs, then times the coef (Huber 1967), with H by finite differences.

    Three parts in thirty of it, as many as there are coefs, are the covariance under normal errors of the size that
    the 27 largest residuals show, with Huber's variance of 1964. H is Σ ρ'' J Jᵀ, with the density of residuals at zero
    counted where Hall & Sheather 1988 count it, for three of these thirty lie within the own bend; and Σ ψ r'', by a
    difference in the slopes alone.
    """
    residuals = huber.residuals
    share = 30 ** (-1 / 3) * norm.ppf(0.975) ** (2 / 3) * (1.5 * norm.pdf(0) ** 2) ** (1 / 3)
    width = 2 * norm.ppf(0.5 + share) * min(residuals.std(), np.subtract(*np.quantile(residuals, (0.75, 0.25))) / 1.34)
    assert width > 1e-3

    def slopes(theta):
        floor, scale, alpha = np.exp(theta)
        terms = np.stack([np.full(30, floor), scale * PARAMS**-alpha])
        return np.stack([terms[0], terms[1], -alpha * np.log(PARAMS) * terms[1]]) / terms.sum(axis=0)

    theta, step, score = np.log(values(huber)), 1e-6, np.clip(residuals, -1e-3, 1e-3)
    slope = slopes(theta)
    bread = (slope * (np.abs(residuals) < width) * 1e-3 / width) @ slope.T
    for k in range(3):
        shift = step * np.eye(3)[k]
        bread[k] += (slopes(theta + shift) - slopes(theta - shift)) @ score / (2 * step)
    inverse, meat = np.linalg.inv(bread), (score * slope) @ (score * slope).T
    size = np.median(np.sort(np.abs(residuals))[3:]) / norm.ppf(0.75)
    bend = 1e-3 / size
    inside = 2 * norm.cdf(bend) - 1
    variance = size**2 * (inside - 2 * bend * norm.pdf(bend) + 2 * bend**2 * norm.sf(bend)) / inside**2
    pooled = variance * np.linalg.inv(slope @ slope.T)
    mixed = 27 / 30 * inverse @ meat @ inverse.T * 30 / 27 + 3 / 30 * pooled
    errors = np.sqrt(np.diag(mixed)) * values(huber)
    np.testing.assert_allclose(list(huber.std.values()), errors, rtol=1e-3)


def test_least_absolute_deviations_are_those_of_linear_programming():
    """In logs the pure power law is a straight line: minimise the sum of u with -u <= ln A - alpha ln N - ln L <= u."""
    x, y = np.log(PARAMS), np.log(RUNS.loss)
    line, idle = np.stack([np.ones(30), -x], axis=1), np.eye(30)
    best = linprog(
        np.r_[0, 0, np.ones(30)],
        A_ub=np.block([[line, -idle], [-line, -idle]]),
        b_ub=np.r_[y, -y],
        bounds=[(None, None)] * 2 + [(0, None)] * 30,
    )
    fit = js.fit(RUNS, "pure-power-params", objective="absolute")
    assert fit.value == pytest.approx(best.fun, rel=1e-6)  # the scale ends at 1e-6 of the mean residual
    np.testing.assert_allclose([np.log(fit.coefs["A"]), fit.coefs["alpha"]], best.x[:2], rtol=1e-6)


def with_idle_rows(count):
    """The same runs and some of weight zero that fit nothing."""
    idle = np.full(count, 9.0)
    weight = np.r_[np.ones(30), np.zeros(count)]
    return js.Runs.from_arrays(params=np.r_[PARAMS, np.full(count, 1e8)], loss=np.r_[RUNS.loss, idle], weight=weight)


@pytest.mark.parametrize("objective", ["huber", js.squared(space="linear")], ids=["huber", "squared"])
def test_rows_of_weight_zero_change_neither_coefs_nor_standard_errors(objective):
    plain, idle = js.fit(RUNS, LAW, objective=objective), js.fit(with_idle_rows(2), LAW, objective=objective)
    np.testing.assert_allclose(values(idle), values(plain), rtol=1e-9)
    assert idle.value == pytest.approx(plain.value, rel=1e-12)
    np.testing.assert_allclose(list(idle.std.values()), list(plain.std.values()), rtol=1e-8)


def test_the_second_solver_finds_the_same_minimum(huber):
    fit = js.fit(RUNS, LAW, solver="lbfgs")
    assert fit.status is Status.CONVERGED
    assert fit.value == pytest.approx(huber.value, rel=1e-9)
    np.testing.assert_allclose(values(fit), values(huber), rtol=1e-5)


def test_a_fit_that_claims_a_minimum_has_no_gradient_there(huber, least_squares):
    for fit in (huber, least_squares):
        assert fit.status is Status.CONVERGED
        assert fit.certificate.scaled_gradient < 1e-6


def test_padding_to_another_bucket_changes_nothing(huber):
    padded = js.fit(with_idle_rows(20), LAW)
    np.testing.assert_allclose(values(padded), values(huber), rtol=1e-9)
    assert padded.value == pytest.approx(huber.value, rel=1e-12)


def test_a_fixed_coef_stays_exactly_and_the_others_take_their_conditional_minimum():
    fit = js.fit(RUNS, LAW, objective=js.squared(space="linear"), fix={"alpha": 0.3})
    assert fit.coefs["alpha"] == 0.3
    assert fit.fixed == ("alpha",)
    assert fit.free == ("E", "A")
    assert fit.std["alpha"] is None
    slope, floor = np.polyfit(PARAMS**-0.3, RUNS.loss, 1)  # with alpha given, a straight line
    np.testing.assert_allclose([fit.coefs["E"], fit.coefs["A"]], [floor, slope], rtol=1e-9)


def test_a_fixed_coef_stays_fixed_in_every_replicate():
    ensemble = js.bootstrap(js.fit(RUNS, LAW, fix={"alpha": 0.3}), replicates=50)
    np.testing.assert_array_equal(ensemble.coefs["alpha"], 0.3)
    assert np.ptp(ensemble.coefs["E"]) > 0


def test_with_every_coef_fixed_the_value_is_that_of_the_given_law():
    fit = js.fit(RUNS, LAW, fix=TRUTH)
    size = np.abs(np.log(power(PARAMS, *TRUTH.values())) - np.log(RUNS.loss))
    assert fit.value == pytest.approx(np.where(size <= 1e-3, 0.5 * size**2, 1e-3 * (size - 0.5e-3)).sum(), rel=1e-12)
    assert fit.free == ()
    with pytest.raises(UsageError, match="every coef of 'power-params' is fixed"):
        js.bootstrap(fit)


def test_the_message_about_few_rows_counts_the_free_coefs_only():
    few = js.Runs.from_arrays(params=PARAMS[:5], loss=RUNS.loss[:5])
    found = {finding.code: finding.message for finding in js.fit(few, LAW, fix={"alpha": 0.25}).findings}
    assert "5 runs for 2 free coefs" in found["few-rows"]


def test_starts_replace_the_grid(huber):
    one = js.fit(RUNS, LAW, starts=TRUTH)
    several = js.fit(RUNS, LAW, starts=[TRUTH, {"E": 0.5, "A": 50.0, "alpha": 0.1}])
    assert (one.certificate.starts, several.certificate.starts) == (1, 2)
    np.testing.assert_allclose(values(one), values(huber), rtol=1e-9)


def test_a_negative_loss_is_welcome_in_linear_space():
    runs = js.Runs.from_arrays(params=PARAMS, loss=RUNS.loss - RUNS.loss.max() - 0.1)
    assert js.fit(runs, LAW, objective=js.squared(space="linear")).status is not Status.NON_FINITE


def parts(thing):
    """Everything that a result is made of, through records, mappings and tuples."""
    yield thing
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        thing = [getattr(thing, one.name) for one in dataclasses.fields(thing)]
    if isinstance(thing, Mapping):
        thing = list(thing.values())
    if isinstance(thing, list | tuple):
        for one in thing:
            yield from parts(one)


@pytest.fixture(scope="module")
def answers(huber):
    ensemble = js.bootstrap(huber, replicates=50)
    front = js.frontier(law="kaplan", coefs=KAPLAN, flops=1e21)
    return huber, ensemble, front, ensemble.interval("E"), ensemble.weights(0), js.predict(huber, params=PARAMS)


def test_a_result_shows_itself_in_one_short_line(answers):
    fit, ensemble, front, *_ = answers
    for thing in (fit, ensemble, front, fit.law):
        assert len(repr(thing)) < 160
        assert "\n" not in repr(thing)
    assert (
        repr(fit)
        == f"<Fit power-params: converged, 30 runs, {', '.join(f'{k}={v:.4g}' for k, v in fit.coefs.items())}>"
    )
    assert f"{ensemble.usable.sum()} of 50 replicates usable" in repr(ensemble)


def test_no_result_holds_a_device_array(answers):
    for answer in answers:
        assert not [part for part in parts(answer) if isinstance(part, jax.Array)]
        arrays = [part for part in parts(answer) if isinstance(part, np.ndarray)]
        assert all(array.dtype != np.float32 for array in arrays)


def test_coefs_values_and_errors_are_plain_floats(huber):
    numbers = [*huber.coefs.values(), *huber.std.values(), huber.value, huber.certificate.scaled_gradient]
    assert all(type(number) is float for number in numbers)


def test_no_verb_changes_the_callers_jax_settings():
    before = dict(jax.config.values)
    fit = js.fit(RUNS, LAW)
    js.bootstrap(fit, replicates=10)
    js.predict(fit, params=PARAMS)
    js.frontier(law="kaplan", coefs=KAPLAN, flops=1e21)
    js.isoloss(law="kaplan", coefs=KAPLAN, loss=2.5, params=1e9)
    assert dict(jax.config.values) == before
    assert jax.numpy.ones(1).dtype == np.float32


def test_every_replicate_is_counted_once(huber):
    ensemble = js.bootstrap(huber, replicates=300, seed=3)
    assert int(ensemble.usable.sum()) + sum(ensemble.failed.values()) == 300
    assert np.isnan(ensemble.samples("E")).sum() == 300 - ensemble.usable.sum()


def test_no_stage_counts_more_parts_than_it_has(huber):
    """Of a stage whose total is known, no more are told to be done; of the refits, every one."""
    stages = []
    js.bootstrap(
        huber, replicates=300, seed=3, on_stage=lambda text, total: stages.append([text, total, 0]),
        on_done=lambda count: stages[-1].__setitem__(2, stages[-1][2] + count),
    )  # fmt: skip
    assert all(done <= (total or 0) for _, total, done in stages)
    assert [stage for stage in stages if stage[0] == REFITTING] == [[REFITTING, 300, 300]]
    assert [done for text, _, done in stages if text == f"{SURVEYING}: {REFITTING}"] == [SEEDS, SURVEY, SURVEY]


def test_a_replicate_with_fewer_distinct_rows_than_coefs_is_degenerate():
    """Of three runs, a resample has three distinct ones in 3!/3³ = 2/9 of all cases."""
    ensemble = js.bootstrap(js.fit(js.Runs.from_arrays(params=PARAMS[::12], loss=RUNS.loss[::12]), LAW), replicates=400)
    drawn = ensemble.weights(np.arange(400))
    is_poor = (drawn > 0).sum(axis=1) < 3
    np.testing.assert_array_equal(ensemble.status == Status.DEGENERATE, is_poor)
    assert ensemble.failed["degenerate"] == is_poor.sum()


def test_a_law_finds_its_starts_from_a_part_of_a_long_table():
    """A search over settings holds an array of settings by runs: from a table of a million it would fill the memory."""
    shown = []

    def starts(columns, target):
        shown.append((len(columns["params"]), len(target), float(target[-1])))
        return [{"E": 1.0, "A": 10.0, "alpha": 0.3}]

    runs = js.Runs.from_arrays(params=np.geomspace(1e6, 1e9, 5000), loss=np.linspace(4, 2, 5000))
    points = start_points(dataclasses.replace(js.LAWS.resolve("power-params"), starts=starts), runs, None, {})
    assert points.shape == (1, 3)
    assert shown == [(500, 500, 2.0)]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1e3, 1e9])
def test_standard_errors_do_not_depend_on_the_units_of_the_columns(scale):
    """Counting params and tokens in thousands or billions moves A and B alone: no other coef, and no error of one."""
    random = np.random.default_rng(1)
    columns = {"params": 10 ** random.uniform(7.5, 10, 60), "tokens": 10 ** random.uniform(9, 11.5, 60)}
    truth = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
    loss = js.predict("chinchilla", truth, **columns) * np.exp(0.01 * random.standard_normal(60))
    plain, other = (
        js.fit(js.Runs.from_arrays(loss=loss, **{name: column / unit for name, column in columns.items()}))
        for unit in (1.0, scale)
    )
    for name in ("E", "alpha", "beta"):
        assert other.coefs[name] == pytest.approx(plain.coefs[name], rel=1e-7)
        assert other.std[name] == pytest.approx(plain.std[name], rel=1e-5)
    ensemble = js.bootstrap(plain, replicates=600)
    for name in ("E", "alpha", "beta"):
        assert plain.std[name] == pytest.approx(np.std(ensemble.coefs[name]), rel=0.25)
