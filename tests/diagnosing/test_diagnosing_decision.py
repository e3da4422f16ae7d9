"""What the answer rests on: closed forms, and for each code a table that raises it and one that does not."""

from dataclasses import replace

import numpy as np
import pytest
from test_diagnosing_influence import COEFS, COLUMNS, LINE, SQUARED, X, codes, fitted, simulated

import jaxscale as js
from jaxscale.diagnosing.decision import alternatives_of
from jaxscale.diagnosing.decision_messages import findings_of_decision
from jaxscale.diagnosing.messages import findings_of_diagnosis
from jaxscale.fitting import run_residuals
from jaxscale.results import Alternative, Minimum


@pytest.fixture(scope="module")
def clean():
    return js.diagnose(fitted(simulated(noise=0.002)), worst=0)


@pytest.fixture(scope="module")
def noisy():
    return js.diagnose(fitted(simulated(noise=0.1)), worst=0)


def best(theta, flops):
    """ln N at the optimum of Chinchilla's law, in closed form.   Source: Hoffmann et al. 2022, eq. 4."""
    _, A, B, alpha, beta = theta
    return (np.log(alpha * A / (beta * B)) + beta * np.log(flops / 6.0)) / (alpha + beta)


def test_a_size_has_the_standard_error_of_the_delta_method(clean):
    theta, covariance = np.array(list(clean.fit.coefs.values())), clean.fit.covariance
    steps = 1e-6 * np.diag(theta)
    slope = [(best(theta + one, clean.flops) - best(theta - one, clean.flops)) / (2.0 * one.sum()) for one in steps]
    found = {one.name: one for one in clean.quantities}
    std = np.sqrt(np.array(slope) @ covariance @ np.array(slope))
    assert found["params"].value == pytest.approx(np.exp(best(theta, clean.flops)), rel=1e-6)
    assert found["params"].std == pytest.approx(std, rel=1e-4)
    assert found["tokens"].std == pytest.approx(std, rel=1e-4)  # ln D = ln C / 6 - ln N
    assert found["tokens_per_param"].std == pytest.approx(2.0 * std, rel=1e-4)
    assert found["params"].high / found["params"].value == pytest.approx(np.exp(2.0595 * std), rel=1e-3)  # t(25)


def test_a_decision_that_the_runs_leave_open_is_named_with_what_is_known(clean, noisy):
    assert all(one.is_identified for one in clean.quantities)
    assert "decision-open" not in codes(clean)
    assert not {one.name: one for one in noisy.quantities}["tokens_per_param"].is_identified
    assert "tokens per param" in codes(noisy)["decision-open"].message


def test_the_direction_in_which_coefs_are_free_is_named(clean, noisy):
    """The largest eigenvalue of the covariance on the real line, where all coefs are logarithms."""
    theta = np.array(list(noisy.fit.coefs.values()))
    values, vectors = np.linalg.eigh(noisy.fit.covariance / np.outer(theta, theta))
    assert noisy.weakest_std == pytest.approx(np.sqrt(values[-1]), rel=1e-6)
    largest = noisy.fit.law.names[int(np.argmax(np.abs(vectors[:, -1])))]
    assert f"ln {largest}" in noisy.weakest
    assert noisy.weakest in codes(noisy)["weak-direction"].message
    assert "weak-direction" not in codes(clean)


def test_the_floor_carries_the_answer_where_its_error_moves_it(clean, noisy):
    assert "floor-carries" not in codes(clean)
    assert abs(noisy.floor_pull) > 0.3
    assert "floor E" in codes(noisy)["floor-carries"].message


def test_another_minimum_says_what_it_would_recommend(clean):
    """Coefs of another law in place of a minimum: the frontier of these coefs is the witness."""
    other = {**COEFS, "alpha": 0.30, "beta": 0.40}
    certificate = replace(clean.fit.certificate, other_minima=(Minimum(1.001 * clean.fit.value, other, 3),))
    from jaxscale.diagnosing.influence import Measure
    from jaxscale.diagnosing.target import target_of

    fit = replace(clean.fit, certificate=certificate)
    measure = Measure(target_of(fit, clean.flops, None), None, None, None, 0.0, None)
    found = alternatives_of(fit, measure)
    front = js.frontier(law="chinchilla", coefs=other, flops=clean.flops)
    assert found[0].tokens_per_param == pytest.approx(front.tokens_per_param[0], rel=1e-6)
    assert found[0].loss == pytest.approx(front.loss[0], rel=1e-9)
    assert found[0].is_plausible
    assert clean.alternatives == ()
    assert "minima-disagree" not in codes(clean)
    said = {one.code for one in findings_of_decision(replace(clean, alternatives=found))}
    assert "minima-disagree" in said


