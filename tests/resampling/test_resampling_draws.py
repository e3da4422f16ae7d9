"""Draws of the pairs bootstrap: multinomial counts, one derivation of randomness, the same for every caller."""

from contextlib import ExitStack
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import jaxscale as js
from jaxscale import precision
from jaxscale.engine import compiling
from jaxscale.errors import UsageError
from jaxscale.resampling import SCHEMES, Fitted, Table, clusters_of, draw_replicate, key_of, key_words, redraw

PAIRS, CLUSTER = SCHEMES.resolve("pairs"), SCHEMES.resolve("cluster")


def drawn_by(*arguments):
    """The weights of replicates, for schemes that leave the targets as they are."""
    draw = redraw(*arguments)
    assert draw.shift is None
    return draw.weight


@settings(deadline=None, max_examples=20)
@given(count=st.sampled_from([1, 5, 37]), seed=st.integers(0, 2**32 - 1))  # three shapes: each compiles
def test_the_counts_of_a_replicate_are_whole_and_sum_to_the_rows(count, seed):
    drawn = drawn_by(PAIRS, seed, np.arange(5), np.ones(count))
    np.testing.assert_array_equal(drawn, np.rint(drawn))
    np.testing.assert_array_equal(drawn.sum(axis=1), count)
    assert drawn.min() >= 0


def test_every_row_is_drawn_as_often_as_any_other():
    count, replicates = 25, 4000
    totals = drawn_by(PAIRS, 1, np.arange(replicates), np.ones(count)).sum(axis=0)
    deviation = np.sqrt(replicates * (1 - 1 / count))  # of a binomial with R n trials and share 1 / n
    assert np.abs(totals - replicates).max() < 5 * deviation


