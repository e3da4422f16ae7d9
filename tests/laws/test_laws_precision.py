"""Kumar's laws of precision against the reference, and the precision that is best at every budget."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from separable import optimum

import jaxscale as js
from jaxscale import precision
from jaxscale.laws.precision import GAMMAS, POST, effective_params, optimal_bits

CORE = {"E": 2.0, "A": 400.0, "B": 2000.0, "alpha": 0.35, "beta": 0.37}
BUDGETS = np.array([1e19, 1e21, 1e23])


@pytest.mark.parametrize(("bits", "want"), [(16, 0.9975), (8, 0.950), (4, 0.776), (3, 0.674)])
def test_weights_keep_the_share_of_the_reference(bits, want):
    """laws.md X6: 1 - e^(-P/2.6745); activations and cache at a thousand bits keep everything."""
    with precision.float64():
        found = float(effective_params(1.0, bits, 1e3, 1e3, **GAMMAS))
    assert found == pytest.approx(want, abs=5e-4)


def test_at_many_bits_the_law_is_the_separable_one():
    bits = {"bits_weights": 1e3, "bits_activations": 1e3, "bits_cache": 1e3}
    found = js.predict("precision", {**CORE, **GAMMAS}, params=1e9, tokens=2e10, **bits)
    assert found == pytest.approx(float(js.predict("chinchilla", CORE, params=1e9, tokens=2e10)), rel=1e-14)


def test_with_one_gamma_the_best_bits_solve_their_equation():
    """laws.md X6: (e^x - 1)/x = 3 at x = 1.904."""
    root = brentq(lambda x: np.expm1(x) / x - 3, 1, 3, xtol=1e-14)
    assert root == pytest.approx(1.904, abs=5e-4)
    assert optimal_bits([2.5, 2.5, 2.5]) == pytest.approx(2.5 * root, rel=1e-12)


def test_the_published_gammas_give_the_bits_of_the_reference():
    """laws.md X6: 3.47 bits, where the paper's headline has 7 to 8."""
    assert optimal_bits(list(GAMMAS.values())) == pytest.approx(3.47, abs=5e-3)


@pytest.mark.parametrize("gammas", [[2.0], [2.0, -1.0], [2.0, np.nan]])
def test_gammas_without_an_optimum_are_refused(gammas):
    with pytest.raises(js.UsageError, match="fewest bits"):
        optimal_bits(gammas)


def test_the_best_bits_are_the_same_at_every_budget():
    """A numerical optimum over N, D and P, by SciPy on the printed equation, against P/f alone."""

    def lowest(bits, flops):
        kept = np.prod([-np.expm1(-bits / gamma) for gamma in GAMMAS.values()])
        scale = CORE["A"] * kept ** -CORE["alpha"]
        params, tokens = optimum(scale, CORE["B"], CORE["alpha"], CORE["beta"], flops / (6 / 16 * bits))
        return scale * params ** -CORE["alpha"] + CORE["B"] * tokens ** -CORE["beta"]

    best = optimal_bits(list(GAMMAS.values()))
    for flops in BUDGETS:
        found = minimize_scalar(lowest, bounds=(1, 16), args=(flops,), method="bounded", options={"xatol": 1e-10})
        assert found.x == pytest.approx(best, rel=1e-6)


def test_the_frontier_at_held_bits_is_the_closed_form_at_their_price():
    coefs, bits = {**CORE, **GAMMAS}, {"bits_weights": 4, "bits_activations": 8, "bits_cache": 12}
    front = js.frontier(law="precision", coefs=coefs, flops=BUDGETS, fixed=bits)
    kept = np.prod([-np.expm1(-p / gamma) for p, gamma in zip(bits.values(), GAMMAS.values(), strict=True)])
    scale = CORE["A"] * kept ** -CORE["alpha"]
    params, tokens = optimum(scale, CORE["B"], CORE["alpha"], CORE["beta"], BUDGETS / (6 / 16 * 8))
    np.testing.assert_allclose(front.params, params, rtol=1e-9)
    np.testing.assert_allclose(front.tokens, tokens, rtol=1e-9)


def test_past_some_number_of_tokens_more_training_harms_the_quantised_network():
    bits = {"bits_weights": 16, "bits_activations": 16, "bits_cache": 16}
    tokens = np.geomspace(1e9, 1e13, 60)
    after = js.predict("precision-post", {**CORE, **GAMMAS, **POST}, params=1e9, tokens=tokens, **bits, bits_post=3)
    before = js.predict("precision", {**CORE, **GAMMAS}, params=1e9, tokens=tokens, **bits)
    assert (np.diff(before) < 0).all()
    assert 0 < np.argmin(after) < 59
    damage = POST["C_T"] * tokens ** POST["gamma_D"] * 1e9 ** -POST["gamma_N"] * np.exp(-3 / POST["gamma_post"])
    np.testing.assert_allclose(after - before, damage, rtol=1e-9)


@pytest.mark.slow
def test_bits_that_change_nothing_saturate_at_once_which_is_a_flat_edge():
    """The cache's bits have no part in the losses: gamma_kv = 0, where exp(-P/gamma) has no derivative left.

    The witness is the fit with gamma_kv held where every factor of the cache is 1 to rounding.
    """
    random = np.random.default_rng(5)
    count = 60
    columns = {
        "params": np.exp(random.uniform(np.log(3e7), np.log(1e9), count)),
        "tokens": np.exp(random.uniform(np.log(1e9), np.log(3e10), count)),
        **{f"bits_{part}": random.integers(3, 9, count).astype(float) for part in ("weights", "activations", "cache")},
    }
    truth = {"E": 1.8, "A": 600.0, "B": 3000.0, "alpha": 0.4, "beta": 0.4, "gamma_w": 2.5, "gamma_a": 2.0}
    losses = js.predict("precision", {**truth, "gamma_kv": 1e-3}, **columns)
    better = np.where(columns["bits_cache"] < 5, 0.99, 1.0)  # few bits of cache help: the edge holds that back
    runs = js.Runs.from_arrays(**columns, loss=losses * better * np.exp(0.003 * random.standard_normal(count)))
    witness = js.fit(runs, "precision", fix={"gamma_kv": 0.02})
    fit = js.fit(runs, "precision")
    assert fit.status is js.Status.AT_BOUND
    assert fit.coefs["gamma_kv"] == 0.0
    assert fit.value == pytest.approx(witness.value, rel=1e-9)
    ensemble = js.bootstrap(fit, replicates=100)
    assert ensemble.usable.all()
    assert (ensemble.coefs["gamma_kv"] == 0.0).any()
