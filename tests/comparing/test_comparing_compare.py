"""Laws judged by what they extrapolate: every score is recomputed with NumPy and SciPy from the predictions."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import t as student
from six_budgets import COEFS

import jaxscale as js
from jaxscale.comparing import backtest, difference
from jaxscale.comparing.compare import asked_of
from jaxscale.comparing.cutting import only
from jaxscale.comparing.weighing import stacking_weights
from jaxscale.results.mixtures import Predictive, quantile_of

LAWS = ("kaplan", "chinchilla")


@pytest.mark.slow
def test_the_law_that_made_the_runs_extrapolates_best(found):
    assert [one.law.name for one in found.scores] == ["chinchilla", "kaplan"]
    best, other = found.scores
    assert best.root_mean_square < 0.5 * other.root_mean_square
    assert best.log_score > other.log_score
    assert best.weight > 0.9
    assert best.aicc < other.aicc
    assert best.regret < 0.01
    assert abs(best.compute_error) < abs(other.compute_error)
    assert abs(best.coverage[0] - found.level) < 0.15
    assert found.failed == {}
    assert found.left_out == {}


@pytest.mark.slow
def test_the_scores_are_those_of_numpy_from_the_predictions(found, runs):
    for one in found.scores:
        errors, inside, density = [], [], []
        for test in one.backtests:
            np.testing.assert_array_equal(np.sort(test.rows), np.flatnonzero(found.size > test.cut * (1 + 1e-9)))
            np.testing.assert_array_equal(test.loss, runs.loss[test.rows])
            columns = {name: runs[name][test.rows] for name in one.law.inputs}
            np.testing.assert_allclose(test.prediction, js.predict(test.fit, **columns), rtol=1e-12)
            target, part = np.log(test.loss), test.predictive
            errors.append(np.log(test.prediction) - target)
            score = student.pdf((target - part.mean) / part.spread, part.dof) / part.spread
            density.append(np.log(score.mean(axis=0)))
            below = student.cdf((target - part.mean) / part.spread, part.dof).mean(axis=0)
            inside.append((below >= 0.05) & (below <= 0.95))
            kept = test.fit.runs.weight > 0
            own = np.log(js.predict(test.fit, params=runs["params"], tokens=runs["tokens"]) / runs.loss)
            own = own[found.size <= test.cut * (1 + 1e-9)]
            assert part.spread == pytest.approx(np.sqrt(np.sum(own**2) / (kept.sum() - len(test.fit.free))), rel=1e-9)
        errors, inside, density = map(np.concatenate, (errors, inside, density))
        assert one.root_mean_square == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-10)
        assert one.mean_error == pytest.approx(errors.mean(), rel=1e-8)
        assert one.log_score == pytest.approx(density.mean(), rel=1e-10)
        share = inside.mean()
        near, total = (inside.sum() + 1) / (len(inside) + 2), len(inside) + 2
        assert one.coverage == pytest.approx((share, np.sqrt(near * (1 - near) / total)))


@pytest.mark.slow
def test_the_regret_is_that_of_a_closed_form(found):
    """Hoffmann et al. 2022, eq. 4: the optimum at the largest compute under the first law's fit to all runs."""
    truth, budget = found.best.fit.coefs, found.size.max()

    def loss(params):
        tokens = budget / 6 / params
        return truth["E"] + truth["A"] * params ** -truth["alpha"] + truth["B"] * tokens ** -truth["beta"]

    total, ratio = truth["alpha"] + truth["beta"], truth["alpha"] * truth["A"] / (truth["beta"] * truth["B"])
    best = ratio ** (1 / total) * (budget / 6) ** (truth["beta"] / total)
    for one in found.scores:
        for test in one.backtests:
            assert test.regret == pytest.approx(loss(test.params) - loss(best), abs=1e-10)


