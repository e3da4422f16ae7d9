"""The contract of every registered law: what it declares, what it computes, and what it refuses."""

import inspect

import jax
import mpmath
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, predict_with
from jaxscale.laws.spec import Published

EVERY = pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)


def separable(N, D, *, E, A, B, alpha, beta):
    return E + A * mpmath.power(N, -alpha) + B * mpmath.power(D, -beta)


def one_power(x, *, A, alpha, E=0):
    return E + A * mpmath.power(x, -alpha)


def bottleneck(N, D, *, N_c, D_c, alpha_N, alpha_D):
    return mpmath.power(mpmath.power(N_c / N, alpha_N / alpha_D) + D_c / D, alpha_D)


WITNESS = {
    "chinchilla": separable,
    "chinchilla-tied": lambda N, D, *, E, A, B, alpha: separable(N, D, E=E, A=A, B=B, alpha=alpha, beta=alpha),
    "kaplan": bottleneck,
}
"""The papers' equations in fifty digits; every other law is one power."""

SETTINGS = {
    "chinchilla": [(1.69, 406.4, 410.7, 0.34, 0.28), (0.3, 20.0, 1e5, 0.9, 0.05)],
    "chinchilla-tied": [(1.9, 520.8, 1487.6, 0.35), (0.01, 3.0, 2.0, 0.07)],
    "kaplan": [(6.4e13, 1.8e13, 0.076, 0.103), (1e10, 1e11, 0.3, 0.25)],
}
FLOORED = [(1.7, 300.0, 0.15), (0.2, 12.0, 0.5)]
PURE = [(30.0, 0.057), (8.0, 0.3)]


def settings_of(law):
    return SETTINGS.get(law.name, FLOORED if "E" in law.names else PURE)


def points_of(law):
    if len(law.inputs) == 1:
        return [{law.inputs[0]: value} for value in (7e7, 2.2e10, 5.76e23)]
    return [dict(zip(law.inputs, run, strict=True)) for run in ((7e7, 3e9), (1.3e9, 2.2e10), (7e10, 1.4e12))]


def exact(law, coefs, run):
    function = WITNESS.get(law.name, one_power)
    return function(*run, **{name: mpmath.mpf(value) for name, value in coefs.items()})


def exact_slope(law, coefs, run, name):
    return mpmath.diff(lambda value: exact(law, {**coefs, name: value}, run), coefs[name])


def cases(law):
    for values in settings_of(law):
        coefs = dict(zip(law.names, values, strict=True))
        for run in points_of(law):
            yield coefs, run


@EVERY
def test_the_signature_is_the_specification(law):
    assert tuple(inspect.signature(law.loss).parameters) == (*law.inputs, *law.names)


@EVERY
def test_every_law_names_its_source_and_every_coef_its_meaning(law):
    assert law.equation
    assert "arXiv" in law.source
    assert all(coef.meaning for coef in law.coefs)
    for coef, support in zip(law.coefs, law.supports, strict=True):
        assert all(support.contains(start) for start in coef.starts)


@EVERY
def test_published_values_are_one_positive_number_per_coef_with_a_source(law):
    for published in law.published:
        assert len(published.values) == len(law.coefs)
        assert all(value > 0 for value in published.values)
        assert "arXiv" in published.source


@EVERY
def test_the_value_agrees_with_fifty_digits(law):
    with mpmath.workdps(50):
        for coefs, run in cases(law):
            got = float(predict_with(law, coefs, run))
            assert abs(got / exact(law, coefs, [mpmath.mpf(x) for x in run.values()]) - 1) < 1e-13


@EVERY
def test_the_gradient_agrees_with_fifty_digits(law):
    with mpmath.workdps(50), precision.float64():
        for coefs, run in cases(law):
            inputs = [mpmath.mpf(x) for x in run.values()]
            slopes = jax.grad(lambda c, run=run: law.loss(*run.values(), **c))(coefs)
            for name, got in slopes.items():
                assert abs(float(got) / exact_slope(law, coefs, inputs, name) - 1) < 1e-9, name


@EVERY
def test_the_loss_falls_with_every_input(law):
    for coefs, run in cases(law):
        for name in run:
            assert predict_with(law, coefs, {**run, name: 1.1 * run[name]}) < predict_with(law, coefs, run)


@EVERY
def test_an_equal_law_is_the_same_law(law):
    twin = js.Law(
        law.name, law.loss, list(law.inputs), list(law.coefs), law.equation, law.source, law.starts, law.published
    )
    assert twin == law
    assert hash(twin) == hash(law)
    assert {law: "found"}[twin] == "found"


