"""Frantar's law of sparse weights against its paper's numbers, a numerical optimum and the closed frontier."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from separable import optimum

import jaxscale as js
from jaxscale import precision
from jaxscale.laws.effective_size import optimal_sparsity, size_multiplier


@pytest.mark.parametrize(("name", "want"), [("frantar2023-t5", 2.160), ("frantar2023-vit", 2.172)])
def test_three_quarters_sparse_counts_twice(name, want):
    """laws.md X5: the equal-loss size multiplier at 75 % sparsity."""
    coefs = js.LAWS.resolve("sparsity").constants(name)
    with precision.float64():
        found = float(size_multiplier(0.75, coefs))
    assert found == pytest.approx(want, abs=5e-4)
    sparse = js.predict("sparsity", coefs, params=1e8, tokens=1e10, sparsity=0.75)
    dense = js.predict("sparsity", coefs, params=1e8 * found, tokens=1e10, sparsity=0.0)
    assert dense == pytest.approx(float(sparse), rel=1e-12)


@pytest.mark.parametrize("flops", [1e21, 1e23])
def test_the_best_sparsity_is_the_numerical_optimum_of_the_law_at_the_price_of_dense_training(flops):
    coefs = js.LAWS.resolve("sparsity").constants("frantar2023-t5")
    numbers = {name: float(value) for name, value in coefs.items()}

    def loss_at(sparsity, params=1e8):
        size = (numbers["a_S"] * (1 - sparsity) ** numbers["b_S"] + numbers["c_S"]) * params ** -numbers["b_N"]
        tokens = flops * (1 - sparsity) / (6 * params)
        return size + (numbers["a_D"] / tokens) ** numbers["b_D"] + numbers["c"]

    found = minimize_scalar(loss_at, bounds=(0, 0.99999), method="bounded", options={"xatol": 1e-12})
    with precision.float64():
        best = float(optimal_sparsity(1e8, flops, coefs))
    assert 0 < best < 1
    assert best == pytest.approx(found.x, abs=1e-6)  # a minimum is known to the root of rounding
    assert loss_at(best) <= found.fun * (1 + 1e-15)


def test_the_best_sparsity_rises_with_compute_from_none():
    coefs = js.LAWS.resolve("sparsity").constants("frantar2023-t5")
    with precision.float64():
        found = np.asarray(optimal_sparsity(1e8, np.geomspace(1e16, 1e25, 10), coefs))
    assert found[0] == 0.0
    assert (np.diff(found) >= 0).all()
    assert found[-1] > 0.9


def test_the_frontier_pays_for_the_dense_network():
    c, budgets = js.LAWS.resolve("sparsity").constants("frantar2023-t5"), np.array([1e19, 1e21, 1e23])
    front = js.frontier(law="sparsity", coefs=c, flops=budgets, fixed={"sparsity": 0.75})
    scale = c["a_S"] * 0.25 ** c["b_S"] + c["c_S"]
    params, tokens = optimum(scale, c["a_D"] ** c["b_D"], c["b_N"], c["b_D"], budgets * 0.25 / 6)
    np.testing.assert_allclose(front.params, params, rtol=1e-9)
    np.testing.assert_allclose(front.tokens, tokens, rtol=1e-9)
