"""Rows that are off, on residuals and their Jacobian alone: a power law in NumPy, so that nothing is compiled."""

import warnings

import numpy as np
import pytest

from jaxscale.fitting.outliers import at_point, descended, outlying

TRUTH = np.log([1.8, 480.0, 2100.0, 0.35, 0.37])
NOISE = 0.004
NEAR = [TRUTH + shift for shift in ((0.3, -1.0, 1.0, -0.3, 0.2), (-0.5, 0.5, 0.5, 0.1, -0.2))]


def design(count, random):
    return 10 ** random.uniform(7.5, 10, count), 10 ** random.uniform(9, 11.5, count)


def terms(point, params, tokens):
    floor, size, data, alpha, beta = np.exp(point)
    return floor, size * params**-alpha, data * tokens**-beta, alpha, beta


def look_at(params, tokens, target, *, is_log=True, weight=None):
    """Residuals and Jacobian of E + A/N^alpha + B/D^beta in ln coefs, times the root of the weight."""
    root = np.ones(len(params)) if weight is None else np.sqrt(weight)

    def look(point):
        with np.errstate(over="ignore", invalid="ignore"):
            floor, size, data, alpha, beta = terms(point, params, tokens)
            loss = floor + size + data
            parts = (
                np.full(len(params), floor),
                size,
                data,
                -alpha * np.log(params) * size,
                -beta * np.log(tokens) * data,
            )
            slope = np.stack(parts, axis=1)
            if is_log:
                return root * (np.log(loss) - target), root[:, None] * slope / loss[:, None]
            return root * (loss - np.exp(target)), root[:, None] * slope

    return look


def searched(look, count):
    """What is off, beginning at the least squares of all rows as a fit of that kind would."""
    dragged = descended(look, at_point(look, NEAR[0]), np.arange(count), 60).theta
    return outlying(look, [dragged, *NEAR])


def losses(count, random, noise):
    params, tokens = design(count, random)
    return params, tokens, np.log(sum(terms(TRUTH, params, tokens)[:3])) + noise


@pytest.mark.parametrize("is_log", [True, False], ids=["log", "linear"])
@pytest.mark.parametrize(("count", "bad"), [(12, 1), (25, 2), (25, 4), (60, 6), (240, 20), (2000, 100)])
def test_several_rows_that_drag_least_squares_are_found_and_no_others_blamed(count, bad, is_log):
    random = np.random.default_rng(count + bad)
    params, tokens, target = losses(count, random, NOISE * random.standard_normal(count))
    rows = np.sort(random.choice(count, bad, replace=False))
    target[rows] += 100 * NOISE
    found = searched(look_at(params, tokens, target, is_log=is_log), count)
    assert found.rows.tolist() == rows.tolist()
    kept = np.delete(np.arange(count), rows)
    look = look_at(params[kept], tokens[kept], target[kept], is_log=is_log)
    clean = descended(look, at_point(look, TRUTH), np.arange(count - bad), 60)
    np.testing.assert_allclose(found.point.theta, clean.theta, rtol=1e-5)  # the fit without them, as if they never were


def test_the_smallest_table_of_which_something_can_be_said():
    """Eight rows for five coefs: without the bad one two degrees of freedom are left, and 700 times off is plain."""
    random = np.random.default_rng(3)
    params, tokens, target = losses(8, random, NOISE * random.standard_normal(8))
    target[2] += 700 * NOISE
    found = searched(look_at(params, tokens, target), 8)
    assert found.rows.tolist() == [2]


@pytest.mark.parametrize("count", [5, 6, 7])
def test_of_rows_no_more_than_coefs_and_two_nothing_is_said(count):
    random = np.random.default_rng(0)
    params, tokens, target = losses(count, random, NOISE * random.standard_normal(count))
    target[1] += 1.0
    assert searched(look_at(params, tokens, target), count) is None


