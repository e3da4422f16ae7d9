"""The pilot study: what is counted and learned, the rule of tuning, and what is predicted of a law that is true."""

import jax
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params
from simulated_study import RULE, rows_of, true_loss

from benchmarks.pilot import ledger, plan, smoke
from benchmarks.pilot.forecast import METHODS, forecast, line_of, runs_of
from benchmarks.pilot.network import CONTEXT, VOCABULARY, Shape, fresh, losses
from benchmarks.pilot.text import Text, text
from benchmarks.pilot.training import Ended, Settings, cut, train

pytestmark = pytest.mark.slow

SHAPE = Shape(2, 24)


def products_of(jaxpr):
    """FLOP of the matrix products of a program, each scan as often as it runs."""
    total = 0
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            (summed, _), _ = equation.params["dimension_numbers"]
            left = equation.invars[0].aval.shape
            total += 2 * int(np.prod(equation.outvars[0].aval.shape)) * int(np.prod([left[axis] for axis in summed]))
        repeats = equation.params.get("length", 1) if equation.primitive.name == "scan" else 1
        for inner in jaxprs_in_params(equation.params):
            total += repeats * products_of(inner)
    return total


def test_params_and_flops_are_those_of_the_program():
    weights = fresh(SHAPE, jax.random.key(0))
    assert sum(leaf.size for leaf in jax.tree.leaves(weights)) == SHAPE.params
    tokens = np.zeros((2, CONTEXT + 1), np.uint8)
    program = jax.make_jaxpr(jax.grad(lambda weights: losses(weights, tokens).mean()))(weights)
    assert products_of(program.jaxpr) == SHAPE.flops_per_token * 2 * CONTEXT


def test_no_byte_is_predicted_from_itself_or_from_later_ones():
    weights = fresh(SHAPE, jax.random.key(1))
    one = np.random.default_rng(0).integers(0, 256, (1, CONTEXT + 1)).astype(np.uint8)
    other = one.copy()
    other[0, 70:] ^= 1
    before, after = (np.asarray(losses(weights, tokens))[0] for tokens in (one, other))
    np.testing.assert_array_equal(before[:69], after[:69])
    assert (before[69:] != after[69:]).all()
    assert before.mean() == pytest.approx(np.log(VOCABULARY), abs=1.0)


def test_a_run_learns_and_is_the_same_again():
    """Bytes that follow from the two before: below the entropy of single bytes after a few steps."""
    cycle = np.tile(np.arange(97, dtype=np.uint8), 2000)
    body = Text(cycle, cycle[:70_000])
    made = Settings(Shape(1, 16), steps=60, batch=4, learning_rate=2e-2, seed=3)
    ended, again = train(made, body), train(made, body)
    assert ended.loss == again.loss < 0.5 * np.log(97)
    assert ended.curve[-1][0] == made.tokens
    assert [tokens for tokens, _ in ended.curve] == sorted({tokens for tokens, _ in ended.curve})
    assert ended.curve[0][1] > ended.curve[-1][1]
    with pytest.raises(ValueError, match="no byte is read twice"):
        train(Settings(Shape(1, 16), steps=400, batch=4, learning_rate=1e-2, seed=0), body)


def test_windows_cover_the_text_once():
    body = np.arange(3 * CONTEXT + 50, dtype=np.uint16)
    windows = cut(body)
    assert windows.shape == (3, CONTEXT + 1)
    np.testing.assert_array_equal(windows[:, 1:].ravel(), body[1 : 3 * CONTEXT + 1])


def test_the_text_is_the_one_that_the_pilot_was_made_with():
    found = text()
    assert len(found.training) > 20_000_000
    most = max(made.tokens for _, made in plan.holding_back(plan.Rule(16, (0.0, 0.0, 0.0))))
    assert most < len(found.training)


def test_a_row_says_what_decided_its_run():
    made = Settings(SHAPE, steps=77, batch=16, learning_rate=0.0031, seed=2)
    row = ledger.row_of(made, Ended(1.5, (), 2.0), stage="fit", budget=1.5e11, device="cpu", commit="x")
    assert ledger.settings_of(row) == made
    assert int(row["flops"]) == int(row["tokens"]) * SHAPE.flops_per_token


def test_the_rule_is_the_one_that_the_losses_were_made_with():
    def law(made):
        best = np.log(1.6e-2) - 0.2 * np.log(made.shape.params / 2e4) - 0.1 * np.log(made.steps / 500)
        return 2.0 + 0.05 * (np.log(made.learning_rate) - best) ** 2 + 0.01 * abs(np.log(made.batch / 8))

    rule = plan.rule_of(rows_of(law, plan.tuning(), "tune"))
    assert rule.batch == 8
    np.testing.assert_allclose(rule.coefs[1:], [-0.2, -0.1], atol=1e-3)
    for _, made in plan.fitting(rule):
        best = 1.6e-2 * (made.shape.params / 2e4) ** -0.2 * (made.steps / 500) ** -0.1
        assert made.learning_rate == pytest.approx(best, rel=0.05)  # written with two digits


def test_every_budget_is_spent_to_a_percent_and_its_sizes_differ():
    for budget, made in (*plan.fitting(plan.Rule(16, (0, 0, 0))), *plan.holding_back(plan.Rule(16, (0, 0, 0)))):
        assert made.flops == pytest.approx(budget, rel=0.01)
    for budget in (*plan.BUDGETS, *plan.HELD_BACK):
        params = [shape.params for shape in plan.sizes(budget)]
        assert params == sorted(set(params))
        assert len(params) == 7


def test_a_true_law_is_predicted_and_its_noise_covered():
    """Simulated studies with 1 % noise: 90 % intervals hold 82 to 97 % of 14 runs in the mean of twelve studies."""
    asked = {ledger.name_of(made, budget): made for budget, made in plan.holding_back(RULE)}
    inside = dict.fromkeys(METHODS, 0)
    for study in range(12):
        random = np.random.default_rng(study)
        noisy = lambda made, random=random: true_loss(made) * np.exp(0.01 * random.standard_normal())  # noqa: E731
        found = forecast(runs_of(rows_of(noisy, plan.fitting(RULE))), asked, (), replicates=500)
        for name, made in asked.items():
            measured = noisy(made)
            for method, (low, high) in found.losses[name].intervals.items():
                inside[method] += low <= measured <= high
    for method, count in inside.items():
        assert 0.82 <= count / (12 * len(asked)) <= 0.97, method


def test_the_best_size_is_that_of_the_law_on_the_budgets_own_line():
    found = forecast(runs_of(rows_of(true_loss, plan.fitting(RULE))), {}, plan.HELD_BACK)
    for budget, limits in found.best.items():
        line = line_of(budget)
        at = np.argmin(1.0 + 40.0 * line["params"] ** -0.4 + 90.0 * line["tokens"] ** -0.35)
        assert limits.value == pytest.approx(line["params"][at], rel=0.01)


def test_the_smoke_test_takes_three_sizes_of_the_smallest_budget_and_the_widest_range_of_seeds():
    rows = rows_of(lambda made: 2.0 + 0.003 * made.seed, plan.fitting(RULE))
    chosen = smoke.chosen(rows)
    middle = [shape.params for shape in plan.sizes(plan.BUDGETS[0])][2:5]
    assert [int(row["params"]) for row in chosen] == middle
    assert smoke.seed_spread(rows) == pytest.approx(0.006)
