"""Sizes of one run: any two of params, tokens, flops and their ratio decide the others, at any price of both."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxscale.costs.spec import SIZES
from jaxscale.costs.training import FORMULAS, SIX, SOURCES, Price, decided, price_through

COUNTS, POWERS = st.floats(1.0, 1e15), st.floats(0.8, 1.2)


@given(params=COUNTS, tokens=COUNTS, price=st.just(SIX) | st.builds(Price, st.floats(0.1, 100.0), POWERS, POWERS))
def test_every_two_give_back_the_others(params, tokens, price):
    flops = price.k * params**price.u * tokens**price.v
    whole = {"params": params, "tokens": tokens, "flops": flops, "tokens_per_param": tokens / params}
    for pair in combinations(SIZES, 2):
        found = decided({name: whole[name] for name in pair}, price)
        for name, value in whole.items():
            assert float(found[name]) == pytest.approx(value, rel=1e-14 if price == SIX else 1e-12), (pair, name)


def test_without_a_price_compute_says_nothing_of_the_others():
    assert set(decided({"params": 1e9, "tokens": 2e10}, None)) == {"params", "tokens", "tokens_per_param"}
    assert set(decided({"params": 1e9, "flops": 1e20}, None)) == {"params", "flops"}


@pytest.mark.parametrize("name", SIZES)
def test_what_a_size_is_made_of_is_what_its_formula_names(name):
    assert all(source in FORMULAS[name] for source in SOURCES[name])


@given(k=st.floats(1.0, 100.0), u=POWERS)
def test_the_price_of_runs_is_read_off_them(k, u):
    params, tokens = np.geomspace(1e7, 1e10, 9), np.geomspace(1e10, 1e11, 9)[::-1]
    weight = np.append(np.ones(8), 0.0)
    flops = k * params**u * tokens * np.append(np.ones(8), 1e3)  # the last one does not count
    found = price_through(params, tokens, flops, weight)
    if found != SIX:
        np.testing.assert_allclose(found[:2], (k, u), rtol=1e-9)
    else:
        np.testing.assert_allclose(np.log(k / 6.0) + (u - 1.0) * np.log(params[:8]), 0.0, atol=0.016)


def test_the_price_of_weighted_runs_is_numpys_line_through_each_as_often_as_it_counts():
    random = np.random.default_rng(5)
    params, tokens, often = np.geomspace(1e7, 1e10, 9), np.geomspace(1e10, 1e11, 9), np.arange(1, 10)
    flops = 9.0 * params * tokens * np.exp(0.2 * random.standard_normal(9))
    found = price_through(params, tokens, flops, often.astype(float))
    x, y = (np.repeat(np.log(one), often) for one in (params, flops / (params * tokens)))
    slope, level = np.polyfit(x, y, 1)
    np.testing.assert_allclose(found[:2], (np.exp(level), 1.0 + slope), rtol=1e-9)
