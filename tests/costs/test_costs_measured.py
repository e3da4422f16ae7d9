"""Costs of batches, and costs that a table has measured: identities, exact powers, and refusals."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.costs import COSTS, fitted_cost
from jaxscale.costs.batching import KAPLANS, critical_tokens


def test_steps_and_tokens_lie_on_kaplans_hyperbola():
    """(S/S_min - 1)(E/E_min - 1) = 1 for any batch (Kaplan et al. 2020, eq. 5.1); at the critical one both double."""
    params, tokens = 1e9, 2e10
    critical = critical_tokens(2.5, **dict(KAPLANS))
    for batch in (1e4, critical, 1e9):
        inputs = {"batch_tokens": batch, "loss_reached": 2.5, **dict(KAPLANS)}
        steps = COSTS.resolve("steps").amount(params, tokens, **inputs)
        examples = COSTS.resolve("batched").amount(params, tokens, **inputs) / (6 * params)
        assert (steps * critical / tokens - 1) * (examples / tokens - 1) == pytest.approx(1.0, rel=1e-12)
        assert steps * batch == pytest.approx(examples, rel=1e-12)
    assert steps > tokens / critical


def test_kaplans_critical_batch_is_that_of_the_law():
    law = js.LAWS.resolve("critical-batch")
    assert dict(KAPLANS) == law.constants("kaplan2020")
    assert critical_tokens(2.2, **dict(KAPLANS)) == pytest.approx(
        float(js.predict(law, "kaplan2020", loss_reached=2.2)), rel=1e-12
    )


def measured(random, noise=0.0, count=40):
    columns = {"params": 10 ** random.uniform(7, 10, count), "tokens": 10 ** random.uniform(9, 12, count)}
    off = np.exp(noise * random.standard_normal(count))
    return {**columns, "gpu_hours": 3e-15 * columns["params"] ** 0.9 * columns["tokens"] ** 1.05 * off}


def test_a_power_of_size_and_data_is_found_again():
    random = np.random.default_rng(0)
    cost = fitted_cost(measured(random), "gpu_hours", unit="hours")
    amount = cost.amount
    np.testing.assert_allclose([amount.k, amount.u, amount.v], [3e-15, 0.9, 1.05], rtol=1e-9)
    noisy = fitted_cost(measured(random, noise=0.1, count=4000), "gpu_hours", unit="hours")
    assert noisy.amount.u == pytest.approx(0.9, abs=0.01)
    stated = float(noisy.source.split()[-2])
    assert stated == pytest.approx(10.0, rel=0.05)  # of a standard error, sqrt(2 * 4000) times its own


def test_hours_that_were_measured_limit_a_plan():
    """It is a monomial, so that the plan is that of the closed form: of params^0.9 tokens^1.05 within the hours."""
    cost = fitted_cost(measured(np.random.default_rng(0)), "gpu_hours", unit="hours")
    coefs = js.LAWS.resolve("chinchilla").constants("besiroglu2024")
    best = js.plan(law="chinchilla", coefs=coefs, limits=[js.planning.at_most(cost, 1e6)])
    assert best.spent["gpu_hours at most"] == pytest.approx(1e6, rel=1e-9)
    size = coefs["alpha"] * coefs["A"] * best.params ** -coefs["alpha"] / 0.9
    data = coefs["beta"] * coefs["B"] * best.tokens ** -coefs["beta"] / 1.05
    assert size == pytest.approx(float(data), rel=1e-8)


def test_runs_along_one_line_say_what_a_product_costs_and_no_more():
    sizes = np.geomspace(1e7, 1e10, 8)
    columns = {"params": sizes, "tokens": 20 * sizes, "flops_measured": 130 * sizes**2}
    with pytest.raises(js.UsageError, match="lie on one line"):
        fitted_cost(columns, "flops_measured", unit="FLOP")
    cost = fitted_cost(columns, "flops_measured", unit="FLOP", proportional=True)
    assert cost.amount(1e9, 1e10) == pytest.approx(6.5 * 1e19, rel=1e-12)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"params": np.ones(3), "tokens": np.ones(3)}, "the table has no column 'hours'"),
        ({"params": np.ones(3), "tokens": np.ones(3), "hours": np.array([1.0, np.nan, -1.0])}, "in 1 runs, and 3 are"),
    ],
)
def test_what_was_not_measured_is_said(columns, told):
    with pytest.raises(js.UsageError, match=told):
        fitted_cost(columns, "hours", unit="hours")
