"""Where replicates start: no candidate is lower than what is found, and no surrogate is trusted."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.engine.compiling import Clock
from jaxscale.engine.job import draws
from jaxscale.engine.starts import STARTS, priced_starts
from jaxscale.fitting.optimum import surrogates_at, views_of
from jaxscale.refitting.setup import setup_of
from jaxscale.refitting.starting import Pool, solve_replicates
from jaxscale.refitting.survey import survey_of
from jaxscale.resampling import SCHEMES
from jaxscale.status import Status

REPLICATES = np.arange(300, 364)


@pytest.fixture(scope="module")
def started():
    """A table of which rho's threshold makes several minima, its setup and its pool of candidates."""
    random = np.random.default_rng(7)
    columns = {"params": 10 ** random.uniform(7, 10, 60), "tokens": 10 ** random.uniform(9, 11.5, 60)}
    coefs = {"A": 400.0, "B": 400.0, "E": 1.7, "alpha": 0.34, "beta": 0.28}
    runs = js.simulate("chinchilla", coefs, columns=columns, noise=0.02, seed=3)
    fit, clock = js.fit(runs, objective=js.huber(1e-3)), Clock()
    with precision.float64():
        setup = setup_of(fit, SCHEMES.resolve("pairs"), 0, None, clock)
        found = survey_of(setup, clock)
        return setup, Pool.of(setup, found.theta, found.index, found.bounds, clock)


def objectives(setup, theta):
    """The objective (k, K) of the replicates at points (K, p): Huber's sums of their residuals, by NumPy."""
    clock = Clock()
    with precision.float64():
        weight = draws(setup.job, REPLICATES, clock).weight
        size = np.abs(np.concatenate([one.residual for one in views_of(setup.job, setup.job.batch, theta, 1.0, clock)]))
    delta = setup.fit.objective.scale
    return weight @ np.where(size <= delta, size**2 / 2, delta * (size - delta / 2)).T


def test_a_replicate_starts_from_the_candidate_of_the_lowest_price(started):
    setup, pool = started
    inside = np.flatnonzero(pool.index < 0)
    assert len(inside) > 20
    exact = objectives(setup, pool.theta[inside])
    with precision.float64():
        starts = priced_starts(setup.job, pool.candidates, REPLICATES, Clock())
    np.testing.assert_allclose(starts.price[:, 0], exact.min(axis=1), rtol=1e-5)
    assert np.all(starts.price[:, 1] >= starts.price[:, 0])
    assert np.all(starts.chosen[:, 1] != starts.chosen[:, 0])


def test_one_descent_is_the_first_of_two(started):
    setup, pool = started
    with precision.float64():
        both = priced_starts(setup.job, pool.candidates, REPLICATES, Clock())
        alone = priced_starts(setup.job, pool.candidates._replace(descents=np.int32(1)), REPLICATES, Clock())
    assert np.isfinite(both.value).all()
    np.testing.assert_array_equal(alone.value[:, 0], both.value[:, 0])
    np.testing.assert_array_equal(alone.theta[:, 0], both.theta[:, 0])
    np.testing.assert_array_equal(alone.price, both.price)
    assert np.isinf(alone.value[:, 1]).all()


def test_where_one_descent_is_enough_a_second_lowers_none(started, epoch_fit):
    """Epoch's table has one minimum in nearly every replicate, the other table has several in many."""
    setup, _ = started
    with precision.float64():
        assert survey_of(setup, Clock()).descents == STARTS
    found = js.refitting.survey(epoch_fit, seed=0)
    assert found.descents == 1
    one, two = (js.refitting.refit(epoch_fit, replace(found, descents=n), range(256, 768)) for n in (1, STARTS))
    assert np.all(one.status == Status.CONVERGED)
    np.testing.assert_allclose(one.value, two.value, rtol=1e-8)


@pytest.mark.parametrize("is_lying", [False, True], ids=["surrogates", "surrogates with slopes of the wrong sign"])
def test_no_candidate_is_lower_than_what_a_replicate_finds(started, is_lying):
    """Slopes of the wrong sign lead away from minima: that costs evaluations and nothing else."""
    setup, pool = started
    exact = objectives(setup, pool.theta[pool.index < 0]).min(axis=1)
    candidates = pool.candidates
    if is_lying:
        terms = candidates.surrogates.terms
        lying = candidates.surrogates._replace(terms=terms.at[:, 1:].multiply(-1.0))
        candidates = candidates._replace(surrogates=lying)
    other = Pool(pool.theta, pool.index, pool.bounds, pool.frames, candidates)
    with precision.float64():
        outcome = solve_replicates(setup, other, REPLICATES, Clock()).outcome
    usable = outcome.status <= Status.AT_BOUND
    assert usable.mean() > 0.9
    assert np.all(outcome.value[usable] <= exact[usable] * (1 + 2e-5))


def test_points_that_are_equal_have_a_surrogate_each(started):
    """Those made before are taken up again, in whatever order they are asked for."""
    setup, pool = started
    theta, known = pool.theta[[3, 5, 3]], {}
    with precision.float64():
        found = surrogates_at(setup.job, theta, setup.fine, Clock(), known)
        again = surrogates_at(setup.job, theta[::-1], setup.fine, Clock(), known)
    np.testing.assert_array_equal(found.base, theta)
    np.testing.assert_array_equal(found.terms[0], found.terms[2])
    assert not np.array_equal(found.terms[0], found.terms[1])
    np.testing.assert_array_equal(again.terms, found.terms[::-1])
