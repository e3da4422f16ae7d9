"""Sizes of one run: any two of params, tokens, flops and their ratio decide the others."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxscale.allocation.sizes import all_sizes, completed
from jaxscale.allocation.splits import DECIDED
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS

LAW = LAWS.resolve("chinchilla")
SIZES = st.floats(1.0, 1e15)


@given(params=SIZES, tokens=SIZES)
def test_every_two_give_back_the_others(params, tokens):
    whole = {"params": params, "tokens": tokens, "flops": 6.0 * params * tokens, "tokens_per_param": tokens / params}
    for pair in combinations(DECIDED, 2):
        found = all_sizes(LAW, {name: whole[name] for name in pair})
        for name, value in whole.items():
            assert float(found[name]) == pytest.approx(value, rel=1e-14), (pair, name)


def test_a_law_with_a_price_of_its_own_counts_flops_by_it():
    """A param that is zero with probability S costs 1 - S of a dense one: the price of the law's own page."""
    law = LAWS.resolve("sparsity")
    columns = {"params": np.array([1e9, 2e9]), "tokens": 2e10, "sparsity": 0.5}
    price = float(law.flops_per_param_token(sparsity=np.float64(0.5)))
    found = all_sizes(law, columns)
    np.testing.assert_allclose(found["flops"], price * columns["params"] * 2e10, rtol=1e-14)
    again = completed(law, {"params": columns["params"], "flops": found["flops"], "sparsity": 0.5})
    np.testing.assert_allclose(again["tokens"], 2e10, rtol=1e-14)
    assert set(all_sizes(law, {"params": 1e9, "tokens": 2e10})) == {"params", "tokens", "tokens_per_param"}
    assert completed(law, {"tokens": 2e10, "tokens_per_param": 20.0}) == {"tokens": 2e10, "params": 1e9}
    with pytest.raises(UsageError, match="depends on sparsity: give sparsity too"):
        completed(law, {"params": 1e8, "flops": 1e20})


def test_what_the_law_takes_stays_as_it_was_given():
    given_columns = {"params": 3e8, "tokens": 7e9}
    assert completed(LAW, given_columns) == given_columns


@pytest.mark.parametrize("names", [("params",), ("flops",), ("params", "flops", "tokens_per_param"), ()])
def test_one_is_too_little_and_three_are_too_many(names):
    with pytest.raises(UsageError, match=r"missing: .*Any two of params, tokens, flops, tokens_per_param"):
        completed(LAW, dict.fromkeys(names, 1e9))