def test_weights_say_how_far_a_row_may_lie():
    """A row whose error is known to be a hundred times the others' weighs 1e-4, and is not off at fifty of theirs."""
    random = np.random.default_rng(1)
    params, tokens, target = losses(40, random, NOISE * random.standard_normal(40))
    target[7] += 50 * NOISE
    weight = np.ones(40)
    assert searched(look_at(params, tokens, target, weight=weight), 40).rows.tolist() == [7]
    weight[7] = 1e-4
    assert searched(look_at(params, tokens, target, weight=weight), 40) is None


def test_runs_without_noise_are_not_blamed_for_rounding():
    params, tokens, target = losses(30, np.random.default_rng(2), 0.0)
    assert searched(look_at(params, tokens, target), 30) is None


def test_one_row_that_fixes_a_coef_alone_cannot_be_judged():
    """Of two sizes one has a single run: whatever its loss, the size term passes through it."""
    random = np.random.default_rng(4)
    params, tokens = np.where(np.arange(20) == 0, 1e10, 1e8), 10 ** random.uniform(9, 11.5, 20)
    target = np.log(sum(terms(TRUTH, params, tokens)[:3])) + NOISE * random.standard_normal(20)
    target[0] += 0.1
    assert searched(look_at(params, tokens, target), 20) is None


def errors(kind, count, random, params):
    if kind == "lognormal":
        return (random.lognormal(0.0, 0.5, count) - np.exp(0.125)) / 0.6
    if kind == "heavy tails":
        return random.standard_t(3, count)
    spread = np.log(params / params.min()) / np.log(np.ptp(params)) if kind == "spread by size" else 0.5
    return np.exp(0.8 - 1.6 * spread) * random.standard_normal(count)


def test_tables_without_a_bad_run_raise_it_in_at_most_two_of_a_hundred():
    kinds, sizes = ("normal", "lognormal", "heavy tails", "spread by size"), (8, 12, 25, 60, 150)
    raised = []
    for seed in range(200):
        random = np.random.default_rng(7_000 + seed)
        count, kind = sizes[seed % 5], kinds[seed % 4]
        params, tokens, target = losses(count, random, 0.0)
        target = target + NOISE * errors(kind, count, random, params)
        raised.append(searched(look_at(params, tokens, target), count) is not None)
    assert sum(raised) <= 0.02 * len(raised)


def test_the_search_is_deterministic_and_free_of_warnings():
    random = np.random.default_rng(9)
    params, tokens, target = losses(50, random, NOISE * random.standard_t(3, 50))
    target[[3, 30]] += 0.5
    look = look_at(params, tokens, target)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = searched(look, 50), searched(look, 50)
    np.testing.assert_array_equal(first.point.theta, second.point.theta)
    assert first.rows.tolist() == second.rows.tolist() == [3, 30]


def test_distances_are_the_studentised_residuals_of_linear_regression():
    """Of the row that is off r/(s √(1 - h)) in the fit of all, s without it.   Source: Cook & Weisberg 1982, §2.2."""
    random, off, kept = np.random.default_rng(6), 18, np.delete(np.arange(20), 18)
    columns = np.column_stack([np.ones(20), np.linspace(-1, 1, 20)])
    response = columns @ [1.0, 2.0] + 0.1 * random.standard_normal(20)
    response[off] += 20.0
    found = outlying(lambda theta: (columns @ theta - response, columns), [np.zeros(2)])
    assert found.rows.tolist() == [off]

    def regressed(rows):
        hat = columns[rows] @ np.linalg.pinv(columns[rows])
        return response[rows] - hat @ response[rows], 1.0 - np.diagonal(hat)

    residual, left = regressed(kept)
    np.testing.assert_allclose(found.distance[kept], np.abs(residual) / np.sqrt(residual @ residual / 17 * left), 1e-6)
    residual, left = regressed(np.arange(20))
    variance = (residual @ residual - residual[off] ** 2 / left[off]) / 17
    assert found.distance[off] == pytest.approx(abs(residual[off]) / np.sqrt(variance * left[off]), rel=1e-6)
