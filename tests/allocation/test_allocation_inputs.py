"""A law's inputs: sizes from any two of the four at the law's own price, and one door for all who ask of runs."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.allocation.inputs import all_sizes, run_columns
from jaxscale.costs.spec import SIZES
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS

LAW = LAWS.resolve("chinchilla")


def test_a_law_with_a_price_of_its_own_counts_flops_by_it():
    """A param that is zero with probability S costs 1 - S of a dense one: the price of the law's own page."""
    law = LAWS.resolve("sparsity")
    columns = {"params": np.array([1e9, 2e9]), "tokens": 2e10, "sparsity": 0.5}
    price = float(law.flops_per_param_token(sparsity=np.float64(0.5)))
    found = all_sizes(law, columns)
    np.testing.assert_allclose(found["flops"], price * columns["params"] * 2e10, rtol=1e-14)
    again = run_columns(law, {"params": columns["params"], "flops": found["flops"], "sparsity": 0.5})
    np.testing.assert_allclose(again["tokens"], 2e10, rtol=1e-14)
    assert set(all_sizes(law, {"params": 1e9, "tokens": 2e10})) == {"params", "tokens", "tokens_per_param"}
    assert run_columns(law, {"tokens": 2e10, "tokens_per_param": 20.0}) == {"tokens": 2e10, "params": 1e9}
    with pytest.raises(UsageError, match="depends on sparsity: give sparsity too"):
        run_columns(law, {"params": 1e8, "flops": 1e20})


def test_what_the_law_takes_stays_as_it_was_given():
    given_columns = {"params": 3e8, "tokens": 7e9}
    assert run_columns(LAW, given_columns) == given_columns


@pytest.mark.parametrize("names", [("params",), ("flops",), ("params", "flops", "tokens_per_param"), ()])
def test_one_is_too_little_and_three_are_too_many(names):
    with pytest.raises(UsageError, match=f"missing: .*Any two of {', '.join(SIZES)}"):
        run_columns(LAW, dict.fromkeys(names, 1e9))


TWO = {"params": [1e9, 2e9], "tokens": [2e10, 4e10]}


@pytest.mark.parametrize("third", [{"flops": [1.2e20, 1e21]}, {"tokens_per_param": 30.0}])
def test_a_third_size_that_contradicts_two_is_refused(third):
    """In the words of the command, which refuses any third size."""
    with pytest.raises(UsageError, match=f"unknown input of law 'chinchilla': '{next(iter(third))}'"):
        js.predict("chinchilla", "besiroglu2024", **TWO, **third)


def test_a_third_size_that_two_others_make_is_left_unused():
    """So that whole tables may be asked about: of rounded numbers, and where a row lacks what the law does not take."""
    third = {"flops": [1.201e20, np.nan], "tokens_per_param": 20.0, "sparsity": 0.5}
    want = js.predict("chinchilla", "besiroglu2024", **TWO)
    np.testing.assert_array_equal(js.predict("chinchilla", "besiroglu2024", **TWO, **third), want)
    law, coefs = "power", {"E": 1.0, "A": 50.0, "alpha": 0.1}
    assert js.predict(law, coefs, flops=1e20, params=1.0, tokens=1.0) == js.predict(law, coefs, flops=1e20)
