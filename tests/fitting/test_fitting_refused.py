"""What fit and bootstrap refuse: each in words, before anything is computed."""

import dataclasses

import numpy as np
import pytest

import jaxscale as js
from jaxscale.errors import RunsError, UsageError
from jaxscale.status import Status

LAW = "power-params"
TRUTH = {"E": 1.7, "A": 300.0, "alpha": 0.25}
PARAMS = np.geomspace(1e7, 1e10, 30)
RUNS = js.simulate(LAW, TRUTH, columns={"params": PARAMS}, noise=0.01, seed=4)


@pytest.fixture(scope="module")
def huber():
    return js.fit(RUNS, LAW)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": []}, "starts is empty"),
        ({"starts": {"E": 1.0}}, "missing: A, alpha"),
        ({"starts": {**TRUTH, "aplha": 1.0}}, "Did you mean 'alpha'"),
        ({"starts": {**TRUTH, "A": -1.0}}, "A = -1.0 is outside its support 'positive'"),
        ({"fix": {"aplha": 1.0}}, "Did you mean 'alpha'"),
        ({"fix": {"alpha": 0.0}}, "alpha = 0.0 is outside its support"),
        ({"fix": {"alpha": float("nan")}}, "alpha = nan is outside its support"),
        ({"fix": {"alpha": "A"}}, "no law that ships has both as one coef"),
        (
            {"fix": {"alpha": "a third"}},
            "'a third' is not a finite number; the coefs of 'power-params' are E, A, alpha",
        ),
        ({"objective": "hubert"}, "Did you mean 'huber'"),
        ({"solver": "newtons"}, "Did you mean 'newton'"),
        ({"device": "cuda9"}, "unknown device 'cuda9'"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(options, message):
    with pytest.raises(UsageError, match=message):
        js.fit(RUNS, LAW, **options)


def test_a_path_in_place_of_runs_is_refused_with_the_way_to_read_it():
    with pytest.raises(UsageError, match=r"not str: read one with js\.read_runs"):
        js.fit("runs.csv")


def in_numpy(params, *, E, A, alpha):
    return E + A * np.power(params, -alpha)


def with_a_branch(params, *, E, A, alpha):
    return E if params > 1e9 else E + A * params**-alpha


@pytest.mark.parametrize("function", [in_numpy, with_a_branch])
def test_a_law_that_is_not_written_in_jax_is_refused_in_words(function):
    coefs = tuple(js.Coef(name, "positive", starts=(1.0,)) for name in ("E", "A", "alpha"))
    with pytest.raises(UsageError, match=r"Write it with jax\.numpy in place of numpy"):
        js.fit(RUNS, js.Law("mine", function, ("params",), coefs))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicates": 0}, "replicates = 0"),
        ({"replicates": 10.0}, "replicates = 10.0"),
        ({"replicates": True}, "replicates = True"),
        ({"chunk": 0}, "chunk = 0"),
        ({"seed": -1}, "seed = -1"),
        ({"scheme": "pair"}, "Did you mean 'pairs'"),
    ],
)
def test_a_bootstrap_that_cannot_be_meant_is_refused(huber, options, message):
    with pytest.raises(UsageError, match=message):
        js.bootstrap(huber, **options)


def test_a_fit_that_is_no_minimum_is_not_refitted(huber):
    with pytest.raises(UsageError, match="the fit is 'stalled', not a minimum"):
        js.bootstrap(dataclasses.replace(huber, status=Status.STALLED))


def changed(**columns):
    return js.Runs.from_arrays(**{"params": PARAMS, "loss": RUNS.loss, **columns})


