"""Designs that do not carry a law: recognised from the table, refused with what is left, and never by luck of a start.

All tables have 30 rows, so that they share the programs of one law and one objective.
"""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jaxscale as js
from jaxscale.fitting import reduced
from jaxscale.fitting.collinearity import design_of
from jaxscale.fitting.nullspace import null_space_of
from jaxscale.laws import LAWS, law_from_expression
from jaxscale.status import Status

CHINCHILLA = LAWS.resolve("chinchilla")
COEFS = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}
ROWS = 30
PARAMS = np.geomspace(3e7, 3e10, ROWS)
TOKENS = 10 ** np.random.default_rng(4).uniform(9, 11.5, ROWS)


def digits(values, count):
    return np.array([float(f"{value:.{count - 1}e}") for value in values])


def table(params, tokens, noise=0.01, seed=1):
    return js.simulate("chinchilla", COEFS, columns={"params": params, "tokens": tokens}, noise=noise, seed=seed)


def messages(fit):
    return {finding.code: finding.message for finding in fit.findings}


RAYS = {
    "exact": (PARAMS, 20 * PARAMS, "tokens = 20 params"),
    "whole tokens": (PARAMS, np.round(20 * PARAMS), "tokens = 20 params"),
    "three digits": (digits(PARAMS, 3), digits(20 * PARAMS, 3), "tokens = 20 params"),
    "another exponent": (PARAMS, 300 * PARAMS**0.7, "tokens = 300 params^0.7"),
}


@pytest.mark.parametrize("starts", [None, COEFS], ids=["grid", "truth"])
@pytest.mark.parametrize("ray", RAYS)
def test_separate_exponents_on_a_ray_are_refused_whatever_the_start(ray, starts):
    params, tokens, said = RAYS[ray]
    fit = js.fit(table(params, tokens), starts=starts)
    assert fit.status is Status.SINGULAR
    assert fit.unidentified == CHINCHILLA.names
    assert all(error is None for error in fit.std.values())
    assert messages(fit)["collinear-design"].startswith(f"{said} in all 30 runs, so that E, A, B, alpha and beta")
    assert "law 'power'" in messages(fit)["collinear-design"]


def test_rows_of_weight_zero_do_not_lift_a_table_off_its_ray():
    weight = np.where(np.arange(ROWS) % 5 == 0, 0.0, 1.0)
    tokens = np.where(weight > 0, 20 * PARAMS, TOKENS)
    whole = table(PARAMS, tokens)
    runs = js.Runs.from_arrays(params=PARAMS, tokens=tokens, loss=whole.loss, weight=weight)
    assert js.fit(whole).is_usable
    assert "tokens = 20 params in all 24 runs" in messages(js.fit(runs))["collinear-design"]


def test_the_loss_along_the_ray_is_that_of_the_law_of_compute():
    """On D = 20 N with alpha = beta Chinchilla's law is E + (A + B / 20^alpha) (C / 120)^(-alpha / 2) exactly."""
    tied = {"E": 1.8, "A": 400.0, "B": 900.0, "alpha": 0.34, "beta": 0.34}
    runs = js.simulate("chinchilla", tied, columns={"params": PARAMS, "tokens": 20 * PARAMS})
    left = reduced(js.fit(runs))
    assert left.law.name == "power"
    assert left.status is Status.CONVERGED
    want = [1.8, (400.0 + 900.0 / 20**0.34) * 120**0.17, 0.17]
    np.testing.assert_allclose(list(left.coefs.values()), want, rtol=1e-6)


def test_a_fit_that_is_identified_is_not_reduced():
    fit = js.fit(table(PARAMS, TOKENS))
    assert fit.is_usable
    assert fit.unidentified == ()
    assert not {"collinear-design", "nearly-collinear"} & set(messages(fit))
    assert reduced(fit) is None


@pytest.mark.parametrize(
    ("params", "tokens", "lost", "law", "kept"),
    [
        (np.full(ROWS, 1e9), TOKENS, ("E", "A", "alpha"), "power-tokens", ("B", "beta")),
        (PARAMS, np.full(ROWS, 2e10), ("E", "B", "beta"), "power-params", ("A", "alpha")),
    ],
    ids=["one size", "one length"],
)
def test_one_size_or_one_length_names_the_coefs_that_are_lost_and_keeps_the_others(params, tokens, lost, law, kept):
    fit = js.fit(table(params, tokens))
    assert fit.status is Status.SINGULAR
    assert fit.unidentified == lost
    left = reduced(fit)
    assert left.law.name == law
    scale, exponent = (fit.coefs[name] for name in kept)
    assert [scale, exponent] == pytest.approx([left.coefs["A"], left.coefs["alpha"]], rel=1e-4)  # flat: 1e-8 in value


def test_a_table_of_one_point_is_refused_and_nothing_is_left():
    loss = 2.0 + 0.01 * np.random.default_rng(0).standard_normal(ROWS)
    fit = js.fit(js.Runs.from_arrays(params=np.full(ROWS, 1e9), tokens=np.full(ROWS, 1e10), loss=loss))
    assert fit.unidentified == CHINCHILLA.names
    assert reduced(fit) is None


def of_product(params, tokens, *, E, K, gamma):
    return E + K * jnp.exp(-gamma * (jnp.log(params) + jnp.log(tokens)))


