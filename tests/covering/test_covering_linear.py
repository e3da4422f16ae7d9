"""Simulated studies of a law that is a straight line in logs, where least squares and Student's t say what is true."""

from dataclasses import replace

import jax
import numpy as np
import pytest
from scipy import stats

import jaxscale as js
from jaxscale.covering.simulating import WITHOUT_VALUE, Simulated
from jaxscale.errors import IntervalError, RunsError, UsageError
from jaxscale.intervals import Sample
from jaxscale.refitting.tables import TableFits, fits_of_tables, fitted_to_tables, refits_of_tables
from jaxscale.resampling import SCHEMES, Tables, redraw, scheme_of_tables, simulated_shifts
from jaxscale.results.nested import ranks_of
from jaxscale.status import Status

ROWS, STUDIES, LEVEL = 8, 400, 0.9
TRUTH = {"A": 30.0, "alpha": 0.12}


@pytest.fixture(scope="module")
def fit():
    columns = {"params": np.geomspace(1e6, 1e9, ROWS)}
    return js.fit(
        js.simulate("pure-power-params", TRUTH, columns=columns, noise=0.02, seed=1),
        "pure-power-params",
        objective="squared",
    )


@pytest.fixture(scope="module")
def shifts():
    return 0.02 * np.random.default_rng(3).standard_normal((STUDIES, ROWS))


