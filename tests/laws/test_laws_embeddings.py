"""Tao's law of the vocabulary in its authors' units, and the best vocabulary against a numerical optimum."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import jaxscale as js
from jaxscale.laws.embeddings import optimal_vocabulary, tokens_per_character

LAW = js.LAWS.resolve("vocabulary")
TAO = LAW.constants("tao2024")
ROWS = (
    (4096, 512, 3616410817.04, 33222784, -3.940192699432373),
    (16384, 512, 4406367851.2, 33222784, -3.93831729888916),
    (64512, 512, 5048941711.24, 33222784, -3.90378446119702),
    (48128, 2048, 225454289321.736, 1129891136, -5.31485395890796),
    (64512, 2048, 11528416907.341, 1129891136, -4.5853417932981335),
    (64512, 2048, 115284169073.41, 1129891136, -5.251417976617224),
    (64512, 2048, 230568338146.819, 1129891136, -5.28933797478617),
    (96256, 2048, 23612213756.807, 1129891136, -4.671040495884435),
    (96256, 2048, 118061068784.036, 1129891136, -5.097416838657873),
    (96256, 2048, 236122137568.071, 1129891136, -5.199583968174474),
)
"""Ten of the authors' rows above 2.18e17 FLOP: V, d, characters, N_nv, L_u.   Source: exp_data.csv of their code."""


def loss_of_the_paper(params, vocabulary, width, tokens):
    """The equation of laws.md X7, in ones."""
    size = TAO["A1"] / params ** TAO["a1"] + TAO["A2"] / (vocabulary * width) ** TAO["a2"]
    return -TAO["E"] + size + TAO["B"] / tokens ** TAO["beta"]


def test_the_published_constants_predict_the_rows_of_their_authors():
    """Their mean absolute residual over all 1,054 rows is 0.064: sum 0.0667858840 at delta 1e-3."""
    residuals = [
        js.predict(
            "vocabulary",
            "tao2024",
            params_non_vocabulary=params,
            vocabulary=size,
            width=width,
            tokens=characters * tokens_per_character(size),
        )
        - loss
        for size, width, characters, params, loss in ROWS
    ]
    assert np.abs(residuals).mean() < 0.1
    assert abs(np.mean(residuals)) < 0.05


def test_the_loss_is_that_of_the_equation():
    run = {"params_non_vocabulary": 3e8, "vocabulary": 32e3, "width": 1024, "tokens": 5e10}
    want = loss_of_the_paper(*run.values())
    assert want < 0
    assert js.predict("vocabulary", "tao2024", **run) == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(("params", "width", "flops"), [(3.3e7, 512, 1e18), (3e9, 3200, 1e21), (7e10, 8192, 1e24)])
def test_the_best_vocabulary_is_the_numerical_optimum_of_the_equation(params, width, flops):
    def loss_at(log_size):
        size = np.exp(log_size)
        return loss_of_the_paper(params, size, width, flops / (6 * (params + size * width)))

    found = minimize_scalar(loss_at, bounds=(np.log(1e3), np.log(1e7)), method="bounded", options={"xatol": 1e-10})
    best = optimal_vocabulary(params, width, flops, LAW.constants("tao2024"))
    assert best == pytest.approx(np.exp(found.x), rel=1e-5)  # a minimum is known to the root of rounding
    assert loss_at(np.log(best)) <= found.fun + 1e-14


def test_the_slope_of_the_reference_vanishes_at_the_best_vocabulary():
    """laws.md X7: -a2 A2 d/(V d)^(a2+1) + beta B u'/u^(beta+1) = 0."""
    params, width, flops = 3e9, 3200.0, 1e21
    embedded = optimal_vocabulary(params, width, flops, TAO) * width
    u, slope = flops / (6 * (params + embedded)), flops * width / (6 * (params + embedded) ** 2)
    gain = TAO["a2"] * TAO["A2"] * width / embedded ** (TAO["a2"] + 1)
    assert gain == pytest.approx(TAO["beta"] * TAO["B"] * slope / u ** (TAO["beta"] + 1), rel=1e-12)


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
