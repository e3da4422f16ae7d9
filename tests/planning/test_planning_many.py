"""A thousand random combinations of limits: kept, certified, better than a grid, or said to be impossible."""

import jax
import numpy as np
import pytest
from plans import LAW, drawn, loss

from jaxscale import precision
from jaxscale.costs import COSTS
from jaxscale.planning import PlanNumbers, Spending, planned
from jaxscale.planning.planned import WITHIN, missed

KINDS = (
    ("lifetime", False, ("inference_tokens",)),
    ("tokens", False, ()),
    ("serving-memory", False, ("bytes_per_param", "context", "sequences", "cache_share")),
    ("tokens_per_param", True, ()),
    ("dollars", False, ("inference_tokens", "training_price", "serving_price")),
    ("params", True, ()),
)
MANY = 1000
CONIC = (
    1.4930809358516213, 1.8632443610127152, 1.1283078569038616, 2.3725910940165496, 2.6775190164706344,
    1.4129962882640523, 2.722184302137075, 9.64247954825056, 1.7989775272131496, 0.9659463516177933,
)  # fmt: skip
"""Least losses of every tenth of the first hundred combinations that can be kept, as geometric programmes by CVXPY
1.9.3 with Clarabel at tolerances of 1e-11."""


@pytest.fixture(scope="module")
def many():
    """A thousand combinations of limits, of which each is so loose in every other one that it never binds."""
    random = np.random.default_rng(3)
    spending = Spending(LAW, tuple((COSTS.resolve(name), is_least) for name, is_least, _ in KINDS))
    sets = [drawn(random) for _ in range(MANY)]
    one = np.ones(MANY)
    spare = [10 ** np.where(random.random(MANY) < 0.5, 0.0, 8.0) for _ in KINDS]
    caps = (
        10 ** random.uniform(20, 26, MANY) * spare[0],
        10 ** random.uniform(10, 13.5, MANY) * spare[1],
        10 ** random.uniform(10, 12.5, MANY) * spare[2],
        10 ** random.uniform(0, 3.5, MANY) / spare[3],
        10 ** random.uniform(3, 8.5, MANY) * spare[4],
        10 ** random.uniform(7, 11, MANY) / spare[5],
    )
    inputs = (
        {"inference_tokens": 10 ** random.uniform(9, 14, MANY)},
        {},
        {"bytes_per_param": 2 * one, "context": 8192 * one, "sequences": 16 * one, "cache_share": 0.25 * one},
        {},
        {
            "inference_tokens": 10 ** random.uniform(9, 13, MANY),
            "training_price": 1e-18 * one,
            "serving_price": 4e-18 * one,
        },
        {},
    )
    coefs = tuple(np.array([each[name] for each in sets]) for name in LAW.names)
    given = PlanNumbers(coefs, (), caps, (*inputs, {}), one, (one, one))

    def both(p):
        return planned(spending, p), missed(spending, p)

    compiled = jax.jit(jax.vmap(both))

    def answers(given):
        with precision.float64():
            return jax.tree.map(np.asarray, compiled(given))

    return spending, given, answers


@pytest.fixture(scope="module")
def found(many):
    _, given, answers = many
    return answers(given)


def test_many_limits_at_once_are_kept_and_certified(found):
    found, lacking = found
    is_none = lacking.excess > WITHIN
    assert 0.02 < is_none.mean() < 0.5
    met = found.certificate.is_met
    np.testing.assert_array_equal(met, ~is_none)
    assert found.certificate.residual[met].max() <= 1e-8
    assert found.certificate.slack[met].min() >= -1e-9
    assert (lacking.conflicts[is_none].sum(axis=1) >= 2).all()
    assert (found.multipliers[met][:, : len(KINDS)] > 0).any(axis=0).all()  # each of them binds somewhere


@pytest.mark.parametrize("at", range(len(KINDS)), ids=[name for name, *_ in KINDS])
def test_a_multiplier_is_what_the_loss_falls_by_where_its_limit_is_moved(many, found, at):
    """In the logarithm of the cap, where the same limits bind on either side of it."""
    _, given, answers = many
    ends = [
        answers(given._replace(caps=tuple(cap * np.exp(step * (k == at)) for k, cap in enumerate(given.caps))))[0]
        for step in (1e-4, -1e-4)
    ]
    every = (found[0], *ends)
    binds = [one.multipliers[:, : len(KINDS)] > 0 for one in every]
    is_same = np.all(
        [one.certificate.is_met & (each == binds[0]).all(axis=1) for one, each in zip(every, binds, strict=True)],
        axis=0,
    )
    worth = found[0].multipliers[:, at]
    places = is_same & (worth > 1e-6)
    assert places.sum() > 20
    falls = np.abs(ends[1].loss - ends[0].loss) / 2e-4
    np.testing.assert_allclose(worth[places], falls[places], rtol=1e-5)


def test_no_point_of_a_grid_within_the_limits_is_better(many, found):
    spending, given, _ = many
    found, lacking = found
    u, v = (one.ravel() for one in np.meshgrid(np.linspace(10, 40, 200), np.linspace(10, 40, 200)))
    params, tokens = np.exp(u), np.exp(v)
    for at in range(MANY):
        inside = np.ones(len(u), bool)
        for (cost, is_least), cap, inputs in zip(spending.limits, given.caps, given.inputs, strict=False):
            amount = cost.amount(params, tokens, **{name: value[at] for name, value in inputs.items()})
            inside &= (amount >= cap[at]) if is_least else (amount <= cap[at])
        coefs = {name: value[at] for name, value in zip(LAW.names, given.coefs, strict=True)}
        least = loss(params, tokens, coefs)[inside].min(initial=np.inf)
        if lacking.excess[at] > WITHIN:
            assert not inside.any()
        else:
            assert found.loss[at] <= least + 1e-9


def test_a_geometric_programme_finds_the_same_losses(found):
    """The width times the layers of a served model and the price of a lifetime are monomials, too."""
    found, lacking = found
    kept = np.flatnonzero(lacking.excess <= WITHIN)[:100:10]
    np.testing.assert_allclose(found.loss[kept], CONIC, rtol=1e-9)
