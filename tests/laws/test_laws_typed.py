"""A law from the text of its equation: the same numbers as the law that ships, and an object like any other."""

import jax
import mpmath
import numpy as np
import pytest

import jaxscale as js
from jaxscale import precision
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, law_from_expression
from jaxscale.laws.predicting import random_coefs, random_columns

TEXT = "E + A*params**-alpha + B*tokens**-beta"
COEFS = tuple(f"{name}:positive" for name in ("E", "A", "B", "alpha", "beta"))


def value(law, inputs, coefs):
    with precision.float64():
        return float(law.loss(*(np.float64(x) for x in inputs), **coefs))


def test_every_function_and_operator_agrees_with_fifty_digits():
    text = (
        "a*exp(-x) + log(y) - log10(x)/b + log1p(x) + expm1(-y) + sqrt(x) + abs(-y) + tanh(b) + sigmoid(a) + "
        "softplus(-x) + min(x, y, 3) + max(x, y) + x**2 + x**-3 + y**b + 2**a + (+x) + "
        "pow(x, 2) + pow(y, -b) + logaddexp(x, -y) + minimum(x, y) - maximum(x, y, 1.5) + 1e-1*.5"
    )
    law = law_from_expression(text, ["a:positive", "b:positive"])
    m = mpmath
    with m.workdps(50):
        for x, y, a, b in ((0.7, 2.3, 0.4, 1.9), (3.2, 0.6, 2.1, 0.3)):
            fa, fb, fx, fy = (m.mpf(one) for one in (a, b, x, y))
            want = fa * m.exp(-fx) + m.log(fy) - m.log(fx) / m.log(10) / fb + m.log(1 + fx) + m.exp(-fy) - 1
            want += m.sqrt(fx) + fy + m.tanh(fb) + 1 / (1 + m.exp(-fa)) + m.log(1 + m.exp(-fx))
            want += min(fx, fy, 3) + max(fx, fy) + fx**2 + fx**-3 + fy**fb + 2**fa + fx
            want += fx**2 + fy**-fb + m.log(m.exp(fx) + m.exp(-fy)) + min(fx, fy) - max(fx, fy, 1.5) + m.mpf("0.05")
            assert abs(value(law, (x, y), {"a": a, "b": b}) / want - 1) < 1e-13


def test_precedence_is_that_of_python():
    law = law_from_expression("-x**2*a + a/2/x - 2**3**0.5", ["a:real"])
    assert value(law, (3.0,), {"a": 5.0}) == pytest.approx(-9.0 * 5.0 + 5.0 / 2.0 / 3.0 - 2.0**3.0**0.5, rel=1e-14)


def test_an_equal_text_is_an_equal_law_and_its_loss_an_equal_function():
    one, other = law_from_expression(TEXT, COEFS), law_from_expression(f" {TEXT}\n", list(COEFS))
    assert one == other
    assert hash(one) == hash(other)
    assert one != law_from_expression(TEXT.replace("-beta", "-alpha*beta"), COEFS)


def test_the_text_of_chinchilla_is_chinchilla():
    """The same value, derivative and frontier as the law that ships, at its published constants."""
    own, shipped = law_from_expression(TEXT, COEFS), LAWS.resolve("chinchilla")
    coefs = shipped.constants("besiroglu2024")
    assert (own.inputs, own.names, own.equation, own.name) == (shipped.inputs, shipped.names, TEXT, "expression")
    with precision.float64():
        slopes = [jax.grad(lambda given, law=law: law.loss(1e9, 2e10, **given))(coefs) for law in (own, shipped)]
    for name in coefs:
        assert float(slopes[0][name]) == pytest.approx(float(slopes[1][name]), rel=1e-12)
    inputs = {"params": 1e9, "tokens": 2e10}
    assert js.predict(own, coefs, **inputs) == pytest.approx(js.predict(shipped, coefs, **inputs), rel=1e-14)


def test_the_sizes_go_by_any_of_the_names_that_tables_give_them():
    law = law_from_expression("E + A*N**-alpha + B*`Training Tokens`**-beta + 0*params", COEFS)
    assert law.inputs == ("params", "tokens")


