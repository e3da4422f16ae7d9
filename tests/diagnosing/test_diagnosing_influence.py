"""Influence: closed forms where the law is linear, real refits where it is not, and runs that are known to be off."""

from dataclasses import replace

import numpy as np
import pytest

import jaxscale as js
from jaxscale.diagnosing.influence import chance_of_worst
from jaxscale.laws import law_from_expression

COLUMNS = {
    "params": np.tile(np.geomspace(1e7, 1e9, 6), 5),
    "tokens": np.repeat(np.geomspace(1e9, 1e11, 5), 6),
}
COEFS = {"E": 1.8, "A": 480.0, "B": 2100.0, "alpha": 0.35, "beta": 0.37}


def simulated(noise=0.01, seed=3):
    return js.simulate("chinchilla", COEFS, columns=COLUMNS, noise=noise, seed=seed)


def fitted(runs, objective="squared"):
    return js.fit(runs, objective=objective)


def codes(diagnosis):
    return {one.code: one for one in diagnosis.findings}


@pytest.fixture(scope="module")
def clean():
    return js.diagnose(fitted(simulated()))


X = np.stack([np.ones(30), np.linspace(-1.0, 2.0, 30) ** 3], axis=1)
LINE = law_from_expression("a + b*x", ["a:real:1", "b:real:1"], name="line")
SQUARED = js.squared(space="linear")


@pytest.fixture(scope="module")
def line():
    """A law that is linear in its coefs, of which everything is known in closed form."""
    loss = 3.0 + 0.4 * X[:, 1] + 0.1 * np.random.default_rng(1).normal(size=30)
    return js.fit(js.Runs.from_arrays(loss=loss, x=X[:, 1], units_ok=True), LINE, objective=SQUARED)


def textbook(y, weight):
    """Return leverages, residuals, and the inverse of X'WX."""
    inverse = np.linalg.inv(X.T @ (weight[:, None] * X))
    return weight * np.einsum("ij,jk,ik->i", X, inverse, X), y - X @ inverse @ X.T @ (weight * y), inverse


def test_a_straight_line_has_the_residuals_leverages_and_changes_of_the_textbook(line):
    """Belsley, Kuh & Welsch 1980, §2.1: hat matrix, deleted studentised residual, b - b(i) = (X'X)⁻¹ x e / (1 - h)."""
    found = js.diagnose(line).influence
    hat, error, inverse = textbook(line.runs.loss, np.ones(30))
    rest = (np.sum(error**2) - error**2 / (1 - hat)) / (30 - 2 - 1)
    np.testing.assert_allclose(found.leverage, hat, rtol=1e-9)
    np.testing.assert_allclose(found.studentised, error / np.sqrt(rest * (1 - hat)), rtol=1e-7)
    np.testing.assert_allclose(found.share, error**2 / np.sum(error**2), rtol=1e-7)
    coefs = inverse @ X.T @ line.runs.loss - (inverse @ X.T).T * (error / (1 - hat))[:, None]
    for mine in (found.coefs, found.refitted):
        np.testing.assert_allclose(np.stack([mine["a"], mine["b"]], axis=1), coefs, rtol=1e-7)


def test_the_distance_of_a_straight_line_is_the_root_of_cooks(line):
    """D = e² h / (p s² (1 - h)²); Cook 1977."""
    found = js.diagnose(line).influence
    hat, error, _ = textbook(line.runs.loss, np.ones(30))
    cook = error**2 * hat / (2 * np.sum(error**2) / 28 * (1 - hat) ** 2)
    np.testing.assert_allclose(found.distance**2, cook, rtol=1e-6)


def test_weights_are_in_leverage_and_weight_zero_is_no_unit(line):
    weight = np.where(np.arange(30) == 4, 2.0, np.where(np.arange(30) == 9, 0.0, 1.0))
    found = js.diagnose(js.fit(replace(line.runs, weight=weight), LINE, objective=SQUARED)).influence
    hat, error, _ = textbook(line.runs.loss, weight)
    counts = weight > 0
    np.testing.assert_allclose(found.leverage, hat[counts], rtol=1e-9)
    np.testing.assert_allclose(found.share, (weight * error**2)[counts] / np.sum(weight * error**2), rtol=1e-7)
    assert [rows[0] for rows in found.rows] == [row for row in range(1, 31) if row != 10]


