"""The lowest optimum inside, whatever the shape of the loss on a budget, and its derivatives in single precision."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale.allocation import allocate
from jaxscale.allocation.allocate import Split, optima
from jaxscale.allocation.inputs import can_allocate
from jaxscale.costs.training import fixed_inputs
from jaxscale.laws import law_from_expression

QUICK = {"chinchilla", "kaplan", "precision-post", "data-constrained"}
"""A sum, a bracket, a law that rises again with tokens, and one that takes what is fixed; the others are slow."""
TRADING = [
    pytest.param(law, marks=[pytest.mark.slow] * (law.name not in QUICK), id=law.name)
    for law in js.LAWS
    if can_allocate(law)
]
PUBLISHED = [one for one in TRADING if one.values[0].published]
SETS, FINE = 40, 4001
NEAR = {"farseer": (22.3, 23.0)}
"""Decades of compute in which a dip goes, log10 FLOP; others are tried over ten decades."""


def middle(low, high):
    return float(np.sqrt(low * high)) if low > 0 else 0.5 * (low + high)


def within(random, low, high, count):
    """Return numbers spread evenly in logarithms where both ends are positive."""
    return np.exp(random.uniform(np.log(low), np.log(high), count)) if low > 0 else random.uniform(low, high, count)


def drawn(law, random):
    """Return coefs (R, p), half of them within a hundredth of published ones, fixed inputs (R, h) and budgets (R,)."""
    sets = np.stack([within(random, *coef.range, SETS) for coef in law.coefs], axis=1)
    if law.published:
        known = np.array([one.values for one in law.published])[random.integers(len(law.published), size=SETS // 2)]
        sets[: SETS // 2] = known * random.uniform(0.99, 1.01, known.shape)
    fixed = np.zeros((SETS, len(fixed_inputs(law))))
    for place, measure in enumerate(map(law.input, fixed_inputs(law))):
        share = 1.0 / len(law.parts) if measure.is_composition else 1.0
        fixed[:, place] = share * within(random, measure.low, measure.high, SETS)
    return sets, fixed, 10 ** random.uniform(*NEAR.get(law.name, (17.0, 27.0)), SETS)


def grid_losses(law, coefs, fixed, flops):
    split = Split.of(law, jnp.log(flops), tuple(coefs), tuple(fixed))
    points = jnp.linspace(0.0, 1.0, FINE) * split.log_product
    return points, jax.vmap(partial(split.loss, law))(points)


@pytest.mark.parametrize("law", TRADING)
def test_no_minimum_that_a_fine_grid_shows_is_missed(law):
    sets, fixed, flops = drawn(law, np.random.default_rng(17))
    with jax.enable_x64(True):
        _, losses = map(np.asarray, jax.jit(jax.vmap(partial(grid_losses, law)))(sets, fixed, flops))
        one = jax.jit(jax.vmap(lambda c, f, h: jax.tree.map(jnp.squeeze, optima(law, (c[None], f[None], h)))))
        found = jax.tree.map(np.asarray, one(sets, flops, fixed))
    beside = np.minimum(losses[:, :-2], losses[:, 2:])
    is_dip = losses[:, 1:-1] < beside - 1e-14 * np.abs(beside)  # beyond rounding
    is_dip &= np.isfinite(losses[:, :-2]) & np.isfinite(losses[:, 2:])
    lowest = np.where(is_dip, losses[:, 1:-1], np.inf).min(axis=1)
    has_dip = np.isfinite(lowest)
    assert has_dip.sum() >= SETS // 4
    assert found.is_interior[has_dip].all()
    assert (found.loss[has_dip] <= lowest[has_dip] * (1 + 1e-12)).all()
    is_everywhere = lowest <= np.where(np.isnan(losses), np.inf, losses).min(axis=1) * (1 + 1e-13)
    np.testing.assert_array_equal(found.is_lowest[has_dip], is_everywhere[has_dip])


def test_of_several_minima_the_lowest_is_given():
    """A narrow dip beside the bottom of a parabola in ln(N/D), lower than it or not, against 400,001 points."""
    law = law_from_expression(
        "E + a*(log(params/tokens) - m)**2 + b*exp(-((log(params) - c)/w)**2)",
        ["E:positive", "a:positive", "m:real", "b:real", "c:real", "w:positive"],
        name="two-dips",
    )
    for depth, centre, width in ((-0.5, 12.0, 0.3), (-0.5, 31.0, 0.2), (-0.001, 25.0, 0.1), (-0.3, 8.0, 0.15)):
        coefs = {"E": 2.0, "a": 1e-3, "m": -3.0, "b": depth, "c": centre, "w": width}
        front = js.frontier(law=law, coefs=coefs, flops=1e21)
        params = np.exp(np.linspace(0.0, np.log(1e21 / 6), 400_001))
        losses = js.predict(law, coefs, params=params, tokens=1e21 / 6 / params)
        assert float(front.loss[0]) <= losses.min()
        assert float(front.loss[0]) == pytest.approx(losses.min(), rel=1e-7)  # as near as a point of the grid is


def test_farseers_dip_is_found_where_it_is_narrower_than_the_first_grid():
    """Minima on 4,001 points of its printed constants: N 2.41e10 with L 0.39772, and N 2.77e10 with L 0.39450."""
    front = js.frontier(law="farseer", coefs="farseer2025", flops=[5e22, 6e22, 1e24])
    np.testing.assert_allclose(front.params[:2], [2.41e10, 2.77e10], rtol=3e-3)
    np.testing.assert_allclose(front.loss[:2], [0.39772, 0.39450], rtol=0, atol=6e-6)
    assert np.isnan(front.params[2])
    assert "lower-at-end" in [one.code for one in front.findings]


@pytest.mark.parametrize("law", PUBLISHED)
def test_derivatives_in_single_precision_are_those_of_double_or_are_refused(law):
    """To a thousandth of the gradient's size, each coef counted by its own size; 1e19 to 1e25 FLOP."""
    sets = np.array([one.values for one in law.published], np.float32)
    fixed = np.array([middle(one.low, one.high) for one in map(law.input, fixed_inputs(law))], np.float32)
    budgets = np.array([1e19, 1e21, 1e23, 1e25], np.float32)

    def split(coefs, flops):
        beside = dict(zip(fixed_inputs(law), fixed, strict=True))
        found = allocate(law, dict(zip(law.names, coefs, strict=True)), flops=flops, fixed=beside)
        return found.log_params, found.is_interior

    def gradients(kind):
        many = jax.vmap(jax.vmap(jax.grad(split, argnums=0, has_aux=True), (None, 0)), (0, None))
        slopes, is_interior = jax.jit(many)(jnp.asarray(sets, kind), jnp.asarray(budgets, kind))
        return np.asarray(slopes, float) * sets[:, None], np.asarray(is_interior)

    with jax.enable_x64(False):
        single, is_single = gradients(jnp.float32)
    with jax.enable_x64(True):
        double, is_double = gradients(jnp.float64)
    assert is_double[is_single].all()
    size = np.linalg.norm(double, axis=-1)
    assert (size[is_single] > 0).all()
    assert (np.linalg.norm(single - double, axis=-1) <= 1e-3 * size)[is_single].all()
    assert (single[~is_single] == 0).all()
    assert is_single.mean() >= 0.5
    np.testing.assert_array_equal(is_single, is_double)  # also 1e25 FLOP on 1e10 unique tokens, where slopes are 1e-27
