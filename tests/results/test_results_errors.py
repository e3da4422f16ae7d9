"""Whether errors are of one size and normal: closed forms, how often clean tables are blamed, and what is found."""

import numpy as np
import pytest
import scipy.stats

from jaxscale.results.errors import clipped, spread_tests, tail_tests

ROWS = 30
X = np.random.default_rng(0).uniform(-1.0, 1.0, (ROWS, 3))
JACOBIAN = np.column_stack([np.ones(ROWS), X, np.exp(-X[:, 0])])
LOGS = {"params": X[:, 0], "tokens": X[:, 1], "flops": X[:, 0] + X[:, 1]}
BLAMED = 300
"""Clean tables: at a chance of 1 % more than 9 are blamed less than once in five hundred tries."""
ERRORS = {
    "normal": lambda random, size: random.standard_normal(size),
    "student-3": lambda random, size: random.standard_t(3.0, size),
    "laplace": lambda random, size: random.laplace(size=size),
}


def is_found(tests):
    return any(one.is_found for one in tests)


def test_the_statistic_is_the_t_of_a_correlation_with_the_sizes_that_least_squares_leaves():
    error = np.random.default_rng(1).uniform(-1.0, 1.0, ROWS)  # none is clipped
    hat = JACOBIAN @ np.linalg.pinv(JACOBIAN)
    size = np.abs(clipped((error - hat @ error) / np.sqrt(1.0 - np.diag(hat))))
    for one in spread_tests(error, JACOBIAN, LOGS):
        r = scipy.stats.pearsonr(LOGS[one.name], size).statistic
        line = np.polyfit(LOGS[one.name], size, 1)
        assert one.t == pytest.approx(r * np.sqrt((ROWS - 2) / (1.0 - r**2)), rel=1e-9)
        assert one.slope == pytest.approx(line[0] / size.mean(), rel=1e-9)


def test_what_the_coefs_explain_and_the_unit_change_nothing():
    random = np.random.default_rng(2)
    error, spread = 0.1 * random.standard_normal(ROWS), np.exp(X[:, 0])
    plain = spread_tests(spread * error, JACOBIAN, LOGS)
    assert [one.t for one in spread_tests(7.0 * spread * error, 3.0 * JACOBIAN, LOGS)] == pytest.approx(
        [one.t for one in plain]
    )


@pytest.mark.parametrize("name", ERRORS)
def test_clean_tables_are_rarely_blamed_whatever_the_distribution(name):
    random = np.random.default_rng(3)
    found = [spread_tests(ERRORS[name](random, ROWS), JACOBIAN, LOGS) for _ in range(BLAMED)]
    assert sum(map(is_found, found)) <= 9


def test_without_tests_that_find_nothing_the_same_is_found():
    """Fifty tables of errors that grow, of which some are blamed; tails of Student's t with two degrees of freedom."""
    random, unit = np.random.default_rng(6), (X[:, 0] - X[:, 0].min()) / np.ptp(X[:, 0])
    blamed = 0
    for _ in range(50):
        one, heavy = 4.0**unit * random.standard_normal(ROWS), random.standard_t(2.0, ROWS)
        for test, given in ((spread_tests, (one, JACOBIAN, LOGS)), (tail_tests, (heavy, JACOBIAN))):
            whole, short = test(*given), test(*given, is_shown=False)
            assert short in (whole, ())
            assert is_found(short) == is_found(whole)
            blamed += is_found(whole)
    assert 5 < blamed < 95


@pytest.mark.parametrize(("factor", "least"), [(20.0, 0.6), (5.0, 0.15)])
def test_errors_that_grow_are_found_in_thirty_rows(factor, least):
    random, unit = np.random.default_rng(4), (X[:, 0] - X[:, 0].min()) / np.ptp(X[:, 0])
    tables = factor**unit * random.standard_normal((100, ROWS))
    found = [spread_tests(one, JACOBIAN, LOGS) for one in tables]
    assert np.mean([is_found(one) for one in found]) > least
    assert all(one.slope > 0 for tests in found for one in tests if one.is_found and one.name == "params")


def test_groups_whose_rows_are_alike_are_no_spread():
    """Errors common to six rows at one place: by rows many a table is blamed, by groups hardly one."""
    random, codes = np.random.default_rng(5), np.repeat(np.arange(20), 6)
    place = np.repeat(random.uniform(-1.0, 1.0, (20, 2)), 6, axis=0)
    jacobian, logs = np.column_stack([np.ones(120), place]), {"params": place[:, 0]}
    counts = {"rows": 0, "groups": 0}
    for _ in range(100):
        error = np.repeat(random.standard_normal(20), 6) + 0.1 * random.standard_normal(120)
        counts["rows"] += is_found(spread_tests(error, jacobian, logs))
        counts["groups"] += is_found(spread_tests(error, jacobian, logs, codes))
    assert counts["groups"] <= 4 < counts["rows"]


def test_one_row_that_is_off_is_no_spread_wherever_it_lies():
    error = np.random.default_rng(6).standard_normal(ROWS)
    off = [np.where(np.arange(ROWS) == row, 1e3, error) for row in range(ROWS)]
    assert max(np.max(np.abs(clipped(one))) for one in off) < 5.0
    assert sum(is_found(spread_tests(one, JACOBIAN, LOGS)) for one in off) <= 3


def test_heavy_tails_are_found_and_normal_ones_are_not():
    random = np.random.default_rng(7)
    assert sum(is_found(tail_tests(random.standard_normal(ROWS), JACOBIAN)) for _ in range(100)) <= 5
    design = np.repeat(JACOBIAN, 4, axis=0)
    heavy = [tail_tests(random.standard_t(3.0, len(design)), design) for _ in range(50)]
    assert sum(map(is_found, heavy)) > 30
    light = [tail_tests(random.uniform(-1.0, 1.0, len(design)), design) for _ in range(50)]
    assert not any(map(is_found, light))


def test_the_excess_kurtosis_of_a_mean_is_scipys():
    """About the mean, with leverages that are all alike."""
    error = np.random.default_rng(8).standard_normal(ROWS)
    (found,) = tail_tests(error, np.ones((ROWS, 1)))
    assert found.slope == pytest.approx(scipy.stats.kurtosis(error), rel=1e-9)


@pytest.mark.parametrize("error", [np.zeros(ROWS), np.ones(ROWS)])
def test_residuals_without_a_size_of_their_own_say_nothing(error):
    design = np.ones((ROWS, 1))
    assert not is_found((*spread_tests(error, design, LOGS), *tail_tests(error, design)))


def test_few_rows_say_nothing():
    assert spread_tests(np.ones(6), JACOBIAN[:6], {"params": X[:6, 0]}) == ()
    assert tail_tests(np.ones(6), JACOBIAN[:6]) == ()
