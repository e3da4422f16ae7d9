"""Tao's law of the vocabulary in its authors' units, and the best vocabulary against a numerical optimum."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import jaxscale as js
from jaxscale.laws.vocabulary import optimal_vocabulary, tokens_per_character

LAW = js.LAWS.resolve("vocabulary")
A1, A2, B, E = 1.8313851559554126, 0.19584238398665638, 2.1241123120064955, 5.5327846803337435
SAME, OTHER = 0.44660634152009615, 0.6707374679896795
"""As the authors' code has them, with params in millions, vocabulary and width in thousands, tokens in billions."""


def loss_of_the_code(params, vocabulary, width, tokens):
    embedded = vocabulary / 1e3 * width / 1e3
    return -E + A1 / (params / 1e6) ** SAME + A2 / embedded**OTHER + B / (tokens / 1e9) ** SAME


def test_the_constants_mean_the_same_in_ones_as_in_the_units_of_the_code():
    run = {"params_non_vocabulary": 3e8, "vocabulary": 32e3, "width": 1024, "tokens": 5e10}
    want = loss_of_the_code(*run.values())
    assert want < 0
    assert js.predict("vocabulary", "tao2024", **run) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(("params", "width", "flops"), [(3.3e7, 512, 1e18), (3e9, 3200, 1e21), (7e10, 8192, 1e24)])
def test_the_best_vocabulary_is_the_numerical_optimum_of_the_code_s_own_loss(params, width, flops):
    def loss_at(log_size):
        size = np.exp(log_size)
        return loss_of_the_code(params, size, width, flops / (6 * (params + size * width)))

    found = minimize_scalar(loss_at, bounds=(np.log(1e3), np.log(1e7)), method="bounded", options={"xatol": 1e-10})
    best = optimal_vocabulary(params, width, flops, LAW.constants("tao2024"))
    assert best == pytest.approx(np.exp(found.x), rel=1e-5)  # a minimum is known to the root of rounding
    assert loss_at(np.log(best)) <= found.fun + 1e-14


def test_the_slope_of_the_reference_vanishes_at_the_best_vocabulary():
    """laws.md X7: -a2 A2 d/(V d)^(a2+1) + beta B u'/u^(beta+1) = 0, in the units of the code."""
    params, width, flops = 3e9, 3200.0, 1e21
    size = optimal_vocabulary(params, width, flops, LAW.constants("tao2024"))
    d, embedded, rest = width / 1e3, size * width / 1e6, params / 1e6
    u, slope = flops / 1e15 / (6 * (rest + embedded)), flops / 1e15 * d / (6 * (rest + embedded) ** 2)
    gain, cost = OTHER * A2 * d / embedded ** (OTHER + 1), SAME * B * slope / u ** (SAME + 1)
    assert gain == pytest.approx(cost, rel=1e-12)


def test_a_larger_budget_wants_a_larger_vocabulary():
    coefs = LAW.constants("tao2024")
    assert optimal_vocabulary(3e9, 3200, 1e22, coefs) > optimal_vocabulary(3e9, 3200, 1e21, coefs)


@pytest.mark.parametrize("sizes", [(0.0, 512, 1e18), (1e8, np.nan, 1e18), (1e8, 512, -1.0)])
def test_sizes_that_cannot_be_meant_are_refused(sizes):
    with pytest.raises(js.UsageError, match="not a positive, finite number"):
        optimal_vocabulary(*sizes, LAW.constants("tao2024"))


def test_a_larger_vocabulary_needs_fewer_tokens_for_the_same_text_up_to_its_cap():
    assert tokens_per_character(4e3) > tokens_per_character(3.2e4) > tokens_per_character(2e5)
    assert tokens_per_character(2e5) == tokens_per_character(1e6)
