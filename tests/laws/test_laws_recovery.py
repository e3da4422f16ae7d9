"""Every law finds its own coefs again in runs without noise, and so does a law that the user wrote."""

import jax.numpy as jnp
import numpy as np
import pytest

import jaxscale as js
from jaxscale.laws import LAWS

RANDOM = np.random.default_rng(3)
PARAMS, TOKENS = 10 ** RANDOM.uniform(6.5, 10.5, 32), 10 ** RANDOM.uniform(8.5, 12, 32)
COLUMNS = {"params": PARAMS, "tokens": TOKENS, "flops": 6 * PARAMS * TOKENS}

SETTINGS = {
    "chinchilla": [(1.69, 406.4, 410.7, 0.34, 0.28), (0.6, 30.0, 9000.0, 0.2, 0.45)],
    "chinchilla-tied": [(1.9, 520.8, 1487.6, 0.3527), (0.5, 50.0, 60.0, 0.18)],
    "kaplan": [(6.4e13, 1.8e13, 0.076, 0.103), (1e11, 1e12, 0.3, 0.25)],
}
FLOORED, PURE = [(1.7, 300.0, 0.25), (0.4, 12.0, 0.12)], [(30.0, 0.057), (800.0, 0.3)]


@pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)
def test_every_law_recovers_its_own_coefs(law):
    for values in SETTINGS.get(law.name, FLOORED if "E" in law.names else PURE):
        truth = dict(zip(law.names, values, strict=True))
        fit = js.fit(js.simulate(law, truth, columns={name: COLUMNS[name] for name in law.inputs}), law)
        assert fit.status is js.Status.CONVERGED
        # the condition number of a law on these runs is below 1e9, so eps becomes 1e-7 at worst
        np.testing.assert_allclose(list(fit.coefs.values()), values, rtol=1e-6)


def saturating(x, *, top, rate):
    return top * (1 - jnp.exp(-rate * x))


def law_with(support):
    return js.Law("saturating", saturating, ("x",), (js.Coef("top", support), js.Coef("rate", support)))


def test_a_user_law_with_real_coefs_finds_a_negative_one():
    x = np.linspace(0.1, 3, 30)
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
    x = np.linspace(0, 1, 30)
    y = 3.0 + 2.0 * x + np.random.default_rng(1).standard_normal(30)
    slope, level = np.polyfit(x, y, 1)
    runs = js.Runs.from_arrays(x=x * unit, loss=y)
    fit = js.fit(runs, LINE, objective=js.squared(space="linear"))
    np.testing.assert_allclose([fit.coefs["level"], fit.coefs["slope"] * unit], [level, slope], rtol=1e-9)
    assert fit.status is js.Status.CONVERGED


def test_losses_near_one_are_recovered_too():
    """ln loss is then near zero, but the rounding of a prediction is still that of one."""
    x = np.geomspace(1e7, 1e10, 30)
    runs = js.Runs.from_arrays(params=x, loss=1.0 + 5e-5 * (x / 1e8) ** -0.3)
    fit = js.fit(runs, "power-params")
    np.testing.assert_allclose(fit.coefs["E"], 1.0, rtol=1e-9)
    assert fit.status is js.Status.CONVERGED


def scheduled(params, rates, *, A, alpha, decay):
    return A * params**-alpha + decay * jnp.sum(rates)


def test_a_law_may_take_a_schedule_with_a_trailing_axis():
    coefs = tuple(js.Coef(name, starts=(1.0,)) for name in ("A", "alpha", "decay"))
    law = js.Law("scheduled", scheduled, ("params", "rates"), coefs)
    random = np.random.default_rng(2)
    params, rates = 10 ** random.uniform(7, 9, 20), random.uniform(0, 1, (20, 6))
    loss = 50.0 * params**-0.2 + 0.3 * rates.sum(axis=1)
    fit = js.fit(js.Runs.from_arrays(params=params, rates=rates, loss=loss), law)
    np.testing.assert_allclose(list(fit.coefs.values()), [50.0, 0.2, 0.3], rtol=1e-6)