@pytest.mark.parametrize(("excess", "ratio"), [(2.0, 3.0), (0.001, 1.01)])
def test_a_minimum_that_errors_exclude_or_that_recommends_the_same_is_no_finding(clean, excess, ratio):
    rate = ratio * clean.tokens_per_param
    other = Alternative(excess, 3, clean.fit.coefs, clean.params, rate, clean.loss, is_plausible=excess < 1.0)
    assert "minima-disagree" not in {one.code for one in findings_of_decision(replace(clean, alternatives=(other,)))}


def test_the_width_by_groups_is_that_of_two_sandwiches():
    """Liang & Zeger 1986, written out for a straight line whose errors are common to a group."""
    random = np.random.default_rng(6)
    code = np.arange(30) // 5
    loss = 3.0 + 0.4 * X[:, 1] + 0.1 * random.standard_normal(6)[code] + 0.02 * random.standard_normal(30)
    group = np.array([f"g{one}" for one in code], dtype=object)
    runs = js.Runs.from_arrays(loss=loss, x=X[:, 1], group=group, units_ok=True)
    found = js.diagnose(js.fit(runs, LINE, objective=SQUARED), worst=0)
    bread = np.linalg.inv(X.T @ X)
    score = X * (loss - X @ bread @ X.T @ loss)[:, None]
    sums = np.stack([score[code == one].sum(axis=0) for one in range(6)])
    ratio = np.diag(bread @ sums.T @ sums @ bread) * 6 / 5 / np.diag(bread @ score.T @ score @ bread)
    assert found.unit == "group"
    np.testing.assert_allclose([found.group_width["a"], found.group_width["b"]], np.sqrt(ratio), rtol=1e-6)
    assert f"{max(np.sqrt(ratio)):.2g} times" in codes(found)["run-correlation"].message


def test_the_effect_of_a_trend_is_the_loss_that_a_law_with_it_would_predict():
    """Runs that follow the law times exp(g z) exactly: with the term the prediction is theirs, to first order in g."""
    flops = 6.0 * COLUMNS["params"] * COLUMNS["tokens"]
    z = (np.log(flops) - np.log(flops).mean()) ** 2
    runs = simulated(noise=0.0)
    runs = replace(runs, loss=runs.loss * np.exp(2e-4 * z))
    found = js.diagnose(fitted(runs), worst=0)
    effect = {one.name: one.effect for one in found.tests if one.kind == "trend"}["(ln flops)²"]
    beyond = (np.log(found.flops) - np.log(flops).mean()) ** 2
    tokens = found.params * found.tokens_per_param
    law = COEFS["E"] + COEFS["A"] * found.params ** -COEFS["alpha"] + COEFS["B"] * tokens ** -COEFS["beta"]
    assert found.loss * (1.0 + effect) == pytest.approx(law * np.exp(2e-4 * beyond), rel=1e-4)
    assert abs(law * np.exp(2e-4 * beyond) / found.loss - 1.0) > 5e-4


def test_a_trend_is_told_where_it_moves_the_answer_and_not_where_it_does_not():
    x, y = (np.log(COLUMNS[name]) - np.log(COLUMNS[name]).mean() for name in ("params", "tokens"))
    runs = simulated(noise=0.002)
    fit = fitted(replace(runs, loss=runs.loss * np.exp(0.02 * x * y)))
    found = js.diagnose(fit, worst=0)
    assert "times the standard deviation of a new run" in codes(found)["residual-trend"].message
    error = next(one.std for one in found.quantities if one.name == "loss")
    band = 2.0 * np.hypot(error, np.std(run_residuals(fit)))
    small = [replace(one, effect=0.99 * band) if one.kind == "trend" else one for one in found.tests]
    assert any(one.is_found for one in small if one.kind == "trend")
    said = findings_of_diagnosis(replace(found, tests=tuple(small)), (), (), None)
    assert "residual-trend" not in {one.code for one in said}