@pytest.fixture(scope="module")
def made(fit):
    return js.coverage(
        fit, schemes=["parametric"], intervals=["percentile", "delta", "sandwich"], noise="parametric", flops=[],
        studies=STUDIES, replicates=199, level=LEVEL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def calibrated(fit):
    return js.bootstrap(fit, scheme="parametric", replicates=4000, nested=(STUDIES, 200))


def line_through(runs, targets, weight=None):
    """Return ln A and alpha by NumPy's least squares."""
    design = np.stack([np.ones(len(runs)), -np.log(runs["params"])], axis=1)
    root = np.sqrt(np.ones(len(runs)) if weight is None else weight)
    return np.linalg.lstsq(root[:, None] * design, root * targets, rcond=None)[0]


def test_every_table_has_its_own_least_squares(fit, shifts):
    found = fits_of_tables(fit, shifts)
    assert found.is_usable.all()
    for table in (0, 7, STUDIES - 1):
        level, alpha = line_through(fit.runs, np.log(fit.runs.loss) + shifts[table])
        np.testing.assert_allclose(found.coefs[table], [np.exp(level), alpha], rtol=1e-8)


def test_every_replicate_of_a_table_has_its_own_least_squares(fit, shifts):
    pairs = SCHEMES.resolve("pairs")
    found = refits_of_tables(fit, pairs, Tables(shifts), 3, seed=5)
    weight = np.ones(ROWS)
    for replicate, table in ((0, 0), (2, 9), (1, STUDIES - 1)):
        number = replicate * STUDIES + table
        draw = redraw(scheme_of_tables(pairs, STUDIES), 5, np.array([number]), weight, None, Tables(shifts))
        np.testing.assert_array_equal(draw.shift[0], shifts[table])
        assert draw.weight[0].sum() == ROWS
        if np.count_nonzero(draw.weight[0]) < 3:
            continue
        level, alpha = line_through(fit.runs, np.log(fit.runs.loss) + shifts[table], draw.weight[0])
        np.testing.assert_allclose(found.coefs[replicate, table], [np.exp(level), alpha], rtol=1e-7)


def test_a_table_is_fitted_to_its_own_residuals_with_its_own_standard_errors(fit, shifts):
    found = fits_of_tables(fit, shifts)
    fitted, covariance, robust = fitted_to_tables(fit, shifts, found, has_robust=True)
    targets = np.log(fit.runs.loss) + shifts[4]
    level, alpha = line_through(fit.runs, targets)
    predicted = level - alpha * np.log(fit.runs["params"])
    np.testing.assert_allclose(fitted.prediction[4], predicted, rtol=1e-9)
    np.testing.assert_allclose(fitted.residual[4], predicted - targets, atol=1e-9)
    assert fitted.leverage[4].sum() == pytest.approx(2.0)
    line = stats.linregress(np.log(fit.runs["params"]), targets)
    assert np.sqrt(covariance[4, 1, 1]) == pytest.approx(line.stderr, rel=1e-6)
    centred = np.log(fit.runs["params"]) - np.log(fit.runs["params"]).mean()
    score = centred * (targets - predicted)  # White's variance of a slope, times n / (n - 2)
    white = np.sum(score**2) / np.sum(centred**2) ** 2 * ROWS / (ROWS - 2)
    assert robust[4]["rows"][1, 1] == pytest.approx(white, rel=1e-6)


def test_intervals_of_students_t_hold_what_they_claim(made):
    """With normal noise on a straight line they are exact, so that only the count of studies errs."""
    of = {(one.interval, one.quantity): one for one in made.held}
    exact = of["delta", "alpha"]
    assert exact.studies == STUDIES
    assert exact.share == pytest.approx(LEVEL, abs=3 * np.sqrt(LEVEL * (1 - LEVEL) / STUDIES))
    assert exact.share == pytest.approx(1.0 - exact.below - exact.above)
    assert of["sandwich", "alpha"].studies == STUDIES
    assert of["sandwich", "alpha"].share < exact.share  # of eight runs the rows of large leverage look too good


def test_what_was_simulated_is_told(made):
    assert made.provenance.backend == jax.default_backend()
    assert made.failed == {}
    assert made.unusable == {"parametric": 0.0}


def test_studies_without_a_value_of_a_coef_are_counted():
    """One of three fits is usable but has a coef without a value, and one is not usable."""
    coefs = np.array([[1.0, 2.0], [1.0, np.nan], [np.nan, np.nan]])
    status = np.array([Status.CONVERGED, Status.AT_BOUND, Status.MAX_STEPS], np.int8)
    found = Simulated(None, np.zeros((3, 1)), TableFits(coefs, status), None, None)
    assert found.usable.tolist() == [0]
    assert found.failed == {str(Status.MAX_STEPS): 1, WITHOUT_VALUE: 1}


def test_percentiles_of_few_runs_hold_what_students_t_says_that_normal_ones_do(made):
    """Replicates are normal with the spread s of a study, where Student's distribution is needed."""
    of = {(one.interval, one.quantity): one for one in made.held}
    found, dof = of["percentile", "alpha"], ROWS - 2
    expected = 2.0 * stats.t.cdf(stats.norm.ppf((1 + LEVEL) / 2), dof) - 1.0
    assert found.share == pytest.approx(expected, abs=3.5 * found.error)
    assert found.share < LEVEL - 2 * found.error


def test_calibrated_limits_are_those_of_students_t(calibrated, fit):
    """Simulated tables show that percentiles are too narrow, and by how much."""
    error, dof = fit.std["alpha"], ROWS - 2
    wide = calibrated.interval("alpha", level=LEVEL, method="calibrated")
    narrow = calibrated.interval("alpha", level=LEVEL)
    reach = stats.t.ppf((1 + LEVEL) / 2, dof) * error
    assert (wide.upper - wide.lower) / 2 == pytest.approx(reach, rel=0.12)
    assert (narrow.upper - narrow.lower) / 2 == pytest.approx(stats.norm.ppf((1 + LEVEL) / 2) * error, rel=0.05)
    assert wide.upper - wide.lower > narrow.upper - narrow.lower


def test_calibrated_limits_of_what_follows_from_a_coef_follow_from_those_of_the_coef(calibrated):
    """Ranks do not know of the unit: a rising function of one coef has the limits that it makes of the coef's."""
    half = js.results.sample_of(calibrated, lambda coefs: 2.0 ** coefs["alpha"])
    found, coef = (
        js.band(half, level=LEVEL, method="calibrated"),
        calibrated.interval("alpha", level=LEVEL, method="calibrated"),
    )
    np.testing.assert_allclose([found.lower, found.upper], [2.0**coef.lower, 2.0**coef.upper], rtol=1e-4)


def test_uniform_ranks_change_nothing():
    values = np.random.default_rng(0).standard_normal(2001)
    sample = Sample(values, np.asarray(0.0), ranks=np.arange(1, 1001) / 1001)
    with pytest.raises(IntervalError):
        js.band(replace(sample, ranks=None), method="calibrated")
    found, plain = js.band(sample, level=LEVEL, method="calibrated"), js.band(sample, level=LEVEL)
    np.testing.assert_allclose([found.lower, found.upper], [plain.lower, plain.upper], atol=1e-9)


def test_tables_whose_replicates_all_miss_the_truth_leave_no_level():
    ranks = np.concatenate([np.zeros(10), np.linspace(0.01, 0.99, 90)])
    sample = Sample(np.arange(100.0), np.asarray(50.0), ranks=ranks)
    assert js.band(sample, level=0.7, method="calibrated").lower > 0
    with pytest.raises(IntervalError, match=r"0\.1 of the simulated"):
        js.band(sample, level=LEVEL, method="calibrated")


def test_ranks_are_shares_below():
    values = np.array([[1.0, 5.0, np.nan], [2.0, 6.0, np.nan], [3.0, 7.0, np.nan]])
    np.testing.assert_array_equal(ranks_of(values, np.asarray(2.5)), [2.5 / 4, 0.0, np.nan])
    np.testing.assert_array_equal(ranks_of(values[:, :1], np.asarray(2.0)), [2.0 / 4])
    np.testing.assert_array_equal(ranks_of(values[:, 1:2], np.asarray(8.0)), [1.0])


def test_draws_of_rows_simulate_nothing(fit):
    with pytest.raises(UsageError, match="'pairs'"):
        js.coverage(fit, noise="pairs", studies=8, replicates=9, flops=[])
    with pytest.raises(UsageError, match="'bayesian'"):
        simulated_shifts(SCHEMES.resolve("bayesian"), 0, 2, np.ones(ROWS), None, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"studies": 1}, "studies = 1"),
        ({"replicates": 0}, "replicates = 0"),
        ({"nested": (5, 1)}, "nested"),
        ({"nested": (5,)}, "nested"),
        ({"nested": 5}, "nested"),
        ({"level": 90}, "0.9"),
        ({"schemes": []}, "schemes"),
        ({"intervals": []}, "intervals"),
        ({"intervals": ["bootstrap"]}, "bootstrap"),
        ({"intervals": ["percentile", "profile"]}, "'profile' is not counted: each of the studies would take hundreds"),
        ({"schemes": ["jackknife"]}, "jackknife"),
        ({"seed": -1}, "seed"),
    ],
)
def test_nonsense_is_refused_by_name(fit, given, message):
    with pytest.raises(UsageError, match=message):
        js.coverage(fit, flops=[], **given)


