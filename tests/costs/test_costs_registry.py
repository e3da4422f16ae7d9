"""Costs by name: one function and one line add another, and each is an amount in a unit of params and tokens."""

import inspect

import numpy as np
import pytest

import jaxscale as js
from jaxscale.costs import COSTS, Cost
from jaxscale.costs.training import TRAINING, cost_under, training_flops
from jaxscale.registry import Registry

PARAMS, TOKENS = np.array([1e8, 1e9, 1e10]), np.array([1e9, 2e10, 4e11])


def rent(params, tokens, *, flops_per_dollar):
    """Return what training costs at a rate, in dollars."""
    return training_flops(params, tokens) / flops_per_dollar


RENT = Cost("rent", rent, "USD", "a data centre's list of prices", ("flops_per_dollar",))
WITH_ONE_MORE = Registry("cost", (*COSTS, RENT))


@pytest.mark.parametrize("cost", list(WITH_ONE_MORE), ids=lambda cost: cost.name)
def test_a_cost_is_an_amount_that_grows_with_params_and_tokens(cost):
    takes = inspect.signature(cost.amount).parameters
    assert tuple(takes) == ("params", "tokens", *cost.inputs)
    inputs = dict.fromkeys(cost.inputs, 0.5)  # a share may be among them
    amounts = cost.amount(PARAMS, TOKENS, **inputs)
    assert amounts.shape == PARAMS.shape
    assert (np.diff(amounts) > 0).all()
    assert cost.amount(1e9, 2e10, **inputs) == pytest.approx(amounts[1], rel=1e-15)
    assert cost.unit
    assert cost.source


def test_a_cost_that_was_added_is_found_by_its_name():
    found = WITH_ONE_MORE.resolve("rent")
    assert found.amount(1e9, 2e10, flops_per_dollar=1e17) == pytest.approx(1200.0)
    assert found.unit == "USD"
    with pytest.raises(js.UsageError, match=r"unknown cost 'rents'\. Did you mean 'rent'"):
        WITH_ONE_MORE.resolve("rents")


@pytest.mark.parametrize("law", list(js.LAWS), ids=lambda law: law.name)
def test_a_law_without_a_price_of_its_own_costs_six_params_tokens(law):
    cost = cost_under(law)
    assert (cost is TRAINING) == (law.flops_per_param_token is None)
    inputs = {name: law.input(name).low for name in cost.inputs}
    own = 6.0 if cost is TRAINING else float(law.flops_per_param_token(**inputs))
    assert float(cost.per_param_token(**inputs)) == own
    assert float(cost.amount(3.0, 5.0, **inputs)) == pytest.approx(15.0 * own, rel=1e-6)  # JAX's own precision
