"""Laws of the best learning rate and batch size against the numbers of the reference."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.laws.hyperparameters import LAWS


@pytest.mark.parametrize(
    ("law", "name", "inputs", "want"),
    [
        # laws.md HP1, C8 and C6
        ("steplaw-lr", "steplaw2025", {"params": 1e9, "tokens": 1e11}, 1.632e-3),
        ("steplaw-batch", "steplaw2025", {"tokens": 1e11}, 1.108e6),
        ("optimum-flops", "deepseek2024-lr", {"flops": 1e20}, 9.86e-4),
        ("optimum-flops", "deepseek2024-batch", {"flops": 1e20}, 1.017e6),
        ("optimum-params", "porian2024-lr", {"params": 108e6}, 0.00474),
        ("optimum-params", "porian2024-batch", {"params": 108e6}, 164 * 2048),
    ],
)
def test_the_settings_are_those_of_the_reference(law, name, inputs, want):
    assert js.predict(law, name, **inputs) == pytest.approx(want, rel=3e-3)  # printed to three digits


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_setting_is_no_loss_and_splits_no_budget(law):
    fixed = {name: 1.0 for name in law.inputs if name not in ("params", "tokens", "flops")}
    with pytest.raises(js.UsageError, match="is no loss: there is nothing that a budget makes least"):
        js.frontier(law=law, coefs=law.published[0].name, flops=1e20, fixed=fixed)


def test_the_start_point_is_least_squares_in_logarithms():
    random, law = np.random.default_rng(4), js.LAWS.resolve("steplaw-lr")
    columns = {name: 10 ** random.uniform(8, 10, 30) for name in law.inputs}
    rates = 1.8 * columns["params"] ** -0.7 * columns["tokens"] ** 0.3 * np.exp(0.1 * random.standard_normal(30))
    (start,) = law.starts(columns, rates)
    residual = np.log(rates) - np.log(js.predict(law, start, **columns))
    assert 0.05 < np.std(residual) < 0.15
    for direction in (np.ones(30), *map(np.log, columns.values())):  # the normal equations
        assert abs(residual @ direction) < 1e-10