def test_a_law_that_needs_no_other_direction_than_the_ray_is_fitted_there():
    coefs = tuple(js.Coef(name, starts=starts) for name, starts in (("E", (1.0,)), ("K", (100.0,)), ("gamma", (0.1,))))
    law = js.Law("of-product", of_product, ("params", "tokens"), coefs)
    truth = {"E": 1.7, "K": 900.0, "gamma": 0.16}
    fit = js.fit(js.simulate(law, truth, columns={"params": PARAMS, "tokens": 20 * PARAMS}), law)
    assert fit.status is Status.CONVERGED
    assert fit.unidentified == ()
    np.testing.assert_allclose(list(fit.coefs.values()), list(truth.values()), rtol=1e-6)


@pytest.mark.slow
def test_given_exponents_leave_a_linear_problem_that_is_solved_on_the_ray_with_a_warning():
    runs = table(PARAMS, 20 * PARAMS, noise=0.0003)
    fit = js.fit(runs, objective=js.squared(space="linear"), fix={"alpha": 0.35, "beta": 0.37})
    columns = np.stack([np.ones(ROWS), PARAMS**-0.35, (20 * PARAMS) ** -0.37], axis=1)
    best = np.linalg.lstsq(columns / columns.max(axis=0), runs.loss, rcond=None)[0] / columns.max(axis=0)
    assert (best > 0).all()  # or the comparison would be with another problem
    np.testing.assert_allclose([fit.coefs[name] for name in "EAB"], best, rtol=1e-6)
    assert "rest on the shape of one curve" in messages(fit)["collinear-design"]


def test_a_ray_that_scatters_is_fitted_and_said_to_be_one():
    tokens = 20 * PARAMS * np.exp(0.1 * np.random.default_rng(2).standard_normal(ROWS))
    fit = js.fit(table(PARAMS, tokens, noise=0.0))
    assert "params and tokens vary together" in messages(fit)["nearly-collinear"]


@given(
    scale=st.floats(1e-3, 1e3),
    power=st.floats(-2.0, 2.0).filter(lambda power: abs(power) > 0.05),
    written=st.sampled_from([3, 4, 16]),
)
def test_a_power_of_another_input_is_found_through_the_rounding_of_its_digits(scale, power, written):
    tokens = digits(scale * PARAMS**power, written)
    runs = js.Runs.from_arrays(params=digits(PARAMS, written), tokens=tokens, loss=np.linspace(3, 2, ROWS))
    (tie,) = design_of(runs, CHINCHILLA).ties
    assert tie.name == "tokens"
    on_tie = tie.scale * np.multiply.reduce([runs[name] ** one for name, one in tie.powers.items()])
    # both columns are off by half a last digit at most; an exponent that rounds to a whole number may be that number
    off = 10.0 ** (1 - written) if abs(power - round(power)) > 0.02 else 10.0**-2
    assert np.sqrt(np.mean(np.log(on_tie / tokens) ** 2)) <= 0.5 * (1 + abs(power)) * off + 1e-9


@given(st.integers(0, 10_000))
def test_inputs_that_vary_on_their_own_are_never_tied(seed):
    random = np.random.default_rng(seed)
    runs = js.Runs.from_arrays(
        params=10 ** random.uniform(7, 9, 12), tokens=10 ** random.uniform(9, 11, 12), loss=random.uniform(2, 3, 12)
    )
    design = design_of(runs, CHINCHILLA)
    assert design.ties == ()
    assert design.moving == ("params", "tokens")


def test_two_sizes_leave_one_combination_open_and_it_is_named():
    fit = js.fit(table(np.where(np.arange(ROWS) % 2, 1e9, 1e8), TOKENS))
    assert fit.status is Status.SINGULAR
    assert fit.unidentified == ("E", "A", "alpha")
    assert "the runs determine 4 of 5 combinations of coefs (condition number " in messages(fit)["rank-deficient"]
    assert all(error is None for error in fit.std.values())


@pytest.mark.slow
def test_a_coef_of_which_no_run_has_anything_to_say_is_named_and_has_no_value():
    """What it scales begins beyond the runs. It is at no edge: where it stands is where the start was."""
    beyond = "E + A*params**-alpha + R*max(log(tokens) - 40, 0)"
    law = law_from_expression(beyond, ["E:positive", "A:positive", "alpha:positive:0.3", "R:positive:1"])
    fit = js.fit(table(PARAMS, TOKENS), law)
    assert fit.status is Status.SINGULAR
    assert fit.unidentified == ("R",)
    assert "3 of 4 combinations of coefs (condition number inf): R can move" in messages(fit)["rank-deficient"]
    held = js.fit(table(PARAMS, TOKENS), law, fix={"R": 1.0})
    assert held.status is Status.CONVERGED


def test_the_direction_without_effect_is_the_null_vector_of_the_jacobian():
    """Columns (a, 2a, b): ln A by 2 and ln B by -1 change nothing; in unit length that is 0.89 and -0.45."""
    a, b = np.random.default_rng(3).standard_normal((2, 9))
    coefs = (js.Coef("A"), js.Coef("B"), js.Coef("level", "real"))
    null_space = null_space_of(np.stack([a, 2 * a, b], axis=1), np.array([True, True, False]), 1.0, coefs)
    assert null_space.rank == 2
    assert null_space.directions == ("0.89 ln A - 0.45 ln B",)
    assert null_space.coefs == ("A", "B")
    assert null_space.condition > 1e14