@pytest.mark.parametrize(
    ("text", "coefs"),
    [
        ("a + b*log(params) + c*log(tokens)", ["a:real", "b:real", "c:real"]),
        ("k*params**-0.03", ["k:positive"]),
    ],
)
def test_a_law_that_is_linear_in_all_its_coefs_needs_no_start(text, coefs):
    """Least squares of the loss by NumPy is the witness."""
    random = np.random.default_rng(6)
    columns = {"params": 10 ** random.uniform(7, 9, 48), "tokens": 10 ** random.uniform(9, 11, 48)}
    runs = js.simulate("chinchilla", "besiroglu2024", columns=columns, noise=0.01)
    fit = js.fit(runs, law_from_expression(text, coefs), objective=js.squared(space="linear"))
    terms = [np.ones(48), np.log(runs["params"]), np.log(runs["tokens"])]
    design = np.stack(terms, axis=1) if len(coefs) == 3 else runs["params"][:, None] ** -0.03
    want = np.linalg.lstsq(design, runs.loss, rcond=None)[0]
    np.testing.assert_allclose(list(fit.coefs.values()), want, rtol=1e-9)
    assert fit.certificate.agreeing_starts == 1


@pytest.mark.parametrize(
    ("text", "part", "rows"),
    [
        ("E + A*log(tokens - 2e9)", "log(tokens - 2e9)", [True, True, False]),
        ("E + sqrt(max(params, 1))/(tokens - 1e9) + A*0", "sqrt(max(params, 1))/(tokens - 1e9)", [True, False, False]),
    ],
)
def test_the_first_part_of_a_text_that_is_not_finite_is_found_from_the_inside(text, part, rows):
    law = law_from_expression(text, [one for one in COEFS if one.split(":")[0] in text])
    columns = {"params": np.array([1e8, 2e8, 3e8]), "tokens": np.array([1e9, 2e9, 3e9])}
    given = {name: columns[name] for name in law.inputs}
    found = law.loss.first_not_finite(given, dict.fromkeys(law.names, 0.5))
    assert (found[0], found[1].tolist()) == (part, rows)


def test_a_text_that_is_finite_in_float64_has_no_such_part():
    law = law_from_expression("E + A*flops**2*1e-50", ["E:positive", "A:positive"])
    assert law.loss.first_not_finite({"flops": np.array([1e22, 1e23])}, {"E": 1.0, "A": 1.0}) is None


def test_a_fit_whose_text_is_not_finite_at_the_start_names_the_part_and_the_rows():
    weight = [1.0, 1.0, 1.0, 1.0, 0.0]  # a row that does not count is not to blame
    runs = js.Runs.from_arrays(params=[1e8, 2e8, 3e8, 4e8, 1e7], loss=[3.0, 2.9, 2.8, 2.7, 2.6], weight=weight)
    fit = js.fit(runs, law_from_expression("E + A*log(params - 2e8)", ["E:positive:1", "A:positive:1"]))
    assert fit.status == js.Status.NON_FINITE
    said = {finding.code: finding for finding in fit.findings}["part-not-finite"]
    assert said.message.startswith("log(params - 2e8) in 'expression' is not finite at the start, E = 1, A = 1")
    assert said.rows == (1, 2)


def test_what_is_fitted_is_no_input():
    with pytest.raises(UsageError, match=r"'loss' is what the law gives.*\n  E \+ loss\n      \^"):
        law_from_expression("E + loss", ["E:real"])


def test_coefs_may_be_objects_with_meanings():
    level = js.Coef("E", "positive", (0.5, 2.0), "irreducible loss", "nats/token")
    law = law_from_expression("E + A/params", [level, "A:positive:1,10"])
    assert law.coefs[0] is level
    assert law.starts is None


@pytest.mark.slow
def test_an_expression_recovers_its_coefs_from_starts_of_its_own_and_compiles_once():
    """The linear coefs are solved for, so that nothing need be said of scales that span many decades."""
    law, random = law_from_expression(TEXT, COEFS), np.random.default_rng(7)
    shipped = LAWS.resolve("chinchilla")
    columns = random_columns(shipped, random, 48)
    for turn in range(3):
        truth = random_coefs(shipped, random)
        fit = js.fit(js.simulate(law, truth, columns=columns), law_from_expression(TEXT, COEFS))
        assert fit.status is js.Status.CONVERGED
        np.testing.assert_allclose(list(fit.coefs.values()), list(truth.values()), rtol=1e-6)
        assert turn == 0 or fit.provenance.compile_seconds == 0.0


def test_a_column_whose_name_is_no_word_is_an_input_like_any_other():
    law = law_from_expression("a*`width / depth`**2 + b", ["a:real", "b:real"])
    assert law.inputs == ("width / depth",)
    assert js.predict(law, {"a": 2.0, "b": 1.0}, **{"width / depth": 3.0}) == pytest.approx(19.0)
