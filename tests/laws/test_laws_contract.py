"""The contract of every registered law: what it declares, what it computes, and what it refuses."""

import inspect
from dataclasses import replace

import jax
import mpmath
import numpy as np
import pytest
from equations import equation_of

import jaxscale as js
from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS
from jaxscale.laws.predicting import random_coefs, random_columns
from jaxscale.laws.spec import Published

EVERY = pytest.mark.parametrize("law", tuple(LAWS), ids=lambda law: law.name)


def root_of_kaplan_compute(inputs, coefs):
    """L = a + b L^-k: its right side at the root is at most twice, and at least once, the larger of its terms there."""
    first = (coefs["N_c"] / inputs["params"]) ** coefs["alpha_N"]
    second = (6 * coefs["D_c"] * inputs["params"] / inputs["flops"]) ** coefs["alpha_S"]
    rate = coefs["alpha_S"] / coefs["alpha_B"]
    least = max(first, second ** (1 / (1 + rate)))
    return mpmath.findroot(lambda L: first + second * L**-rate - L, (least, 2 * least), solver="anderson")


def multi_power(inputs, coefs):
    """L = L0 + A S1^-alpha - B Σ drop (1 - (1 + C eta^-gamma S)^-beta), term by term."""
    L0, A, alpha, B, C, beta, gamma = (coefs[name] for name in ("L0", "A", "alpha", "B", "C", "beta", "gamma"))
    nodes = zip(
        *(map(mpmath.mpf, inputs[name].tolist()) for name in ("rate_drops", "rates_after", "sums_since")), strict=True
    )
    gain = mpmath.fsum(drop * (1 - (1 + C * eta**-gamma * since) ** -beta) for drop, eta, since in nodes if drop)
    return L0 + A * inputs["rate_sum"] ** -alpha - B * gain


WITNESS = {"kaplan-compute": root_of_kaplan_compute, "multi-power": multi_power}
"""Laws whose equation is no formula of scalars: name → (inputs, coefs) → loss, written apart from the law in mpmath."""
FALLS = ("params", "tokens", "flops", "steps")
"""The inputs of which more can only help, in a law that takes nothing else."""


def is_of_sizes(law):
    """Return whether a law gives a loss by sizes alone: a ratio or a property of the data may help or harm."""
    return law.target == "loss" and set(law.inputs) <= set(FALLS)


def exact(law, inputs, coefs):
    return WITNESS.get(law.name, equation_of(law))(
        {name: mpmath.mpf(float(x)) if np.ndim(x) == 0 else x for name, x in inputs.items()},
        {name: mpmath.mpf(value) for name, value in coefs.items()},
    )


def exact_slope(law, run, coefs, name):
    return mpmath.diff(lambda value: exact(law, run, {**coefs, name: value}), coefs[name])


def cases(law):
    """Yield three settings of the documented range, each with two runs, and the published ones."""
    random = np.random.default_rng(1)
    settings = [random_coefs(law, random) for _ in range(3)]
    settings += [law.constants(one.name) for one in law.published]
    for coefs in settings:
        columns = random_columns(law, random, 2)
        for row in range(2):
            yield coefs, {name: column[row] for name, column in columns.items()}


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
def test_published_values_are_one_number_inside_its_support_per_coef_with_a_source(law):
    for published in law.published:
        assert published.tag in ("paper", "code", "second-hand", "refit")
        assert "arXiv" in published.source
        for value, support in zip(published.values, law.supports, strict=True):
            assert support.contains(value)


@EVERY
def test_every_input_has_a_symbol_a_unit_and_a_meaning(law):
    for measure in map(law.input, law.inputs):
        assert measure.symbol
        assert measure.unit
        assert measure.meaning
        assert measure.low < measure.high


@EVERY
def test_the_value_agrees_with_its_printed_equation_in_fifty_digits(law):
    with mpmath.workdps(50):
        for coefs, run in cases(law):
            assert abs(value_of(law, coefs, run) / exact(law, run, coefs) - 1) < 1e-13


@EVERY
def test_the_gradient_agrees_with_fifty_digits(law):
    with mpmath.workdps(50), precision.float64():
        for coefs, run in cases(law):
            inputs = [np.asarray(x, dtype=np.float64) for x in run.values()]
            size = abs(exact(law, run, coefs))
            slopes = jax.grad(lambda c, inputs=inputs: law.loss(*inputs, **c))(coefs)
            for name, got in slopes.items():
                want = exact_slope(law, run, coefs, name)
                # a derivative that moves the loss by less than rounding does is as good as zero
                assert abs(float(got) - want) <= 1e-9 * abs(want) + 1e-15 * size / abs(coefs[name]), name


@pytest.mark.parametrize("law", [law for law in LAWS if is_of_sizes(law)], ids=lambda law: law.name)
def test_the_loss_falls_with_every_size(law):
    names = ("flops",) if "flops" in law.inputs else law.inputs  # on one budget more params mean fewer tokens
    for coefs, run in cases(law):
        for name in names:
            assert value_of(law, coefs, {**run, name: 1.1 * run[name]}) <= value_of(law, coefs, run)


def value_of(law, coefs, run):
    with precision.float64():
        return float(law.loss(*(np.asarray(run[name], dtype=np.float64) for name in law.inputs), **coefs))


@EVERY
def test_an_equal_law_is_the_same_law(law):
    twin = replace(law, inputs=list(law.inputs), coefs=list(law.coefs), published=list(law.published))
    assert twin == law
    assert hash(twin) == hash(law)
    assert {law: "found"}[twin] == "found"


def test_kaplan_reproduces_the_self_check_of_the_reference():
    """laws.md (c) 2: K5 with table 2 at (1e9, 22e9), and without a limit on data."""
    assert js.predict("kaplan", "kaplan2020", params=1e9, tokens=22e9) == pytest.approx(2.3693163, rel=1e-7)
    assert js.predict("kaplan", "kaplan2020", params=1e9, tokens=1e60) == pytest.approx(2.3188341, rel=1e-7)


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


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"params": 1e9, "tokens": 1e10, "tokns": 1e10}, "Did you mean 'tokens'"),
        ({"params": [1e9, 2e9, 3e9], "tokens": [1e10, 2e10]}, "do not broadcast"),
        ({"params": "1B", "tokens": 1e10}, "no number"),
    ],
)
def test_columns_that_make_no_table_are_refused(columns, message):
    with pytest.raises(UsageError, match=message):
        js.predict("chinchilla", "besiroglu2024", **columns)


def test_predictions_broadcast_like_numpy():
    coefs = "besiroglu2024"
    params, tokens = np.geomspace(1e7, 1e10, 4)[:, None], np.geomspace(1e9, 1e12, 3)
    table = js.predict("chinchilla", coefs, params=params, tokens=tokens)
    assert table.shape == (4, 3)
    one = js.predict("chinchilla", coefs, params=params[2, 0], tokens=tokens[1])
    assert table[2, 1] == pytest.approx(float(one), rel=1e-15)
