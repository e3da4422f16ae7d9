"""Simulated runs: the law without noise, the stated noise around it, and the same runs for the same seed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxscale.datasets.simulating import simulate
from jaxscale.errors import RunsError, UsageError
from jaxscale.laws import LAWS, predict_with
from jaxscale.laws.predicting import random_coefs, random_columns

COEFS = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
PARAMS = np.geomspace(1e7, 1e10, 2000)
COLUMNS = {"params": PARAMS, "tokens": 20 * PARAMS}


@pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)
def test_without_noise_the_loss_is_the_law(law):
    random = np.random.default_rng(4)
    coefs, columns = random_coefs(law, random), random_columns(law, random, 5)
    runs = simulate(law, coefs, columns=columns)
    np.testing.assert_array_equal(runs.loss, predict_with(law, coefs, columns))


@settings(deadline=None)  # the first prediction compiles
@given(noise=st.floats(0, 0.5), seed=st.integers(0, 2**70))
def test_the_miss_is_the_noise_times_standard_normal_numbers(noise, seed):
    runs = simulate("chinchilla", COEFS, columns=COLUMNS, noise=noise, seed=seed)
    residual = np.log(runs.loss / predict_with(LAWS.resolve("chinchilla"), COEFS, COLUMNS))
    assert abs(np.mean(residual)) <= 6 * noise / math.sqrt(len(runs)) + 1e-15  # six standard errors
    assert abs(np.std(residual) - noise) <= 6 * noise / math.sqrt(2 * len(runs)) + 1e-15


def test_the_same_seed_gives_the_same_runs_and_another_seed_does_not():
    one, again, other = (simulate("chinchilla", COEFS, columns=COLUMNS, noise=0.01, seed=s).loss for s in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert not np.any(one == other)


def test_fewer_rows_are_the_first_of_more():
    short = {name: column[:10] for name, column in COLUMNS.items()}
    few, many = (simulate("chinchilla", COEFS, columns=c, noise=0.01, seed=3).loss for c in (short, COLUMNS))
    np.testing.assert_allclose(few, many[:10], rtol=4e-16)  # the draws are equal; vector code may round differently


def test_tokens_are_derived_from_flops():
    runs = simulate("chinchilla", COEFS, columns={"params": [1e8, 1e9], "flops": [1e19, 1e20]})
    np.testing.assert_allclose(runs["tokens"], [1e19 / 6e8, 1e20 / 6e9], rtol=1e-15)


def test_texts_groups_and_weights_travel_along():
    columns = {"params": [1e8, 1e9], "tokens": [2e9, 2e10], "run": ["a", "b"], "group": ["x", "x"], "weight": [1, 2]}
    runs = simulate("chinchilla", COEFS, columns=columns)
    assert list(runs["run"]) == ["a", "b"]
    assert list(runs.group) == ["x", "x"]
    assert list(runs.weight) == [1.0, 2.0]


def test_simulated_runs_say_so():
    runs = simulate("chinchilla", COEFS, columns=COLUMNS)
    assert runs.origin.source == "<simulated>"
    assert [finding.code for finding in runs.findings] == ["simulated-data"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise": -0.1}, "noise = -0.1"),
        ({"noise": math.nan}, "noise = nan"),
        ({"noise": "0.1"}, "noise = '0.1'"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": True}, "seed = True"),
        ({"seed": 1.0}, "seed = 1.0"),
        ({"columns": {**COLUMNS, "loss": PARAMS}}, "leave it out"),
        ({"columns": {"params": PARAMS}}, "missing: tokens"),
        ({"coefs": {"E": 1.0}}, "missing: A, B, alpha, beta"),
        ({"law": "chinchila"}, "Did you mean 'chinchilla'"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    asked = {"law": "chinchilla", "coefs": COEFS, "columns": COLUMNS, **change}
    with pytest.raises(UsageError, match=message):
        simulate(**asked)


def test_columns_that_are_no_table_are_refused():
    with pytest.raises(RunsError, match="different lengths"):
        simulate("chinchilla", COEFS, columns={"params": [1e8], "tokens": [2e9, 3e9]})
    with pytest.raises(RunsError, match="0 runs"):
        simulate("chinchilla", COEFS, columns={})