def test_the_weights_of_replicate_r_come_from_the_key_folded_with_r():
    count, replicates = 37, 50
    with precision.float64():
        for r in range(0, replicates, 7):
            key = jax.random.fold_in(jax.random.key(3, impl="threefry2x32"), r)
            bits = np.asarray(jax.random.bits(key, (count,), jnp.uint32))
            rows = [int(one) * count // 2**32 for one in bits]
            want = np.bincount(rows, minlength=count)
            np.testing.assert_array_equal(drawn_by(PAIRS, 3, np.array([r]), np.ones(count))[0], want)


def test_the_variance_of_a_count_is_that_of_the_multinomial():
    count, replicates = 25, 4000
    drawn = drawn_by(PAIRS, 2, np.arange(replicates), np.ones(count))
    # variance 1 - 1/n = 0.96; its standard error over 100,000 counts is below 0.01
    assert drawn.var() == pytest.approx(1 - 1 / count, abs=0.05)


def test_the_drawn_weight_is_the_count_times_the_tables_weight():
    weight = np.array([0.5, 2.0, 0.25, 1.0, 3.0])
    counts = drawn_by(PAIRS, 3, np.arange(9), np.ones(5))
    np.testing.assert_array_equal(drawn_by(PAIRS, 3, np.arange(9), weight), counts * weight)


def fitted_for(scheme, count):
    """A point fit for schemes that need one: predictions, residuals and leverages that tell rows apart."""
    rows = np.arange(1.0, count + 1)
    return Fitted(rows, 0.01 * rows, 0.5 / rows) if "residuals" in scheme.needs else None


def same_draws(scheme):
    """Return what asks for the same weights: to the bit where they count, to rounding where they are shares."""
    return (
        partial(np.testing.assert_allclose, rtol=1e-14) if scheme.name == "bayesian" else np.testing.assert_array_equal
    )


@pytest.mark.parametrize("scheme", list(SCHEMES), ids=lambda scheme: scheme.name)
def test_rows_of_weight_zero_are_drawn_as_little_as_rows_that_are_not_there(scheme):
    """The draws of 37 rows among which 3 of weight zero stand are those of the 37 alone."""
    is_there = np.ones(40, dtype=bool)
    is_there[[0, 17, 39]] = False
    fitted = fitted_for(scheme, 40)
    drawn, shift = redraw(scheme, 4, np.arange(50), is_there.astype(np.float64), None, fitted)
    np.testing.assert_array_equal(drawn[:, ~is_there], 0.0)
    are_same = same_draws(scheme)
    are_same(drawn.sum(axis=1), 36.0 if scheme.is_listed else 37.0)  # all rows, or all but the one left out
    alone = None if fitted is None else Fitted(*(part[is_there] for part in fitted))
    again = redraw(scheme, 4, np.arange(50), np.ones(37), None, alone)
    are_same(drawn[:, is_there], again.weight)
    if shift is not None:
        np.testing.assert_array_equal(shift[:, ~is_there], 0.0)
        np.testing.assert_allclose(shift[:, is_there], again.shift, rtol=1e-12)


def test_a_cluster_is_drawn_if_any_of_its_rows_counts():
    names = np.repeat(np.array(["a", "b", "c", "d"], dtype=object), 10)
    weight = np.ones(40)
    weight[:10], weight[12] = 0.0, 0.0  # all of "a", and a row of "b"
    drawn = drawn_by(CLUSTER, 6, np.arange(50), weight, names)
    np.testing.assert_array_equal(drawn[:, [10, 20, 30]].sum(axis=1), 3)
    np.testing.assert_array_equal(drawn[:, :10], 0.0)
    np.testing.assert_array_equal(drawn[:, 12], 0.0)


@pytest.mark.parametrize("bucket", [40, 64, 257])
@pytest.mark.parametrize("scheme", list(SCHEMES), ids=lambda scheme: scheme.name)
def test_padding_rows_change_no_draw_and_get_no_weight(scheme, bucket):
    known, padding = fitted_for(scheme, 37), (0, bucket - 37)
    plain, moved = redraw(scheme, 4, np.arange(20), np.ones(37), None, known)
    with precision.float64():
        weight, cluster = np.r_[np.ones(37), np.zeros(bucket - 37)], np.r_[np.arange(37), np.zeros(bucket - 37)]
        table = Table(jnp.asarray(weight), jnp.int32(37), jnp.asarray(cluster, jnp.int32))
        root = key_of(jnp.asarray(key_words(4)))
        fitted = None if known is None else Fitted(*(jnp.asarray(np.pad(part, padding)) for part in known))
        every = [draw_replicate(scheme, root, table, fitted, jnp.int32(r)) for r in range(20)]
    padded = np.stack([np.asarray(draw.weight) for draw in every])
    same_draws(scheme)(padded[:, :37], plain)
    np.testing.assert_array_equal(padded[:, 37:], 0.0)
    if moved is not None:
        here = np.stack([np.asarray(draw.shift) for draw in every])[:, :37]
        np.testing.assert_allclose(here, moved, rtol=1e-12)


def test_replicates_and_seeds_differ_from_one_another():
    drawn = np.concatenate([drawn_by(PAIRS, seed, np.arange(50), np.ones(30)) for seed in (0, 1)])
    assert len(np.unique(drawn, axis=0)) == 100


def test_clusters_of_one_row_each_are_drawn_as_rows_are():
    np.testing.assert_array_equal(*(drawn_by(one, 5, np.arange(9), np.ones(37)) for one in (PAIRS, CLUSTER)))


@settings(deadline=None, max_examples=20)
@given(sizes=st.lists(st.integers(1, 9), min_size=5, max_size=5), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_whole_clusters_are_drawn_as_many_as_there_are_wherever_their_rows_stand(sizes, seed, data):
    names = np.repeat(["e", "d", "c", "b", "a"], sizes)[:20]
    names = np.array([*names, *["a"] * (20 - len(names))], dtype=object)  # twenty rows: one shape to compile
    names = names[np.array(data.draw(st.permutations(range(20))))]
    weight = 2.0 ** (np.arange(20) % 3)
    times = drawn_by(CLUSTER, seed, np.arange(12), weight, names) / weight
    drawn = np.stack([times[:, names == name][:, 0] for name in dict.fromkeys(names)], axis=1)
    for place, name in enumerate(dict.fromkeys(names)):
        assert (times[:, names == name] == drawn[:, place : place + 1]).all()
    np.testing.assert_array_equal(drawn.sum(axis=1), len(set(names)))
    # what a cluster is called is of no importance
    renamed = np.array(["edcba"["abcde".index(name)] for name in names], dtype=object)
    np.testing.assert_array_equal(times, drawn_by(CLUSTER, seed, np.arange(12), weight, renamed) / weight)


def test_clusters_are_told_apart_by_their_whole_names_and_a_long_one_costs_nothing():
    names = np.array(["a", "b", "a\0", "b", "x" * 1_000_000, "a"] * 1000, dtype=object)
    np.testing.assert_array_equal(clusters_of(names, len(names))[:6], [0, 1, 2, 1, 3, 0])


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, "0", None])
def test_a_seed_that_is_no_32_bit_integer_is_refused(seed):
    with pytest.raises(UsageError, match=r"seed = .* is not an integer between 0 and 4294967295"):
        key_words(seed)


COLUMNS = {"params": np.geomspace(1e7, 1e10, 30)}
TRUTH = {"A": 30.0, "alpha": 0.12}


@pytest.fixture(scope="module")
def fit():
    return js.fit(js.simulate("pure-power-params", TRUTH, columns=COLUMNS, noise=0.02, seed=1), "pure-power-params")


@pytest.fixture(scope="module")
def ensemble(fit):
    return js.bootstrap(fit, replicates=4000, seed=7)


def assert_same(few, many, rtol=1e-9):
    """A minimum that is not one point may be met anywhere: there the value and the status are the answer."""
    np.testing.assert_array_equal(few.status, many.status[: len(few)])
    for name in many.coefs:
        np.testing.assert_allclose(few.coefs[name][few.usable], many.coefs[name][: len(few)][few.usable], rtol=rtol)
    np.testing.assert_allclose(few.value, many.value[: len(few)], rtol=rtol)


