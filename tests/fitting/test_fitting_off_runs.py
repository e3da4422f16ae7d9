"""Runs that are plainly off: the finding of a fit, whatever its objective, and the selection that it prints."""

import re
import shlex

import numpy as np
import pytest

import jaxscale as js

SLOW = {"huber linear": js.huber(space="linear"), "absolute": js.absolute()}
OBJECTIVES = {"squared": js.squared(), "squared linear": js.squared(space="linear"), "huber": js.huber(), **SLOW}
CODE = "outlier-leverage"


def off_in(fit):
    found = [one for one in fit.findings if one.code == CODE]
    assert len(found) <= 1
    return found[0] if found else None


def selections(message):
    """The expressions of the options that a message prints, as a shell reads them."""
    words = shlex.split(message[message.index("--where") :])
    return words[1::2]


@pytest.mark.parametrize(
    "objective",
    [pytest.param(one, marks=[pytest.mark.slow] * (name in SLOW), id=name) for name, one in OBJECTIVES.items()],
)
@pytest.mark.parametrize(("name", "rows"), [("diverged.csv", (6, 19)), ("resumed_runs.csv", (5, 18))])
def test_diverged_and_crashed_runs_are_named_and_the_selection_leaves_them_out(field, name, rows, objective):
    runs = js.read_runs(field / name)
    found = off_in(js.fit(runs, objective=objective))
    assert found.rows == rows
    again = js.read_runs(field / name, where=selections(found.message))
    assert set(runs.row) - set(again.row) == set(rows)
    fit = js.fit(again, objective=objective)
    assert off_in(fit) is None
    assert 0.31 < fit.coefs["alpha"] < 0.39


def test_the_message_says_the_run_the_share_the_influence_and_the_column(field):
    message = off_in(js.fit(js.read_runs(field / "resumed_runs.csv"), objective="squared")).message
    assert "'run-5', 'run-17'" in message
    assert re.search(r"make 9\d\.\d% of the objective", message)
    assert "E is 1.7" in message  # what least squares gives without them
    assert "column 'state' is 'crashed' in these rows alone" in message
    assert "--where \"state != 'crashed'\"" in message


def test_how_far_a_coef_moves_follows_from_the_numbers_of_the_message(field):
    """A positive coef is measured on its logarithm, where its standard error is error / value."""
    runs = js.read_runs(field / "base.csv")
    loss = runs.loss.copy()
    loss[3] *= 1.3
    arrays = js.Runs.from_arrays(params=runs["params"], tokens=runs["tokens"], loss=loss)
    message = off_in(js.fit(arrays, objective="squared")).message
    said = re.search(r"it (\w+) is (\S+) ± (\S+), not (\S+) \((\S+) standard errors of ln \1 away\)", message)
    value, error, before, shift = map(float, said.groups()[1:])
    assert abs(np.log(before / value)) / (error / value) == pytest.approx(shift, rel=0.1)  # error has two digits


def test_a_fit_that_the_runs_do_not_move_says_so(field):
    """Beyond the bend of Huber's score it does not matter how far off a run is, only on which side."""
    runs = js.read_runs(field / "base.csv")
    loss = runs.loss.copy()
    loss[[3, 12]] *= [3.0, 1 / 1.5]
    arrays = js.Runs.from_arrays(params=runs["params"], tokens=runs["tokens"], loss=loss)
    found = off_in(js.fit(arrays))
    assert found.rows == (4, 13)
    assert "standard errors" in found.message


def test_a_table_without_such_runs_has_no_finding(field):
    assert off_in(js.fit(js.read_runs(field / "base.csv"))) is None


def test_the_five_runs_that_besiroglu_et_al_leave_out_are_found(shared_data):
    runs = js.read_runs(shared_data / "epoch_chinchilla.csv")
    left_out = runs.row[runs["in_paper_fit"] == 0]
    for objective in ("squared", "huber"):
        assert set(left_out) <= set(off_in(js.fit(runs, objective=objective)).rows)


def of_two_corpora(count, random):
    params, tokens = 10 ** random.uniform(7.5, 10, count), 10 ** random.uniform(9, 11.5, count)
    group = np.where(np.arange(count) % 2 == 0, "books", "web")
    floor = np.where(group == "books", 1.6, 2.0)
    loss = (floor + 480 / params**0.35 + 2100 / tokens**0.37) * np.exp(0.004 * random.standard_normal(count))
    return {"params": params, "tokens": tokens, "group": group, "loss": loss}


@pytest.mark.slow
def test_a_run_is_held_against_the_law_of_its_own_group():
    """A run of one corpus with the loss of the other is off by the difference of their floors."""
    table = of_two_corpora(30, np.random.default_rng(0))
    plain = js.fit(js.Runs.from_arrays(**table), objective="squared", per_group="E")
    assert off_in(plain) is None
    table["loss"][[4, 9]] += [0.4, -0.4]
    found = off_in(js.fit(js.Runs.from_arrays(**table), objective="squared", per_group="E"))
    assert found.rows == (5, 10)


def test_runs_of_weight_zero_are_neither_judged_nor_counted(field):
    runs = js.read_runs(field / "diverged.csv")
    weight = np.where(np.isin(runs.row, [6, 19]), 0.0, 1.0)
    arrays = {"params": runs["params"], "tokens": runs["tokens"], "loss": runs.loss}
    assert off_in(js.fit(js.Runs.from_arrays(**arrays, weight=weight))) is None
    weight[5] = 1.0
    assert off_in(js.fit(js.Runs.from_arrays(**arrays, weight=weight))).rows == (6,)


def test_final_checkpoints_below_all_earlier_ones_are_kept_and_not_left_out(field):
    """Nine checkpoints of each run before its learning rate has decayed, 0.08 above the law, and the last one on it."""
    base = js.read_runs(field / "base.csv")
    n, names = len(base), [f"r{at}" for at in range(len(base))]
    part = np.repeat(np.linspace(0.1, 1.0, 10), n)
    noise = np.exp(0.002 * np.random.default_rng(5).standard_normal(10 * n))
    loss = (
        1.75 + 420 / np.tile(base["params"], 10) ** 0.34 + 1300 / (part * np.tile(base["tokens"], 10)) ** 0.36
    ) * noise
    columns = {"params": np.tile(base["params"], 10), "tokens": part * np.tile(base["tokens"], 10)}
    runs = js.Runs.from_arrays(**columns, loss=loss + 0.08 * (part < 1), run=names * 10, units_ok=True)
    found = off_in(js.fit(runs))
    assert set(found.rows) <= set(range(9 * n + 1, 10 * n + 1))
    assert found.message.endswith("the earlier checkpoints are the ones to leave out: --final")
    assert "--where" not in found.message
