"""Fits recover the coefs of every law from runs without noise, and those of a law that the user wrote."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale.engine import compiling
from jaxscale.laws import LAWS
from jaxscale.laws.predicting import random_coefs, random_columns

SHOWN = ("chinchilla", "vocabulary", "accuracy-sigmoid")
"""Laws fitted in the quick tests, one of each kind: a sum, a negative target, a share. SciPy recovers all 53 there."""


@pytest.mark.parametrize(
    "law",
    [pytest.param(law, marks=() if law.name in SHOWN else pytest.mark.slow) for law in LAWS],
    ids=lambda law: law.name,
)
def test_every_law_recovers_its_own_coefs(law, monkeypatch):
    """Three settings of the documented range; `python -m benchmarks recovery` tries two hundred.

    The program of a law that is fitted here alone runs three times: without optimisation it costs two thirds. What is
    neither optimised nor fused runs ten times slower, so that it is fused again.
    """
    if law.name != "chinchilla":
        monkeypatch.setitem(compiling.REASSOCIATE, "xla_backend_optimization_level", 0)
        monkeypatch.setattr(compiling, "UNFUSED", {})
    random = np.random.default_rng(3)
    columns = random_columns(law, random, 48)
    for _ in range(3):
        truth = random_coefs(law, random)
        fit = js.fit(js.simulate(law, truth, columns=columns), law, objective=js.huber(space=law.space))
        assert fit.status is js.Status.CONVERGED
        np.testing.assert_allclose(list(fit.coefs.values()), list(truth.values()), rtol=1e-6)


def saturating(x, *, top, rate):
    return top * (1 - jnp.exp(-rate * x))


def law_with(support):
    return js.Law("saturating", saturating, ("x",), (js.Coef("top", support), js.Coef("rate", support)))


def test_a_user_law_with_real_coefs_finds_a_negative_one():
    x = np.linspace(0.1, 3, 48)
    runs = js.Runs.from_arrays(x=x, loss=-2.0 * (1 - np.exp(-0.8 * x)))
    fit = js.fit(runs, law_with("real"), objective=js.squared(space="linear"), starts={"top": -1.0, "rate": 1.0})
    assert fit.status is js.Status.CONVERGED
    np.testing.assert_allclose([fit.coefs["top"], fit.coefs["rate"]], [-2.0, 0.8], rtol=1e-9)


def line(x, *, level, slope):
    return level + slope * x


LINE = js.Law("line", line, ("x",), (js.Coef("level", "real", (0.0,)), js.Coef("slope", "real", (0.0,))))


@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9])
def test_a_straight_line_is_fitted_in_any_unit(unit):
    """A status may not depend on the unit of an input: the same line in metres and in nanometres."""
    x = np.linspace(0, 1, 48)
    y = 3.0 + 2.0 * x + np.random.default_rng(1).standard_normal(48)
    slope, level = np.polyfit(x, y, 1)
    runs = js.Runs.from_arrays(x=x * unit, loss=y)
    fit = js.fit(runs, LINE, objective=js.squared(space="linear"))
    np.testing.assert_allclose([fit.coefs["level"], fit.coefs["slope"] * unit], [level, slope], rtol=1e-9)
    assert fit.status is js.Status.CONVERGED


def test_losses_near_one_are_recovered_too():
    """ln loss is then near zero, but the rounding of a prediction is still that of one."""
    x = np.geomspace(1e17, 1e20, 48)
    runs = js.Runs.from_arrays(flops=x, loss=1.0 + 5e-5 * (x / 1e18) ** -0.3)
    fit = js.fit(runs, "power")
    np.testing.assert_allclose(fit.coefs["E"], 1.0, rtol=1e-9)
    assert fit.status is js.Status.CONVERGED


def scheduled(params, rates, *, A, alpha, decay):
    return A * params**-alpha + decay * jnp.sum(rates)


def test_a_law_may_take_a_schedule_with_a_trailing_axis():
    coefs = tuple(js.Coef(name, starts=(1.0,)) for name in ("A", "alpha", "decay"))
    law = js.Law("scheduled", scheduled, ("params", "rates"), coefs)
    random = np.random.default_rng(2)
    params, rates = 10 ** random.uniform(7, 9, 48), random.uniform(0, 1, (48, 6))
    loss = 50.0 * params**-0.2 + 0.3 * rates.sum(axis=1)
    fit = js.fit(js.Runs.from_arrays(params=params, rates=rates, loss=loss), law)
    np.testing.assert_allclose(list(fit.coefs.values()), [50.0, 0.2, 0.3], rtol=1e-6)
