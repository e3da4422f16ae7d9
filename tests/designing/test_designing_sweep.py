"""Sweeps before any data, and runs of any size by gradient."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.designing import continuous, sweep

KNOWN = {"law": "chinchilla", "coefs": "besiroglu2024", "budget": 1e20, "target": 1e24}


@pytest.fixture(scope="module")
def found():
    return sweep(**KNOWN, budgets=(2, 4), sizes=(3, 5), ratios=(2.0, 8.0), decades=(1.0, 2.0))


def test_every_sweep_costs_the_budget_and_the_best_is_taken(found):
    assert found.cost == pytest.approx(1e20)
    np.testing.assert_allclose(6 * found.params * found.tokens, found.flops, rtol=1e-12)
    assert found.after == min(one[-1] for one in found.tried) < found.before
    assert len(found.tried) == 16
    assert len(found.params) == found.budgets * found.sizes


def test_a_sweep_is_centred_on_the_best_size(found):
    coefs = js.LAWS.resolve("chinchilla").constants("besiroglu2024")
    for flops in np.unique(found.flops):
        params = found.params[found.flops == flops]
        best = js.allocate("chinchilla", coefs, flops=flops).params
        assert np.exp(np.log(params).mean()) == pytest.approx(best, rel=1e-3)
        assert params.max() / best == pytest.approx(found.ratio, rel=1e-3)


def test_a_wider_sweep_is_worth_more_than_one_so_narrow(found):
    """Sizes that lie close together show no curvature: the expected regret falls with the ratio."""
    left = {one[:4]: one[-1] for one in found.tried}
    assert all(left[count, size, 8.0, decade] < left[count, size, 2.0, decade] for count, size, _, decade in left)


def test_runs_of_any_size_are_better_than_a_sweep_of_as_many(found):
    few = sweep(**KNOWN, budgets=(2,), sizes=(3,), ratios=(8.0,), decades=(2.0,))
    free = continuous(**KNOWN, runs=6, least=float(few.flops.min()), noise=0.005, ratios=(0.1, 1e4))
    assert free.flops.sum() == pytest.approx(1e20)
    assert free.flops.min() >= few.flops.min() * (1 - 1e-9)
    np.testing.assert_allclose(6 * free.params * free.tokens, free.flops, rtol=1e-9)
    assert np.all((free.tokens / free.params >= 0.1 * (1 - 1e-9)) & (free.tokens / free.params <= 1e4 * (1 + 1e-9)))
    assert free.after < few.after


WRONG = [
    (sweep, {"budget": -1.0}, "budget = -1.0"),
    (sweep, {"budgets": (1,)}, "budgets = (1,)"),
    (sweep, {"sizes": ()}, "sizes = ()"),
    (sweep, {"ratios": (0.5,)}, "ratios = (0.5,)"),
    (sweep, {"decades": (float("nan"),)}, "decades"),
    (sweep, {"noise": 0.0}, "noise = 0.0"),
    (continuous, {"budget": float("inf")}, "budget = inf"),
    (continuous, {"runs": 0}, "runs = 0"),
    (continuous, {"ratios": (10.0, 1.0)}, "ratios = (10.0, 1.0)"),
    (continuous, {"least": 1e20, "runs": 2}, "cost more than budget"),
    (continuous, {"target": {"params": [1e9], "tokens": [1e10]}}, "continuous"),
]


@pytest.mark.parametrize(
    ("verb", "changed", "told"), WRONG, ids=[f"{verb.__name__}-{told[:30]}" for verb, _, told in WRONG]
)
def test_what_is_invalid_is_refused_by_name(verb, changed, told):
    with pytest.raises(js.UsageError) as refusal:
        verb(**{**KNOWN, **changed})
    assert told in str(refusal.value)
