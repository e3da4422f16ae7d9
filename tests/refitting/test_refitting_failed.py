"""Replicates that have their minimum at infinity, on a scale of their own, or at an edge that the survey lacks."""

import numpy as np
import pytest
from scipy.optimize import minimize

import jaxscale as js
from jaxscale.fitting.bounds import SHORT
from jaxscale.resampling import SCHEMES, redraw

ROWS, REPLICATES, DELTA = 24, 2000, 1e-3
SIZES = np.repeat([1e6, 1.6e6, 5e6, 2e7, 1e8, 1e9], ROWS // 6)
FAR = 20.0

pytestmark = pytest.mark.slow  # programs of their own


def weak(seed):
    """Return runs whose smallest sizes alone see the term in N, so that many replicates send alpha to infinity."""
    tokens = SIZES * np.random.default_rng(seed).choice([5, 10, 20, 60, 200], ROWS)
    truth = {"E": 1.8, "A": 0.3 * 1e6**2.5, "B": 2000.0, "alpha": 2.5, "beta": 0.37}
    return js.simulate("chinchilla", truth, columns={"params": SIZES, "tokens": tokens}, noise=0.03, seed=seed)


@pytest.fixture(scope="module", params=[3, 4, 5])
def ensemble(request):
    return js.bootstrap(js.fit(weak(request.param), "chinchilla"), replicates=REPLICATES, seed=0)


def weights_of(ensemble, lanes):
    return redraw(SCHEMES.resolve("pairs"), 0, lanes, np.ones(ROWS)).weight


def far_lanes(ensemble):
    return np.flatnonzero(ensemble.usable & (ensemble.coefs["alpha"] > FAR))


def floor_of(runs, weight):
    """Return the objective where alpha is infinite: the smallest size of the replicate has a level of its own."""
    size, tokens, target = runs["params"], runs["tokens"] / runs["tokens"].min(), np.log(runs.loss)
    is_smallest = size <= size[weight > 0].min()

    def value(x):
        residual = np.log(np.exp(x[0]) + np.exp(x[1]) * is_smallest + np.exp(x[2]) * tokens ** -np.exp(x[3])) - target
        size = np.abs(residual)
        return np.sum(weight * np.where(size < DELTA, size**2 / 2.0, DELTA * (size - DELTA / 2.0)))

    tight = {"xatol": 1e-10, "fatol": 1e-16, "maxiter": 6000, "maxfev": 6000}
    starts = [[floor, -1.0, 1.0, np.log(beta)] for floor in (-9.0, 0.5) for beta in (0.2, 0.4)]
    return min(minimize(value, start, method="Nelder-Mead", options=tight).fun for start in starts)


def test_hardly_a_replicate_is_lost(ensemble):
    assert np.count_nonzero(~ensemble.usable) <= 0.001 * REPLICATES
    assert len(far_lanes(ensemble)) > 0.05 * REPLICATES


def test_replicates_at_infinity_are_at_the_floor_there(ensemble):
    """To a hundredth of what one run contributes, which is where they may stop."""
    lanes = far_lanes(ensemble)
    weight = weights_of(ensemble, lanes)
    has_smallest = weight[:, SIZES.min() == SIZES].sum(axis=1) > 0
    chosen = np.concatenate([np.flatnonzero(has_smallest)[:3], np.flatnonzero(~has_smallest)[:3]])
    for place in chosen:
        floor = floor_of(ensemble.fit.runs, weight[place])
        assert ensemble.value[lanes[place]] <= floor * (1.0 + SHORT / ROWS)


def test_a_replicate_without_the_smallest_size_has_a_scale_of_its_own():
    found = js.bootstrap(js.fit(weak(5), "chinchilla"), replicates=REPLICATES, seed=0)
    weight = weights_of(found, far_lanes(found))
    assert (weight[:, SIZES.min() == SIZES].sum(axis=1) == 0).any()