@pytest.mark.parametrize("chunk", [64, *(pytest.param(chunk, marks=pytest.mark.slow) for chunk in (500, 4000))])
def test_the_answer_does_not_depend_on_the_chunk(fit, ensemble, chunk):
    assert_same(js.bootstrap(fit, replicates=4000, seed=7, chunk=chunk), ensemble)


def test_a_chunk_of_one_is_no_program_of_its_own(fit, ensemble):
    """One lane alone is compiled to other sums, whose rounding a flat minimum makes 4e-10 of a coef."""
    one, two = (js.bootstrap(fit, replicates=40, seed=7, chunk=chunk) for chunk in (1, 2))
    for name in ensemble.coefs:
        np.testing.assert_array_equal(one.coefs[name], two.coefs[name])
    np.testing.assert_array_equal(one.value, two.value)
    assert_same(one, ensemble, rtol=1e-12)


@pytest.mark.parametrize("replicates", [1, 64, 500])
def test_more_replicates_begin_with_the_same_ones(fit, ensemble, replicates):
    few = js.bootstrap(fit, replicates=replicates, seed=7)
    np.testing.assert_array_equal(few.weights(np.arange(replicates)), ensemble.weights(np.arange(replicates)))
    assert_same(few, ensemble)


def test_the_weights_of_the_ensemble_are_those_its_values_were_computed_with(fit, ensemble):
    """The objective of every replicate, added up in NumPy with the weights that `weights` returns."""
    log_n, log_l = np.log(fit.runs["params"]), np.log(fit.runs.loss)
    weights = ensemble.weights(np.arange(4000))
    residual = np.log(ensemble.coefs["A"])[:, None] - ensemble.coefs["alpha"][:, None] * log_n - log_l
    size = np.abs(residual)
    huber = np.where(size <= 1e-3, 0.5 * residual**2, 1e-3 * (size - 0.5e-3))
    np.testing.assert_allclose(np.sum(weights * huber, axis=1), ensemble.value, rtol=1e-9)
    np.testing.assert_array_equal(ensemble.weights(17), weights[17])


def test_nothing_lies_below_the_value_of_a_converged_replicate(fit, ensemble):
    """Of a pure power in logs the objective is convex: a simplex from the point fit is a fair witness."""
    log_n, log_l = np.log(fit.runs["params"]), np.log(fit.runs.loss)
    worst = np.argsort(ensemble.value / np.median(ensemble.value))[-5:]
    for replicate in (*range(5), *worst):
        if not ensemble.usable[replicate]:
            continue
        weight = ensemble.weights(replicate)

        def total(point, weight=weight):
            size = np.abs(point[0] - point[1] * log_n - log_l)
            return np.sum(weight * np.where(size <= 1e-3, 0.5 * size**2, 1e-3 * (size - 0.5e-3)))

        start = [np.log(ensemble.coefs["A"][replicate]), ensemble.coefs["alpha"][replicate]]
        found = minimize(total, start, method="Nelder-Mead", options={"xatol": 1e-12, "fatol": 1e-18, "maxiter": 2000})
        assert found.fun >= ensemble.value[replicate] * (1 - 1e-9)


def test_a_replicate_outside_the_ensemble_is_refused(ensemble):
    for replicate in (-1, 4000):
        with pytest.raises(UsageError, match=f"replicate {replicate} is outside 0 … 3999"):
            ensemble.weights(replicate)


CALLERS = {
    "x64 off, another generator, not partitionable": lambda: (
        jax.enable_x64(False),
        jax.default_prng_impl("rbg"),
        jax.threefry_partitionable(False),
    ),
    "x64 on, strict promotion, checks, low precision": lambda: (
        jax.enable_x64(True),
        jax.numpy_rank_promotion("raise"),
        jax.numpy_dtype_promotion("strict"),
        jax.debug_nans(True),
        jax.debug_infs(True),
        jax.default_matmul_precision("bfloat16"),
    ),
    "no implicit transfers": lambda: (jax.transfer_guard("disallow"),),
    "shifted seeds": lambda: (seed_offset(1),),
}


class seed_offset:  # noqa: N801
    """JAX has no context for this setting, so it is set and put back."""

    def __init__(self, offset):
        self.offset = offset

    def __enter__(self):
        self.before = jax.config.jax_random_seed_offset
        jax.config.update("jax_random_seed_offset", self.offset)

    def __exit__(self, *_):
        jax.config.update("jax_random_seed_offset", self.before)


@pytest.mark.parametrize("caller", CALLERS)
def test_the_callers_jax_settings_change_neither_draws_nor_answers(fit, ensemble, caller):
    with ExitStack() as scope:
        for setting in CALLERS[caller]():
            scope.enter_context(setting)
        compiling.slot_of.cache_clear()  # a program compiled under other settings would hide the difference
        refit = js.fit(fit.runs, "pure-power-params")
        again = js.bootstrap(fit, replicates=100, seed=7)
        drawn = again.weights(np.arange(100))
    np.testing.assert_allclose(list(refit.coefs.values()), list(fit.coefs.values()), rtol=1e-12)
    np.testing.assert_array_equal(drawn, ensemble.weights(np.arange(100)))
    assert_same(again, ensemble, rtol=1e-12)
