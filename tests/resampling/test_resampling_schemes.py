"""Every scheme by name: what it draws, and that a replicate is the fit that SciPy or NumPy makes of the same draw."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares

import jaxscale as js
from jaxscale import precision
from jaxscale.errors import RunsError, UsageError
from jaxscale.fitting.checking import recomputed
from jaxscale.refitting import refit, survey
from jaxscale.resampling import SCHEMES, Fitted, redraw

ROWS, DRAWN = 30, 2000
PARAMS = np.geomspace(1e7, 1e10, ROWS)
WEIGHT = 2.0 ** (np.arange(ROWS) % 3)
GROUP = np.array([f"run-{one % 10}" for one in range(ROWS)], dtype=object)
DESIGN = np.stack([np.ones(ROWS), -np.log(PARAMS)], axis=1)
"""That of ln L = ln A - alpha ln N, which is linear."""
EVERY = list(SCHEMES)
MOVING = [scheme for scheme in EVERY if "residuals" in scheme.needs]


named = "{0.name}".format


def table(weight=WEIGHT):
    runs = js.simulate("pure-power-params", {"A": 30.0, "alpha": 0.12}, columns={"params": PARAMS}, noise=0.02, seed=1)
    return replace(runs, weight=weight, group=GROUP)


@pytest.fixture(scope="module")
def fit():
    return js.fit(table(), "pure-power-params", objective="squared")


@pytest.fixture(scope="module")
def ensembles(fit):
    """Scheme → ensemble: 40 replicates, or all of a jackknife."""
    return {one.name: js.bootstrap(fit, scheme=one, replicates=None if one.is_listed else 40, seed=7) for one in EVERY}


def line(target, weight):
    """Weighted least squares of the line: (R, 2)."""
    root = np.sqrt(weight)
    return np.stack(
        [np.linalg.lstsq(w[:, None] * DESIGN, w * y, rcond=None)[0] for w, y in zip(root, target, strict=True)]
    )


@pytest.mark.parametrize("scheme", EVERY, ids=named)
def test_a_replicate_is_the_least_squares_of_its_weights_and_targets(fit, ensembles, scheme):
    ensemble = ensembles[scheme.name]
    weight, shift = ensemble.draws(np.arange(len(ensemble)))
    want = line(np.log(fit.runs.loss) + (np.zeros_like(weight) if shift is None else shift), weight)
    assert ensemble.usable.all()
    np.testing.assert_allclose(np.log(ensemble.coefs["A"]), want[:, 0], rtol=1e-9)
    np.testing.assert_allclose(ensemble.coefs["alpha"], want[:, 1], rtol=1e-9)


@pytest.fixture(scope="module")
def sum_of_powers(separable_law_table):
    runs = replace(separable_law_table, group=np.array([f"run-{one % 24}" for one in range(240)], dtype=object))
    return js.fit(runs, objective="squared")


@pytest.mark.parametrize("scheme", EVERY, ids=named)
def test_a_replicate_of_chinchillas_law_is_what_scipy_finds(sum_of_powers, scheme):
    fit = sum_of_powers
    n, d, y = np.log(fit.runs["params"]), np.log(fit.runs["tokens"]), np.log(fit.runs.loss)
    ensemble = js.bootstrap(fit, scheme=scheme, replicates=None if scheme.is_listed else 6, seed=2)
    weight, shift = ensemble.draws(np.arange(3))
    for one in range(3):
        target, root = y if shift is None else y + shift[one], np.sqrt(weight[one])

        def terms(point):
            e, a, b, alpha, beta = point  # ln E, ln A and ln B, of which the last two at the middle of the table
            return np.exp([e + 0 * n, a - alpha * (n - n.mean()), b - beta * (d - d.mean())])

        def residuals(point, root=root, target=target):
            return root * (np.log(terms(point).sum(axis=0)) - target)

        def jacobian(point, root=root):  # SciPy's differences are off by 1e-7 in B
            own = terms(point)
            return (root * np.stack([*own, -own[1] * (n - n.mean()), -own[2] * (d - d.mean())]) / own.sum(axis=0)).T

        start = [np.log(1.8), *(np.log([480.0, 2100.0]) - [0.35 * n.mean(), 0.37 * d.mean()]), 0.35, 0.37]
        options = {"method": "lm", "xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15}
        e, a, b, alpha, beta = least_squares(residuals, start, jacobian, **options).x
        want = [np.exp(e), np.exp(a + alpha * n.mean()), np.exp(b + beta * d.mean()), alpha, beta]
        np.testing.assert_allclose([ensemble.coefs[name][one] for name in fit.law.names], want, rtol=1e-7)


@pytest.mark.parametrize("scheme", EVERY, ids=named)
def test_replicates_are_the_same_to_the_bit_in_every_range(fit, ensembles, scheme):
    found, whole = survey(fit, scheme=scheme, seed=7), ensembles[scheme.name]
    part = refit(fit, found, range(5, 9))
    np.testing.assert_array_equal(part.value, whole.value[5:9])
    for at, name in enumerate(fit.law.names):
        np.testing.assert_array_equal(part.coefs[:, at], whole.coefs[name][5:9])


@pytest.mark.parametrize("scheme", EVERY, ids=named)
def test_a_saved_ensemble_draws_again_what_it_drew(tmp_path, ensembles, scheme):
    again, whole = js.load(js.save(tmp_path, ensembles[scheme.name])).ensemble, ensembles[scheme.name]
    for here, there in zip(again.draws(np.arange(9)), whole.draws(np.arange(9)), strict=True):
        np.testing.assert_array_equal(here, there)


def standard_residuals(fit, weight=WEIGHT):
    """Residuals of one variance by the hat matrix: (n,)."""
    root = np.sqrt(weight)
    basis, _ = np.linalg.qr(root[:, None] * DESIGN)
    return root * fit.residuals / np.sqrt(1.0 - np.sum(basis**2, axis=1))


def noise_of(fit, ensemble, count):
    """What replicates have in place of the residuals, of one variance: (count, n)."""
    return (fit.residuals - ensemble.draws(np.arange(count)).shift) * np.sqrt(WEIGHT)


def test_bayesian_weights_are_a_flat_dirichlet_distribution_times_the_rows():
    drawn = redraw(SCHEMES.resolve("bayesian"), 3, np.arange(DRAWN), np.ones(ROWS)).weight
    np.testing.assert_allclose(drawn.sum(axis=1), ROWS, rtol=1e-14)
    assert drawn.min() > 0.0
    # a share of 30 is Beta(1, 29); the level of the test is a thousandth, of one seed
    assert stats.kstest(drawn[:, 4] / ROWS, stats.beta(1, ROWS - 1).cdf).pvalue > 1e-3
    # the variance of n times such a share is (n - 1) / (n + 1); five of its standard errors of 60,000
    assert drawn.var() == pytest.approx((ROWS - 1) / (ROWS + 1), rel=5 * np.sqrt(8 / (DRAWN * ROWS)))


def test_bayesian_weights_multiply_the_tables():
    ones, own = (redraw(SCHEMES.resolve("bayesian"), 3, np.arange(9), one).weight for one in (np.ones(ROWS), WEIGHT))
    np.testing.assert_allclose(own, ones * WEIGHT, rtol=1e-15)


def test_residuals_are_drawn_from_those_of_one_variance_centred(fit, ensembles):
    size = standard_residuals(fit)
    size = size - size.mean()
    drawn = noise_of(fit, ensembles["residual"], 40)
    away = np.abs(drawn[:, :, None] - size)
    np.testing.assert_allclose(away.min(axis=2), 0.0, atol=1e-14)
    times = np.bincount(away.argmin(axis=2).ravel(), minlength=ROWS)
    assert np.abs(times - 40).max() < 5 * np.sqrt(40)  # each as often as any other, but for a binomial spread


def test_wild_residuals_keep_their_size_and_change_their_sign(fit, ensembles):
    drawn, size = noise_of(fit, ensembles["wild"], 40), standard_residuals(fit)
    np.testing.assert_allclose(np.abs(drawn), np.broadcast_to(np.abs(size), drawn.shape), rtol=1e-9)
    kept = np.sum(np.sign(drawn) == np.sign(size))
    assert abs(kept - 600) < 5 * np.sqrt(1200 / 4)


def test_parametric_noise_is_normal_with_the_variance_of_the_residuals_over_the_weight(fit):
    ensemble = js.bootstrap(fit, scheme="parametric", replicates=DRAWN, seed=1)
    drawn = noise_of(fit, ensemble, DRAWN)
    variance = np.sum(WEIGHT * fit.residuals**2) / (ROWS - 2)
    assert stats.kstest(drawn.ravel() / np.sqrt(variance), stats.norm.cdf).pvalue > 1e-3
    # so that least squares has its textbook covariance; five standard errors of a variance of 2,000
    wanted = variance * np.linalg.inv(DESIGN.T @ (WEIGHT[:, None] * DESIGN))[1, 1]
    assert np.var(ensemble.coefs["alpha"]) == pytest.approx(wanted, rel=5 * np.sqrt(2 / DRAWN))


def test_the_wild_cluster_bootstrap_is_ten_lines_of_numpy(fit, ensembles):
    """Webb's six numbers, one for each of the ten groups in the order of appearance, and least squares."""
    ensemble, size = ensembles["wild-cluster"], standard_residuals(fit)
    six = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
    for r in range(40):
        with precision.float64():
            key = jax.random.fold_in(jax.random.key(7, impl="threefry2x32"), r)
            bits = np.asarray(jax.random.bits(key, (ROWS,), jnp.uint32))
        factor = np.array([six[int(one) * 6 // 2**32] for one in bits[:10]])
        target = np.log(fit.runs.loss) + fit.residuals - size * factor[np.arange(ROWS) % 10] / np.sqrt(WEIGHT)
        want = line(target[None], WEIGHT[None])[0]
        assert np.log(ensemble.coefs["A"][r]) == pytest.approx(want[0], rel=1e-9)
        assert ensemble.coefs["alpha"][r] == pytest.approx(want[1], rel=1e-9)


def test_webbs_numbers_have_mean_zero_and_variance_one():
    from jaxscale.resampling.wild_cluster import WEBB

    six = np.concatenate([-WEBB, WEBB])
    np.testing.assert_allclose([six.mean(), np.mean(six**2), np.mean(six**3)], [0.0, 1.0, 0.0], atol=1e-15)


def test_the_jackknife_leaves_out_every_row_once(fit, ensembles):
    ensemble = ensembles["jackknife"]
    assert len(ensemble) == ROWS
    np.testing.assert_array_equal(ensemble.weights(np.arange(ROWS)), WEIGHT * (1.0 - np.eye(ROWS)))


def test_the_jackknife_of_groups_leaves_out_every_group_once(ensembles):
    ensemble = ensembles["jackknife-cluster"]
    assert len(ensemble) == 10
    np.testing.assert_array_equal(
        ensemble.weights(np.arange(10)), WEIGHT * (np.arange(ROWS) % 10 != np.arange(10)[:, None])
    )


def test_a_row_of_weight_zero_is_not_left_out_and_counts_as_not_there():
    weight = np.where(np.arange(ROWS) == 14, 0.0, WEIGHT)  # no first row of its group
    with_it = js.fit(table(weight), "pure-power-params", objective="squared")
    kept = np.flatnonzero(weight)
    without = js.fit(with_it.runs.take(kept, "of weight zero"), "pure-power-params", objective="squared")
    for scheme in EVERY:
        asked = {"scheme": scheme, "replicates": None if scheme.is_listed else 20, "seed": 3}
        here, there = js.bootstrap(with_it, **asked), js.bootstrap(without, **asked)
        assert len(here) == len(there)
        np.testing.assert_allclose(here.coefs["alpha"], there.coefs["alpha"], rtol=1e-9, err_msg=scheme.name)


def test_every_row_twice_is_weight_two_for_what_draws_nothing_of_a_row():
    """Groups are drawn, left out and multiplied as wholes: whether by two rows or by weight two makes no difference."""
    once = js.fit(table(2.0 * np.ones(ROWS)), "pure-power-params", objective="squared")
    twice = js.fit(
        table(np.ones(ROWS)).take(np.repeat(np.arange(ROWS), 2), ""), "pure-power-params", objective="squared"
    )
    for name in ("cluster", "jackknife-cluster"):
        asked = {"scheme": name, "replicates": None if "jack" in name else 20, "seed": 3}
        here, there = js.bootstrap(once, **asked), js.bootstrap(twice, **asked)
        np.testing.assert_allclose(here.coefs["alpha"], there.coefs["alpha"], rtol=1e-9, err_msg=name)


def test_the_order_of_the_rows_orders_a_jackknife_and_changes_nothing_else(fit, ensembles):
    order = np.random.default_rng(2).permutation(ROWS)
    moved = js.fit(fit.runs.take(order, ""), "pure-power-params", objective="squared")
    again = js.bootstrap(moved, scheme="jackknife")
    np.testing.assert_allclose(again.coefs["alpha"], ensembles["jackknife"].coefs["alpha"][order], rtol=1e-9)


def test_units_of_params_change_the_scale_alone(fit, ensembles):
    """In millions A is another, alpha and the draws are the same: residuals and leverage know no units."""
    runs = replace(fit.runs, columns={"params": PARAMS / 1e6})
    millions = js.fit(runs, "pure-power-params", objective="squared")
    for scheme in EVERY:
        again = js.bootstrap(millions, scheme=scheme, replicates=None if scheme.is_listed else 40, seed=7)
        here = ensembles[scheme.name]
        np.testing.assert_allclose(again.coefs["alpha"], here.coefs["alpha"], rtol=1e-9)
        scaled = here.coefs["A"] * 1e6 ** -here.coefs["alpha"]
        np.testing.assert_allclose(again.coefs["A"], scaled, rtol=1e-9)


@pytest.mark.parametrize("scheme", MOVING, ids=named)
def test_replicates_of_a_fit_at_a_bound_are_minima_of_their_own_targets(scheme):
    """Losses that fall without a floor: E lies at 0, and replicates lie there or inside, each with its objective."""
    columns = {"params": np.geomspace(1e7, 1e10, ROWS)}
    runs = js.simulate("power-params", {"E": 1e-9, "A": 30.0, "alpha": 0.12}, columns=columns, noise=0.02, seed=4)
    fit = js.fit(replace(runs, group=GROUP), "power-params", objective="squared")
    assert fit.at_bound == ("E",)
    ensemble = js.bootstrap(fit, scheme=scheme, replicates=60, seed=1)
    assert ensemble.usable.mean() > 0.9
    assert (ensemble.coefs["E"][ensemble.usable] == 0.0).any()
    np.testing.assert_allclose(ensemble.fitted.leverage.sum(), 2.0, rtol=1e-6)  # A and alpha: E is held
    usable = np.flatnonzero(ensemble.usable)
    sets = np.stack([ensemble.coefs[name] for name in fit.law.names], axis=1)[usable]
    again = recomputed(fit.law, fit.objective, fit.runs, sets, *ensemble.draws(usable))
    np.testing.assert_allclose(again, ensemble.value[usable], rtol=1e-6)


@pytest.mark.parametrize("replicates", [1, 29, 31, 4000])
def test_a_jackknife_of_another_number_is_refused(fit, replicates):
    with pytest.raises(UsageError, match="'jackknife' has 30 replicates of this table, each without one of its rows"):
        js.bootstrap(fit, scheme="jackknife", replicates=replicates)


def test_a_replicate_that_a_jackknife_does_not_have_is_refused(fit):
    with pytest.raises(UsageError, match="replicate 30 is asked for, and the scheme 'jackknife' has 30"):
        refit(fit, survey(fit, scheme="jackknife"), range(28, 31))


@pytest.mark.parametrize("scheme", MOVING, ids=named)
def test_a_fit_that_leaves_no_residuals_is_refused(scheme):
    few = table().take(np.array([0, 20]), "")
    exact = js.fit(replace(few, group=None), "pure-power-params", objective="squared")
    with pytest.raises(UsageError, match="leaves none: 2 runs for 2 coefs"):
        js.bootstrap(exact, scheme=replace(scheme, needs=("residuals",)), replicates=10)


@pytest.mark.parametrize("name", ["wild-cluster", "jackknife-cluster"])
def test_schemes_of_groups_need_groups(fit, name):
    bare = js.fit(replace(fit.runs, group=None), "pure-power-params", objective="squared")
    with pytest.raises(UsageError, match="group='COLUMN'"):
        js.bootstrap(bare, scheme=name)
    few = js.fit(replace(fit.runs, group=np.repeat(["a", "b"], 15)), "pure-power-params", objective="squared")
    with pytest.raises(RunsError, match="2 groups for the scheme"):
        js.bootstrap(few, scheme=name)


def test_a_jackknife_comes_with_an_ensemble_that_asks_for_it(fit, ensembles):
    rows, groups = (js.bootstrap(fit, scheme=name, replicates=8, jackknife=True) for name in ("wild", "cluster"))
    np.testing.assert_array_equal(rows.jackknife.coefs["alpha"], ensembles["jackknife"].coefs["alpha"])
    np.testing.assert_array_equal(groups.jackknife.coefs["alpha"], ensembles["jackknife-cluster"].coefs["alpha"])
    with pytest.raises(UsageError, match="is a jackknife itself"):
        js.bootstrap(fit, scheme="jackknife", jackknife=True)
    assert Fitted._fields == ("prediction", "residual", "leverage")