def spoiled(column, rows, value):
    array = {"params": PARAMS, "loss": RUNS.loss}[column].copy()
    array[rows] = value
    return changed(**{column: array})


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        (js.Runs.from_arrays(params=PARAMS[:2], loss=RUNS.loss[:2]), "2 runs for 3 free coefs of 'power-params'"),
        (changed(weight=np.r_[1, 1, np.zeros(28)]), "2 runs for 3 free coefs"),
        (changed(loss=np.full(30, 2.5)), "every run has the loss 2.5, so no exponent can be fitted"),
        (spoiled("params", [3, 7], -1.0), "params must be positive for 'power-params'; rows 4, 8$"),
        (spoiled("loss", [0, 1, 2, 3, 4, 5, 6], 0.0), "loss must be positive for .* rows 1, 2, 3, 4, 5 and 2 more$"),
        (js.Runs.from_arrays(tokens=PARAMS, loss=RUNS.loss), "params"),
    ],
)
def test_a_table_that_cannot_carry_the_fit_is_refused(runs, message):
    with pytest.raises(RunsError, match=message):
        js.fit(runs, LAW)


def test_a_share_in_percent_is_refused():
    percent = np.where(np.arange(30) % 2 == 0, 0.0, 75.0)
    runs = js.Runs.from_arrays(params=PARAMS, tokens=20 * PARAMS, sparsity=percent, loss=RUNS.loss)
    with pytest.raises(RunsError, match="sparsity must be 0 or more and below 1 for 'sparsity'; rows 2, 4, 6"):
        js.fit(runs, "sparsity")


def test_shares_of_one_whole_are_not_more_than_it():
    columns = {"share_1": np.full(30, 0.7), "share_2": np.linspace(0.1, 0.5, 30)}
    with pytest.raises(RunsError, match="the shares share_1, share_2 are more than 1 together; rows 16, 17"):
        js.fit(js.Runs.from_arrays(**columns, loss=RUNS.loss), "mixing")
    coefs = dict.fromkeys(js.LAWS.resolve("mixing-scale").names, 0.5)
    fixed = {"share_1": 0.9, "share_2": 0.9, "share_3": 0.9}
    with pytest.raises(UsageError, match="are more than 1 together"):
        js.frontier(law="mixing-scale", coefs=coefs, flops=1e20, fixed=fixed)


def test_an_accuracy_in_percent_is_refused():
    runs = js.Runs.from_arrays(task_loss=np.linspace(0.5, 3.0, 30), loss=np.linspace(95.0, 25.0, 30))
    with pytest.raises(RunsError, match="accuracy must lie between 0 and 1 for 'accuracy-sigmoid'; rows 1, 2"):
        js.fit(runs, "accuracy-sigmoid")


@pytest.mark.slow
def test_a_share_that_is_one_less_others_may_be_zero_to_rounding():
    first, third = np.tile([0.9, 0.3, 0.5], 10), np.tile([0.1, 0.3, 0.25], 10)
    second = 1.0 - first - third
    assert second.min() < 0.0
    columns = {"share_1": first, "share_2": second, "share_3": third}
    loss = js.predict("mixing", dict.fromkeys(js.LAWS.resolve("mixing").names, 0.5), **columns)
    js.fit(js.Runs.from_arrays(**columns, loss=loss * np.linspace(1.0, 1.01, 30)), "mixing")


def test_the_loss_named_as_constant_is_that_of_rows_that_count():
    loss = np.r_[9.0, np.full(29, 2.5)]
    with pytest.raises(RunsError, match=r"every run has the loss 2\.5"):
        js.fit(changed(loss=loss, weight=np.r_[0.0, np.ones(29)]), LAW)


def test_a_fit_that_fails_under_a_threshold_far_below_the_residuals_says_so():
    """Two sizes, half of the runs above and half below: every line between them has the same sum of |residual|."""
    params = np.repeat([1e8, 1e10], 4)
    loss = 400.0 * params**-0.3 * np.exp(np.tile([0.1, 0.2, -0.1, -0.2], 2))
    runs = js.Runs.from_arrays(params=params, loss=loss)
    narrow, wide = (js.fit(runs, "pure-power-params", objective=js.huber(delta)) for delta in (1e-3, 0.3))
    assert not narrow.is_usable
    (said,) = [one.message for one in narrow.findings if one.code == "narrow-delta"]
    assert "150 times below the typical residual, 0.15" in said
    assert wide.is_usable
    assert "narrow-delta" not in {one.code for one in wide.findings}