def test_groups_that_are_not_there_are_refused(fit):
    with pytest.raises((UsageError, RunsError), match="group="):
        js.coverage(fit, schemes=["cluster"], flops=[])


@pytest.mark.parametrize("nested", [(1, 5), (5,), (5, True), 7, (2.5, 3)])
def test_nested_is_true_or_two_numbers(fit, nested):
    with pytest.raises(UsageError, match="nested"):
        js.bootstrap(fit, replicates=8, nested=nested)


def test_a_jackknife_has_nothing_nested(fit):
    with pytest.raises(UsageError, match="nested=True"):
        js.bootstrap(fit, scheme="jackknife", nested=True)


@pytest.fixture(scope="module")
def checkpoints():
    """Twelve runs of five checkpoints each, whose noise the checkpoints of a run have in common."""
    size = np.repeat(np.geomspace(1e6, 1e9, 12), 5)
    noise = np.repeat(0.02 * np.random.default_rng(7).standard_normal(12), 5)
    loss = TRUTH["A"] * size ** -TRUTH["alpha"] * np.exp(noise + 0.002 * np.random.default_rng(8).standard_normal(60))
    runs = js.Runs.from_arrays(loss=loss, params=size, group=np.repeat([f"run{at}" for at in range(12)], 5))
    return js.fit(runs, "pure-power-params", objective="squared")


def test_pairs_undercover_where_rows_are_checkpoints_of_runs(checkpoints):
    found = js.coverage(
        checkpoints, schemes=["pairs", "cluster"], intervals=["percentile"], noise="wild-cluster", flops=[], studies=200
    )
    share = {one.scheme: one for one in found.held if one.quantity == "alpha"}
    assert share["pairs"].share + 3 * share["pairs"].error < LEVEL
    assert share["cluster"].share > share["pairs"].share + 3 * share["pairs"].error
