"""How far beyond its runs a prediction goes, for every law: a run of the table is beyond in nothing."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.laws import LAWS
from jaxscale.laws.predicting import random_columns
from jaxscale.reports.extrapolating import extrapolation, ratios
from jaxscale.reports.predictions import farthest

FLAT = [law for law in LAWS if not any(law.input(name).is_vector for name in law.inputs)]


@pytest.mark.parametrize("law", FLAT, ids=lambda law: law.name)
def test_a_run_of_the_table_lies_beyond_in_nothing(law):
    columns = random_columns(law, np.random.default_rng(4), 12)
    runs = js.Runs.from_arrays(loss=np.ones(12), **columns)
    asked = {name: columns[name].tolist() for name in law.inputs}
    assert ratios(law, asked, runs) == [{}] * 12
    assert extrapolation(law, asked, runs) is None


def test_the_page_says_in_what_a_run_lies_farthest_and_what_else_is_outside():
    law, coefs = LAWS.resolve("sparsity"), LAWS.resolve("sparsity").constants("frantar2023-t5")
    columns = {"params": np.full(40, 1e8), "tokens": np.geomspace(1e9, 1e10, 40), "sparsity": np.linspace(0.2, 0.8, 40)}
    runs = js.simulate(law, coefs, columns=columns)
    (found,) = ratios(law, {"params": [1e11], "tokens": [1e9], "sparsity": [0.9]}, runs)
    assert farthest(found) == "params 1,000× above; sparsity outside"


def test_runs_without_weight_do_not_count():
    runs = js.Runs.from_arrays(params=[1e8, 2e8, 9e9], tokens=[1e9, 2e9, 9e10], loss=[3.0, 2.9, 2.5], weight=[1, 1, 0])
    (found,) = ratios(LAWS.resolve("chinchilla"), {"params": [8e9], "tokens": [2e9]}, runs)
    assert found == {"params": pytest.approx(40.0), "flops": pytest.approx(40.0)}


def test_an_input_that_may_be_zero_has_no_ratio_and_is_said_to_be_outside():
    law = LAWS.resolve("sparsity")
    columns = {"params": np.full(4, 1e8), "tokens": np.full(4, 1e9), "sparsity": np.array([0.25, 0.5, 0.5, 0.75])}
    runs = js.Runs.from_arrays(loss=np.ones(4), **columns)
    asked = {"params": [1e8, 1e8], "tokens": [1e9, 1e9], "sparsity": [0.0, 1.0]}
    assert ratios(law, asked, runs) == [{"sparsity": pytest.approx(np.nan, nan_ok=True)}] * 2
    assert "sparsity outside the runs of the table, 0.25 … 0.75" in extrapolation(law, asked, runs).message
    assert extrapolation(law, {**asked, "sparsity": [0.25, 0.75]}, runs) is None


def test_a_table_whose_flops_were_counted_otherwise_is_compared_by_its_sizes():
    runs = js.Runs.from_arrays(params=[1e8, 2e8], tokens=[1e9, 2e9], loss=[3.0, 2.9])
    other = replace(runs, columns={**runs.columns, "flops": 0.01 * runs["flops"]})
    asked = {"params": [2e8], "tokens": [2e9]}
    assert ratios(LAWS.resolve("chinchilla"), asked, other) == [{}]
