"""Every interval against another hand: SciPy's bootstrap, written-out formulas, and what it must refuse."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import approx_fprime

import jaxscale as js
from jaxscale.allocation import separable
from jaxscale.errors import IntervalError, UsageError
from jaxscale.fitting import predicted_sample
from jaxscale.intervals import INTERVALS, Sample
from jaxscale.reports import fit_document
from jaxscale.results import sample_of
from jaxscale.results.samples import sample_from, sets_of

RANDOM = np.random.default_rng(8)
TABLE = RANDOM.gamma(2.0, size=40)
REPLICATES = 999
DRAWN = TABLE[RANDOM.integers(0, 40, (REPLICATES, 40))]


def spread(table, axis=-1):
    return np.var(table, axis=axis)


def jackknife(statistic, table):
    return np.array([statistic(np.delete(table, row)) for row in range(len(table))])


SPREADS = Sample(spread(DRAWN), np.asarray(spread(TABLE)), jackknife=jackknife(spread, TABLE))
"""A skewed estimate: the variance of a gamma table."""


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("name", ["percentile", "basic", "bca"])
def test_it_is_scipys_interval_of_the_same_replicates(name, level):
    """SciPy takes the distribution of replicates from a result that it made before."""
    made = stats.bootstrap((TABLE,), spread, n_resamples=REPLICATES, method="percentile", vectorized=True, rng=3)
    theirs = stats.bootstrap(
        (TABLE,), spread, n_resamples=0, confidence_level=level, method=name, bootstrap_result=made, vectorized=True
    ).confidence_interval
    sample = Sample(made.bootstrap_distribution, SPREADS.point, jackknife=SPREADS.jackknife)
    ours = js.band(sample, level=level, method=name)
    np.testing.assert_allclose([ours.lower, ours.upper], [theirs.low, theirs.high], rtol=1e-12)


def test_bca_without_bias_or_acceleration_is_the_percentile_interval():
    values = np.r_[-np.arange(1.0, 500.0), np.arange(1.0, 500.0)]
    sample = Sample(values, np.asarray(0.0), jackknife=np.array([-1.0, 1.0, -2.0, 2.0]))
    plain, moved = (js.band(sample, method=name) for name in ("percentile", "bca"))
    np.testing.assert_allclose([moved.lower, moved.upper], [plain.lower, plain.upper], rtol=1e-12)


def test_studentised_limits_are_the_estimate_less_quantiles_of_t():
    """The mean of a table in its own standard errors, Davison & Hinkley 1997, eq. 5.7, written out."""
    error, own = (np.std(one, axis=-1, ddof=1) / np.sqrt(40) for one in (TABLE, DRAWN))
    means = DRAWN.mean(axis=1)
    band = js.band(Sample(means, TABLE.mean(), own, error), level=0.9, method="studentised")
    low, high = np.quantile((means - TABLE.mean()) / own, [0.05, 0.95])
    np.testing.assert_allclose([band.lower, band.upper], TABLE.mean() - np.array([high, low]) * error, rtol=1e-12)


def test_normal_delta_sandwich_and_jackknife_limits_are_the_estimate_and_so_many_errors():
    left = jackknife(np.mean, TABLE)
    sample = Sample(DRAWN.mean(axis=1), TABLE.mean(), None, np.asarray(0.2), left, dof=7)
    sample = replace(sample, robust_std=np.asarray(0.3), robust_dof=11)
    error = TABLE.std(ddof=1) / np.sqrt(40)  # of a mean the jackknife's is the textbook's
    reach = {
        "normal": stats.norm.ppf(0.95) * DRAWN.mean(axis=1).std(ddof=1),
        "delta": stats.t.ppf(0.95, 7) * 0.2,
        "sandwich": stats.t.ppf(0.95, 11) * 0.3,
        "jackknife": stats.t.ppf(0.95, 39) * error,
    }
    for name, half in reach.items():
        band = js.band(sample, level=0.9, method=name)
        np.testing.assert_allclose([band.lower, band.upper], TABLE.mean() + np.array([-half, half]), rtol=1e-9)


BY_DISTANCE = [rule for rule in INTERVALS if rule.is_distance]


@pytest.mark.parametrize("rule", BY_DISTANCE, ids=lambda rule: rule.name)
def test_distances_from_a_positive_quantity_are_those_of_its_logarithm(rule):
    """exp of the limits of ln: with standard errors of ln as the errors over the value, to the bit of rounding."""
    logs = Sample(
        DRAWN.mean(axis=1), TABLE.mean(), DRAWN.std(axis=1), np.asarray(0.2), jackknife(np.mean, TABLE), dof=9,
        robust_std=np.asarray(0.3), robust_dof=4,
    )  # fmt: skip
    parts = (np.exp(part) for part in (logs.values, logs.point, logs.jackknife))
    values, point, left = parts
    own = Sample(values, point, logs.std * values, logs.point_std * point, left, line="positive", dof=9)
    own = replace(own, robust_std=logs.robust_std * point, robust_dof=4)
    there, here = (js.band(one, level=0.9, method=rule) for one in (logs, own))
    np.testing.assert_allclose([here.lower, here.upper], np.exp([there.lower, there.upper]), rtol=1e-12)


@pytest.mark.parametrize("rule", BY_DISTANCE, ids=lambda rule: rule.name)
def test_a_share_stays_a_share(rule):
    values = 1.0 / (1.0 + np.exp(-3.0 - 2.0 * RANDOM.standard_normal(400)))
    std = 2.0 * values * (1 - values)
    sample = Sample(values, np.asarray(0.95), std, np.asarray(0.1), values[:40], line="unit", dof=9)
    sample = replace(sample, robust_std=np.asarray(0.1))
    band = js.band(sample, method=rule)
    assert 0.0 < band.lower < 0.95 < band.upper < 1.0


@pytest.mark.parametrize("rule", [rule for rule in INTERVALS if not rule.at_bound], ids=lambda rule: rule.name)
def test_an_estimate_at_a_bound_has_the_percentile_interval_alone(rule):
    values = np.abs(RANDOM.standard_normal(200))
    sample = Sample(values, np.asarray(0.0), np.ones(200), np.asarray(1.0), values[:30], values[:30], bound=0.0)
    sample = replace(sample, robust_std=np.asarray(1.0))
    with pytest.raises(IntervalError, match=f"'{rule.name}' is not defined for an estimate at a bound, here 0"):
        js.band(sample, method=rule)
    assert js.band(sample).lower == 0.0


def test_what_an_interval_cannot_do_it_says():
    values, point, left = np.arange(100.0), np.asarray(50.0), np.arange(20.0)
    refused = {
        "all 100 usable replicates lie on one side": ("bca", Sample(values, np.asarray(-1.0), jackknife=left)),
        "2 of 20 fits without one run": (
            "bca",
            Sample(values, point, jackknife=np.where(np.arange(20) < 2, left, np.nan)),
        ),
        "the acceleration .* is too large": ("bca", Sample(values, np.asarray(98.5), jackknife=np.eye(60)[0] * -9.0)),
        "0 of 100 replicates have a standard error": (
            "studentised",
            Sample(values, point, np.full(100, np.nan), np.asarray(1.0)),
        ),
        "1 of 100 replicates lie at the end": ("normal", Sample(values, point, line="positive")),
        "as many coefs as runs": ("delta", Sample(values, point, None, np.asarray(1.0), dof=0)),
        "or two groups": ("sandwich", Sample(values, point, robust_std=np.asarray(1.0), robust_dof=0)),
    }
    for words, (name, sample) in refused.items():
        with pytest.raises(IntervalError, match=words):
            js.band(sample, level=0.99999, method=name)  # far out even one run in sixty is too much for bca


def test_a_failed_fit_without_a_run_is_left_out_as_a_failed_replicate_is():
    failed = np.append(SPREADS.jackknife, np.nan)
    for name in ("bca", "jackknife"):
        ours = js.band(SPREADS, method=name)
        more = js.band(Sample(SPREADS.values, SPREADS.point, jackknife=failed), method=name)
        assert (ours.lower, ours.upper) == (more.lower, more.upper)


@pytest.fixture(scope="module")
def ensemble(separable_law_table):
    made = {"covariance": True, "jackknife": True, "nested": (60, 99), "profile": True}
    return js.bootstrap(js.fit(separable_law_table), replicates=64, **made)


BUDGETS = (1e21, 1e23)


@pytest.fixture(scope="module")
def best(ensemble):
    return js.frontier(ensemble, flops=BUDGETS)


@pytest.mark.parametrize("rule", list(INTERVALS), ids=lambda rule: rule.name)
def test_every_interval_is_there_for_coefs_and_what_follows_from_them(ensemble, best, rule):
    """All agree within a standard deviation of one another: the table is long and its noise normal."""
    for name in ensemble.fit.law.names:
        band, plain = (ensemble.interval(name, level=0.9, method=one) for one in (rule, "percentile"))
        width = plain.upper - plain.lower
        assert abs(band.lower - plain.lower) < 0.5 * width
        assert abs(band.upper - plain.upper) < 0.5 * width
    for quantity in ("params", "tokens", "loss", "tokens_per_param"):
        band, point = best.interval(quantity, level=0.9, method=rule), getattr(best.point, quantity)
        assert band.lower.shape == (2,)
        assert (band.lower < point).all()
        assert (point < band.upper).all()
    losses = js.band(predicted_sample(ensemble, {"params": [1e9, 1e10], "tokens": 1e11}), level=0.9, method=rule)
    assert (losses.lower < losses.upper).all()


def test_the_spread_of_the_best_size_is_that_of_the_delta_method_in_closed_form(ensemble, best):
    """The gradient of ln N_opt by Hoffmann et al. 2022, eq. 4, in the point fit and in a replicate."""
    names = ensemble.fit.law.names
    for at, coefs, covariance in (
        (None, dict(ensemble.fit.coefs), ensemble.fit.covariance),
        (5, {name: ensemble.coefs[name][5] for name in names}, ensemble.covariance[5]),
    ):
        for place, budget in enumerate(BUDGETS):

            def log_params(values, budget=budget):
                return float(np.log(separable.optimum(dict(zip(names, values, strict=True)), budget).params))

            values = np.array([coefs[name] for name in names])
            slope = np.array(
                [
                    (log_params(values * (1 + 1e-6 * unit)) - log_params(values * (1 - 1e-6 * unit))) / (2e-6 * value)
                    for unit, value in zip(np.eye(len(values)), values, strict=True)
                ]
            )
            want = np.sqrt(slope @ covariance @ slope)
            std = best.point_std["params"][place] if at is None else best.std["params"][at, place]
            params = best.point.params[place] if at is None else best.params[at, place]
            assert std / params == pytest.approx(want, rel=1e-4)


def test_a_quantity_of_ones_own_has_its_jackknife_and_its_errors(ensemble):
    """The exponent a = beta / (alpha + beta) of N_opt."""
    sample = sample_of(ensemble, lambda coefs: coefs["beta"] / (coefs["alpha"] + coefs["beta"]), line="unit")
    left, fit = ensemble.jackknife, ensemble.fit
    np.testing.assert_array_equal(sample.jackknife, left.coefs["beta"] / (left.coefs["alpha"] + left.coefs["beta"]))
    places = [fit.law.names.index(name) for name in ("alpha", "beta")]
    slope = approx_fprime([fit.coefs["alpha"], fit.coefs["beta"]], lambda x: x[1] / (x[0] + x[1]), 1e-8)
    assert sample.point_std == pytest.approx(np.sqrt(slope @ fit.covariance[np.ix_(places, places)] @ slope), rel=1e-5)
    bare = replace(ensemble, covariance=None)  # the errors of the point follow from the fit alone
    alpha, beta = (sets_of(bare, of_point=True).coefs[:, at] for at in places)
    alone = sample_from(bare, beta / (alpha + beta), of_point=True)
    assert alone.std is None
    assert alone.point_std == pytest.approx(sample.point_std, rel=1e-12)
    np.testing.assert_array_equal(alone.jackknife, sample.jackknife)


def test_the_covariance_of_a_fit_has_its_standard_errors_on_the_diagonal(ensemble):
    std = np.sqrt(np.diagonal(ensemble.fit.covariance))
    np.testing.assert_allclose(std, list(ensemble.fit.std.values()), rtol=1e-12)


def test_what_an_interval_needs_comes_back_from_the_disk(tmp_path, ensemble, best):
    again = js.load(js.save(tmp_path, js.Study(ensemble.fit, ensemble, best)))
    for rule in INTERVALS:
        for here, there in (
            (again.frontier.interval("params", method=rule), best.interval("params", method=rule)),
            (again.ensemble.interval("E", method=rule), ensemble.interval("E", method=rule)),
        ):
            np.testing.assert_array_equal([here.lower, here.upper], [there.lower, there.upper])


def test_the_document_says_what_a_calibrated_interval_rests_on(ensemble, best):
    told = fit_document(js.Study(ensemble.fit, ensemble, best))["bootstrap"]["nested"]
    usable = int(ensemble.nested.usable.sum())
    assert told == {"noise": "residual", "tables": 60, "replicates": 99, "usable": usable, "seed": 0}


def test_a_study_makes_what_its_interval_needs_and_refuses_what_it_lacks(separable_law_table):
    study = js.study(separable_law_table, replicates=64, interval="bca", budgets=BUDGETS)
    assert len(study.ensemble.jackknife) == 240
    assert study.ensemble.covariance is None
    assert study.coef_band("E").method == "bca"
    assert study.frontier_band("tokens").method == "bca"
    assert study.shown(interval=INTERVALS.resolve("jackknife")).coef_band("E").method == "jackknife"
    with pytest.raises(UsageError, match="fit again with interval='studentised'"):
        study.shown(interval=INTERVALS.resolve("studentised"))


def test_quantiles_of_a_jackknife_are_no_interval(separable_law_table, ensemble):
    left = ensemble.jackknife
    for ask in (
        lambda: left.interval("E"),
        lambda: js.frontier(left, flops=BUDGETS),
        lambda: predicted_sample(left, {"params": 1e9, "tokens": 1e11}),
        lambda: js.study(separable_law_table, scheme="jackknife"),
        lambda: js.decide(left, flops=1e22),
    ):
        with pytest.raises(UsageError, match="are no draws"):
            ask()