@pytest.mark.slow
def test_the_error_in_equivalent_compute_is_by_the_slope_of_the_frontier(found):
    """On Chinchilla's frontier γ (L - E) with γ = αβ/(α + β): the frontier's own values give it to a per cent."""
    test = found.best.backtests[0]
    coefs = test.fit.coefs
    gamma = coefs["alpha"] * coefs["beta"] / (coefs["alpha"] + coefs["beta"])
    front = js.frontier(test.fit, flops=test.size)
    expected = (test.prediction - test.loss) / (gamma * (front.loss - coefs["E"]))
    np.testing.assert_allclose(test.compute, expected, rtol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("poison", [np.nan, 1e-9, 1e9])
@pytest.mark.parametrize("law", LAWS)
def test_what_was_held_out_has_no_part_in_the_fits(found, runs, poison, law):
    """All runs above the first cut-off but one are poisoned; the fit below it and its replicates stay, to the bit."""
    cut = float(found.cuts[0])
    above = np.flatnonzero(found.size > cut * (1 + 1e-9))
    loss = runs.loss.copy()
    loss[above[:-1]] = poison
    asked = asked_of(replace(runs, loss=loss), [js.LAWS.resolve(law)], "huber", "pairs", 100, 0, 0.9)
    after = backtest(js.LAWS.resolve(law), cut, asked)
    before = next(one for one in found.scores if one.law.name == law).backtests[0]
    assert before.fit.coefs == after.fit.coefs
    assert before.params == after.params
    np.testing.assert_array_equal(before.predictive.mean[:, -1], after.predictive.mean[:, -1])
    assert len(after.rows) == (1 if np.isnan(poison) else len(above))


@pytest.mark.slow
def test_runs_whose_loss_is_not_a_number_are_not_scored(found, runs):
    cut = float(found.cuts[0])
    above = np.flatnonzero(found.size > cut * (1 + 1e-9))
    loss = runs.loss.copy()
    loss[above[::2]] = np.nan
    (one,) = js.compare(replace(runs, loss=loss), ["chinchilla"], replicates=100, cuts=[cut]).scores
    assert one.backtests[0].fit.coefs == found.best.backtests[0].fit.coefs
    np.testing.assert_array_equal(one.backtests[0].rows, above[1::2])
    assert np.isfinite([one.root_mean_square, one.log_score, one.aicc, one.regret]).all()


@pytest.mark.slow
def test_the_weights_are_those_of_a_general_solver_and_beat_every_single_law(found):
    density = np.stack([np.concatenate([t.log_density for t in one.backtests]) for one in found.scores], axis=1)
    assert sum(found.weights) == pytest.approx(1.0)
    assert min(found.weights) >= 0
    mixed = np.log(np.exp(density) @ found.weights).sum()
    assert mixed >= density.sum(axis=0).max() - 1e-6
    decision = js.decide(found.ensembles, weights=found.weights, flops=1e22)
    assert decision.best.expected()[0] >= 0


@pytest.mark.slow
def test_the_difference_of_two_laws_is_over_runs_with_all_their_back_tests(found):
    told = difference(found, "chinchilla", "kaplan", level=0.9)
    first, second = found.scores
    assert told.log_score[0] == pytest.approx(first.log_score - second.log_score)
    assert told.root_mean_square[0] == pytest.approx(first.root_mean_square - second.root_mean_square)
    rows = np.concatenate([test.rows for test in first.backtests])
    gain = np.concatenate(
        [a.log_density - b.log_density for a, b in zip(first.backtests, second.backtests, strict=True)]
    )
    names = np.unique(rows)
    random = np.random.default_rng(9)
    means = []
    for _ in range(2000):
        drawn = random.choice(names, len(names))
        means.append(np.mean(np.concatenate([gain[rows == row] for row in drawn])))
    low, high = np.quantile(means, [0.05, 0.95])
    width = high - low  # Monte-Carlo error of a 5 % quantile of some thousand draws is a few per cent of this
    assert told.log_score[1].lower == pytest.approx(low, abs=0.08 * width)
    assert told.log_score[1].upper == pytest.approx(high, abs=0.08 * width)
    back = difference(found, "kaplan", "chinchilla")
    assert back.log_score[0] == pytest.approx(-told.log_score[0])
    with pytest.raises(js.UsageError, match="unknown law 'farseer'"):
        difference(found, "farseer", "kaplan")


def test_stacking_is_the_maximum_of_a_general_solver():
    density = np.random.default_rng(4).normal(size=(80, 3)) + np.array([0.0, 0.3, -0.5])
    weights = stacking_weights(density)

    def negative(logits):
        share = np.exp(logits - logits.max())
        return -np.log(np.exp(density) @ (share / share.sum())).sum()

    best = minimize(negative, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).fun
    assert -np.log(np.exp(density) @ weights).sum() == pytest.approx(best, abs=1e-6)
    assert weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(stacking_weights(np.array([[0.0, -5.0], [0.0, -9.0]])), [1.0, 0.0], atol=1e-6)


def test_quantiles_of_a_mixture_have_their_share_below_them():
    random = np.random.default_rng(1)
    parts = [Predictive(random.normal(size=(30, 4)), 0.3, 5.0), Predictive(random.normal(1, 1, (20, 4)), 0.1, 40.0)]
    weights = np.array([0.3, 0.7])
    for share in (0.01, 0.5, 0.95):
        at = quantile_of(parts, weights, share)
        below = [student.cdf((at - part.mean) / part.spread, part.dof).mean(axis=0) for part in parts]
        np.testing.assert_allclose(weights @ below, share, atol=1e-9)
        means = quantile_of(parts, weights, share, has_errors=False)
        mass = [(part.mean <= means).mean(axis=0) for part in parts]
        assert (weights @ mass >= share - 1e-12).all()


@pytest.mark.slow
def test_the_combined_band_is_as_wide_as_the_back_tests_demand(found):
    """The half width is the conformal factor times ln(C/C_max), of a factor of two at least, here written out."""
    columns = {"params": np.array([1e9, 1e10, 1e11]), "tokens": np.array([2e10, 2e11, 2e12])}
    plain = found.predict(level=0.8, is_widened=False, **columns)
    wide = found.predict(level=0.8, **columns)
    reach = np.maximum(np.log(6 * columns["params"] * columns["tokens"] / found.size.max()), np.log(2))
    rule = found.calibration
    half = rule.factor(0.8) * reach
    np.testing.assert_allclose(
        np.log(wide.upper), np.maximum(np.log(plain.upper), np.log(plain.centre) + half), rtol=1e-6
    )
    np.testing.assert_allclose(
        np.log(wide.lower), np.minimum(np.log(plain.lower), np.log(plain.centre) - half), rtol=1e-6
    )
    assert rule.factor(0.999) == np.inf
    truth = COEFS["E"] + 480 * columns["params"] ** -0.35 + 2100 * columns["tokens"] ** -0.37
    assert ((wide.lower < truth) & (truth < wide.upper)).all()
    with pytest.raises(js.UsageError, match="needs tokens too"):
        found.predict(params=1e9)


@pytest.mark.slow
def test_the_rule_holds_its_share_of_the_back_tests(found):
    """By its construction: each run counts once, by the share of its back-tests that lie within."""
    inside, rows = [], []
    for place in range(len(found.cuts)):
        reach, _, error = found.back_tested(place)
        inside.append(np.abs(error) <= found.calibration.half_width(reach, 0.8))
        rows.append(found.best.backtests[place].rows)
    inside, rows = np.concatenate(inside), np.concatenate(rows)
    assert found.calibration.groups == len(np.unique(rows))
    assert np.mean([inside[rows == row].mean() for row in np.unique(rows)]) >= 0.8


@pytest.mark.slow
def test_on_over_trained_runs_the_law_of_over_training_extrapolates_better(shared_data):
    """The 35 runs of Gadre et al. 2024 on RedPajama, at 5 to 640 tokens per param.

    So it is on their C4; on RefinedWeb, with the default cut-offs, Chinchilla's law has the least error.
    """
    runs = js.read_runs(shared_data / "gadre_overtrain.csv", where=["experiment == 'rpj'"])
    found = js.compare(runs, ["chinchilla", "overtraining"], replicates=100, cuts=2)
    assert [one.law.name for one in found.scores] == ["overtraining", "chinchilla"]
    assert found.best.root_mean_square < 0.02
    assert found.best.regret < found.scores[1].regret


@pytest.mark.slow
def test_on_its_own_runs_farseers_law_extrapolates_better(shared_data):
    """The public split of Li et al. 2025: 404 runs, eight sizes of 2e8 to 6.4e9 params, each at many lengths."""
    runs = js.read_runs(shared_data / "farseer_train.csv", units_ok=True)
    found = js.compare(runs, ["chinchilla", "farseer"], replicates=64, cuts=2)
    assert [one.law.name for one in found.scores] == ["farseer", "chinchilla"]
    assert found.best.root_mean_square < 0.5 * found.scores[1].root_mean_square
    assert found.best.log_score > found.scores[1].log_score


def test_a_table_of_some_rows_keeps_nothing_of_the_others(runs):
    part = only(runs, np.arange(10, 30))
    assert len(part) == len(runs)
    assert set(part.loss) <= set(runs.loss[10:30])
    np.testing.assert_array_equal(part.weight, np.repeat([1.0, 0.0], [20, 40]))


@pytest.mark.slow
def test_a_law_that_cannot_be_fitted_is_listed_with_its_reason(runs):
    found = js.compare(runs, ["chinchilla", "data-constrained"], replicates=100, cuts=1)
    assert [one.law.name for one in found.scores] == ["chinchilla"]
    assert "unique_tokens" in found.failed["data-constrained"]


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"laws": []}, js.UsageError, "at least one"),
        ({"laws": ["chinchila"]}, js.UsageError, "Did you mean 'chinchilla'"),
        ({"laws": ["skaling", "nested-gamma"]}, js.UsageError, "given twice"),
        ({"replicates": 1}, js.UsageError, "from 2 on"),
        ({"level": 90}, js.UsageError, "write 0.9"),
        ({"cuts": 0}, js.UsageError, "neither a positive number"),
        ({"cuts": "half"}, js.UsageError, "neither a positive number"),
        ({"cuts": [1e30]}, js.UsageError, "0 above it"),
        ({"cuts": [1e18]}, js.UsageError, "over a factor of 1 below it"),
        ({"scheme": "jackknife"}, js.UsageError, "jackknife"),
        ({"seed": -1}, js.UsageError, "seed"),
    ],
)
def test_impossible_values_are_refused(runs, given, error, message):
    with pytest.raises(error, match=message):
        js.compare(runs, **{"laws": ["chinchilla"], **given})


def test_a_table_of_one_budget_is_refused():
    params = np.geomspace(1e8, 1e9, 12)
    runs = js.Runs.from_arrays(params=params, tokens=1e20 / 6 / params, loss=3 - np.linspace(0, 0.3, 12))
    with pytest.raises(js.RunsError, match="no cut-off in compute"):
        js.compare(runs, ["chinchilla"])