def test_kaplan_reproduces_the_self_check_of_the_reference():
    """laws.md (c) 2: K5 with table 2 at (1e9, 22e9), and without a limit on data."""
    coefs = dict(zip(LAWS.resolve("kaplan").names, (6.4e13, 1.8e13, 0.076, 0.103), strict=True))
    assert js.predict("kaplan", coefs, params=1e9, tokens=22e9) == pytest.approx(2.3693163, rel=1e-7)
    assert js.predict("kaplan", coefs, params=1e9, tokens=1e60) == pytest.approx(2.3188341, rel=1e-7)


@pytest.mark.parametrize(
    ("name", "coefs", "inputs", "want"),
    [
        # (x_c / x)^alpha = A x^-alpha with A = x_c^alpha;   laws.md (c) 1, compute in PF-days of 8.64e19 FLOP
        ("pure-power-params", {"A": 8.8e13**0.076, "alpha": 0.076}, {"params": 1.5e9}, 2.3035506),
        ("pure-power-tokens", {"A": 5.4e13**0.095, "alpha": 0.095}, {"tokens": 22e9}, 2.0991683),
        ("pure-power", {"A": (3.1e8 * 8.64e19) ** 0.05, "alpha": 0.05}, {"flops": 8.64e19}, 2.6580802),
    ],
)
def test_the_pure_powers_reproduce_the_self_check_of_the_reference(name, coefs, inputs, want):
    assert js.predict(name, coefs, **inputs) == pytest.approx(want, rel=1e-7)


def curve(x, *, slope, level):
    return level + slope * x


REAL = (js.Coef("slope", "real"), js.Coef("level", "real"))


def test_a_misspelt_coef_is_refused_with_its_name():
    with pytest.raises(UsageError, match=r"takes \(x, slope, level\).*inputs x and coefs slop, level"):
        js.Law("mine", curve, ("x",), (js.Coef("slop", "real"), js.Coef("level", "real")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": ("z",)}, "inputs z"),
        ({"coefs": REAL[:1]}, "coefs slope$"),
        ({"coefs": (*REAL, js.Coef("more"))}, "coefs slope, level, more"),
        ({"coefs": (*REAL, js.Coef("slope"))}, "'slope' is declared twice"),
        ({"inputs": ("slope",)}, "'slope' is declared twice"),
    ],
)
def test_a_law_whose_function_takes_something_else_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        js.Law(**{"name": "mine", "loss": curve, "inputs": ("x",), "coefs": REAL, **change})


def positional_coef(x, slope, level, /):
    return level + slope * x


def keyword_input(*, x, slope, level):
    return level + slope * x


@pytest.mark.parametrize("function", [positional_coef, keyword_input])
def test_a_function_that_cannot_be_called_as_the_loop_calls_it_is_refused(function):
    with pytest.raises(UsageError, match="mine"):
        js.Law("mine", function, ("x",), REAL)


def test_an_unknown_support_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'positive'"):
        js.Coef("slope", "positiv")


def test_a_published_set_of_another_length_is_refused():
    sets = (Published("mine", (1.0, 2.0), "a notebook"),)
    with pytest.raises(UsageError, match="published set 'mine' needs one value for each of level"):
        js.Law("short", lambda x, *, level: level * x, ("x",), (js.Coef("level", "real"),), published=sets)


def test_what_is_neither_a_name_nor_a_law_is_refused():
    with pytest.raises(UsageError, match="law = 42 is neither a name nor a law with one"):
        js.frontier(flops=1e22, law=42, coefs={})


def test_an_unknown_law_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="Did you mean 'chinchilla'"):
        js.predict("chinchila", {}, params=1e9, tokens=1e9)


@pytest.mark.parametrize(
    ("coefs", "message"),
    [({"A": 1.0}, "missing: alpha"), ({"A": 1.0, "alpha": 0.1, "alpa": 0.2}, "Did you mean 'alpha'")],
)
def test_missing_and_unknown_coefs_are_refused_by_name(coefs, message):
    with pytest.raises(UsageError, match=message):
        js.predict("pure-power-params", coefs, params=1e9)


def test_predictions_broadcast_like_numpy():
    coefs = dict(zip(LAWS.resolve("chinchilla").names, SETTINGS["chinchilla"][0], strict=True))
    params, tokens = np.geomspace(1e7, 1e10, 4)[:, None], np.geomspace(1e9, 1e12, 3)
    table = js.predict("chinchilla", coefs, params=params, tokens=tokens)
    assert table.shape == (4, 3)
    one = js.predict("chinchilla", coefs, params=params[2, 0], tokens=tokens[1])
    assert table[2, 1] == pytest.approx(float(one), rel=1e-15)