def test_the_refit_without_a_row_is_the_fit_of_the_others(clean):
    weight = np.where(np.arange(30) == 7, 0.0, 1.0)
    other = fitted(replace(clean.fit.runs, weight=weight))
    mine = {name: column[7] for name, column in clean.influence.refitted.items()}
    np.testing.assert_allclose(list(mine.values()), list(other.coefs.values()), rtol=1e-5)
    best = js.frontier(other, flops=clean.flops)
    np.testing.assert_allclose(clean.influence.params[7], best.params[0], rtol=1e-5)
    np.testing.assert_allclose(clean.influence.loss[7], best.loss[0], rtol=1e-6)


def test_one_newton_step_ends_near_the_refit_where_the_law_bends(clean):
    """An error of second order: within a fifth of the largest change, with thirty runs of 1 % noise."""
    step = np.log(clean.influence.one_step / clean.params)
    refit = np.log(clean.influence.params / clean.params)
    assert np.corrcoef(step, refit)[0, 1] > 0.99
    assert np.max(np.abs(step - refit)) < 0.2 * np.max(np.abs(refit))


def test_the_worst_together_are_refitted_and_the_first_is_the_most_influential(clean):
    assert [len(one.rows) for one in clean.removals] == [1, 2, 3, 4, 5]
    order = clean.to_frame()
    assert clean.removals[0].names[0] == order.index[0]
    one = clean.removals[2]
    weight = np.where(np.isin(clean.fit.runs.row, one.rows), 0.0, 1.0)
    other = fitted(replace(clean.fit.runs, weight=weight))
    np.testing.assert_allclose(list(one.coefs.values()), list(other.coefs.values()), rtol=1e-6)
    assert set(clean.removals[1].rows) < set(one.rows)


def test_a_clean_table_raises_nothing_but_the_distance_of_the_target(clean):
    assert set(codes(clean)) <= {"extrapolation", "simulated-data"}
    assert clean.times_measured == pytest.approx(10.0)


@pytest.mark.parametrize("factor", [1.26, 1 / 1.26, 3.0])
def test_a_run_that_is_mistyped_or_diverged_is_named_with_its_state(factor):
    runs = simulated()
    loss = np.where(np.arange(30) == 11, factor * runs.loss, runs.loss)
    state = np.array(["finished"] * 30, dtype=object)
    state[11] = "crashed"
    found = codes(js.diagnose(fitted(replace(runs, loss=loss, labels={"State": state}), "huber"), worst=0))
    assert found["outlier-leverage"].rows == (12,)
    assert "crashed" in found["outlier-leverage"].message


def test_runs_with_several_rows_are_left_out_whole():
    runs = simulated()
    group = np.array([f"g{at // 3}" for at in range(30)], dtype=object)
    found = js.diagnose(fitted(replace(runs, group=group)), worst=1)
    assert found.unit == "group"
    assert found.influence.rows[1] == (4, 5, 6)
    weight = np.where(group == "g1", 0.0, 1.0)
    other = fitted(replace(runs, weight=weight))
    np.testing.assert_allclose(found.influence.refitted["alpha"][1], other.coefs["alpha"], rtol=1e-5)


def test_what_cannot_be_diagnosed_is_refused(clean):
    with pytest.raises(js.UsageError, match="flops = -1"):
        js.diagnose(clean.fit, flops=-1)
    with pytest.raises(js.UsageError, match="worst = -1"):
        js.diagnose(clean.fit, worst=-1)
    failed = replace(clean.fit, status=js.Status.STALLED)
    with pytest.raises(js.UsageError, match="not a minimum"):
        js.diagnose(failed)


@pytest.mark.parametrize(("worst", "count"), [(1, 20), (3, 60), (5, 240)])
def test_what_the_worst_of_many_move_by_chance_is_that_of_simulated_errors(worst, count):
    """The sum of the largest of so many normal errors, over what is left of them, in standard errors of their mean."""
    drawn = np.sort(np.random.default_rng(0).standard_normal((20_000, count)), axis=1)
    moved = drawn[:, -worst:].sum(axis=1).mean() / (count - worst) * np.sqrt(count)
    assert chance_of_worst(worst, count) == pytest.approx(moved, rel=0.02)
