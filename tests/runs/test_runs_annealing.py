"""Logs of a tracker, many rows a run: the annealed row of each, runs that were stopped before, the run as a group."""

import io
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs, read_runs
from jaxscale.runs.naming import grouped_by_run
from jaxscale.speaking import typing

RATES = {
    "cosine": (0.1, 1.0, 0.8, 0.4, 0.1),
    "constant": (1.0, 1.0, 1.0, 1.0, 1.0),
    "stopped": (0.1, 1.0, 1.0, 0.9, 0.8),
    "cooled": (1.0, 1.0, 0.5, 0.0, 0.0),
    "warmed-again": (1.0, 0.5, 0.1, 1.0, 1.0),
}
"""Learning rates at five steps of each run."""
SEEN = 1e9 * np.arange(1, 6)


def log_of(*names, rate="lr", order=None, **more):
    """Return a frame of pandas' kind, a dict of columns: five rows a run, in a shuffled order where one is given."""
    runs = [(name, step, RATES[name][step]) for name in names for step in range(5)]
    runs = runs if order is None else [runs[place] for place in order]
    size = {name: 1e8 * 2**place for place, name in enumerate(names)}
    return {
        "run_id": [run for run, _, _ in runs],
        "step": [100.0 * (step + 1) for _, step, _ in runs],
        "params": [size[run] for run, _, _ in runs],
        "tokens": [SEEN[step] for _, step, _ in runs],
        "loss": [3.0 - 0.1 * step for _, step, _ in runs],
        rate: [value for _, _, value in runs],
        **more,
    }


def kept(table, **options):
    runs = Runs.from_frame(table, **options)
    return dict(zip(runs["run_id"].tolist(), runs["tokens"].tolist(), strict=True))


@pytest.mark.parametrize("rate", ["lr", "learning_rate", "train/lr", "config.lr", "LR", "lr-AdamW"])
def test_the_annealed_row_is_the_last_at_the_lowest_rate_since_its_peak(rate):
    table = log_of("cosine", "cooled", "warmed-again", rate=rate)
    assert kept(table, annealed=True) == {"cosine": SEEN[4], "cooled": SEEN[4], "warmed-again": SEEN[2]}


def test_warm_up_is_no_annealing_and_a_run_whose_rate_stays_up_is_left_out():
    assert kept(log_of("cosine", "constant", "stopped"), annealed=True) == {"cosine": SEEN[4]}


def test_the_order_of_the_rows_does_not_matter():
    order = np.random.default_rng(1).permutation(20)
    names = ("cosine", "cooled", "warmed-again", "stopped")
    assert kept(log_of(*names, order=order), annealed=True) == kept(log_of(*names), annealed=True)


def test_a_run_with_one_row_is_kept_and_rows_without_a_rate_are_not_taken():
    table = log_of("cosine", "cooled")
    alone = {name: [*values, values[-1]] for name, values in table.items()}
    alone["run_id"][-1], alone["params"][-1] = "alone", 9e8
    alone["lr"][9] = float("nan")
    assert kept(alone, annealed=True) == {"cosine": SEEN[4], "cooled": SEEN[3], "alone": SEEN[4]}


def test_how_many_rows_were_left_out_is_said():
    runs = Runs.from_frame(log_of("cosine", "stopped"), annealed=True)
    assert runs.origin.left_out == {"annealed": 9}


def test_the_last_rows_of_runs_that_were_stopped_early_are_named():
    runs = Runs.from_frame(log_of("cosine", "stopped", "cooled"), final=True)
    (finding,) = (one for one in runs.findings if one.code == "unannealed-runs")
    assert finding.rows == (10,)
    assert finding.message.startswith("1 run of 3")
    assert "--annealed" in finding.message


@pytest.mark.parametrize("names", [("cosine", "cooled"), ("constant", "stopped")])
def test_nothing_is_said_where_runs_are_of_one_kind(names):
    assert "unannealed-runs" not in [one.code for one in Runs.from_frame(log_of(*names), final=True).findings]


@pytest.mark.parametrize(
    ("table", "options", "error", "said"),
    [
        (log_of("cosine"), {"final": True}, UsageError, "give one of them"),
        (log_of("constant"), {}, RunsError, "no run is annealed"),
        (log_of("cosine", rate="momentum"), {}, RunsError, "no column is called so"),
        ({name: one for name, one in log_of("cosine").items() if name != "run_id"}, {}, RunsError, "no column names"),
    ],
)
def test_what_cannot_be_meant_is_refused(table, options, error, said):
    with pytest.raises(error, match=said):
        Runs.from_frame(table, annealed=True, **options)


@pytest.mark.parametrize("option", ["final", "annealed"])
def test_arrays_are_reduced_as_a_frame_is(option):
    """What a remark on arrays proposes is an argument of theirs, too."""
    table = log_of(*RATES)
    table["tokens"] = [seen * (1 + place // 5) for place, seen in enumerate(table["tokens"])]
    with typing(False):
        assert "final=True" in " ".join(map(str, Runs.from_arrays(**table).check(coefs=2)))
    arrays, frame = Runs.from_arrays(**table, **{option: True}), Runs.from_frame(table, **{option: True})
    assert arrays.row.tolist() == frame.row.tolist()
    assert arrays.origin.left_out == frame.origin.left_out
    lowest = {"lowest_per": {"params": 1.0}}
    assert Runs.from_arrays(**table, **lowest).row.tolist() == Runs.from_frame(table, **lowest).row.tolist()


def test_the_group_of_arrays_may_be_one_of_them_by_its_name():
    table = log_of("cosine", "cooled")
    by_name, given = Runs.from_arrays(**table, group="run_id"), Runs.from_arrays(**table, group=table["run_id"])
    assert by_name.group.tolist() == given.group.tolist() == table["run_id"]
    assert by_name.origin.columns["group"] == "run_id"
    with pytest.raises(UsageError, match="Did you mean 'run_id'"):
        Runs.from_arrays(**table, group="runid")


@pytest.mark.parametrize("option", ["final", "annealed"])
def test_a_column_that_is_called_like_an_option_is_refused(option):
    table = {name: one for name, one in log_of("cosine").items() if name != "lr"}
    with pytest.raises(UsageError, match=f"{option} is of type list, and neither True nor False"):
        Runs.from_arrays(**table, **{option: [0.1] * 5})


def test_rows_between_evaluations_are_no_failed_runs():
    table = log_of("cosine", "cooled")
    table["loss"] = [loss if place % 5 == 4 else float("nan") for place, loss in enumerate(table["loss"])]
    (finding,) = (one for one in Runs.from_frame(table, missing="drop").findings if one.code == "rows-dropped")
    assert "between its evaluations" in finding.message
    table["loss"][4] = float("nan")  # one run has no loss at all: it may have failed
    (finding,) = (one for one in Runs.from_frame(table, missing="drop").findings if one.code == "rows-dropped")
    assert "failed runs" in finding.message


def test_a_run_of_a_log_is_its_rows_group_unless_there_is_another_or_it_has_one_step():
    runs = Runs.from_frame(log_of("cosine", "cooled"))
    grouped = grouped_by_run(runs)
    assert grouped.group.tolist() == runs["run_id"].tolist()
    assert grouped.origin.columns["group"] == "run_id"
    assert grouped_by_run(grouped) is grouped
    last = runs.take(np.array([4, 9]), "final")
    assert grouped_by_run(last) is last
    seeds = runs.take(np.array([4, 4, 9, 9]), "where")
    assert grouped_by_run(seeds) is seeds


METRICS = "run_uuid,key,value,timestamp,step\n" + "".join(
    f"r{run},{key},{value},{step},{step}\n"
    for run in range(3)
    for step in (100, 200)
    for key, value in (("n_params", 1e7 * 2**run), ("tokens", step * 1e6), ("eval/loss", 4 - 0.1 * run - step / 1000))
)
"""A log of metrics as MLflow keeps it: one number a row."""


def test_a_log_with_one_metric_a_row_is_answered_with_the_line_that_turns_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text(METRICS)
    with pytest.raises(RunsError, match="a column for each metric") as refused:
        read_runs("log.csv")
    assert len(str(refused.value).splitlines()) == 3
    command = shlex.split(str(refused.value).splitlines()[-1])
    assert command[:2] == ["python", "-c"]
    subprocess.run([sys.executable, *command[1:]], check=True, timeout=100)
    runs = read_runs("log.metrics.csv", final=True)
    assert runs["run_uuid"].tolist() == ["r0", "r1", "r2"]
    np.testing.assert_allclose(runs.loss, [3.8, 3.7, 3.6])
    np.testing.assert_array_equal(runs["params"], [1e7, 2e7, 4e7])


def test_a_frame_of_such_a_log_is_answered_with_its_own_line():
    frame = pd.read_csv(io.StringIO(METRICS))
    with pytest.raises(RunsError) as refused:
        Runs.from_frame(frame)
    turned = eval(str(refused.value).splitlines()[-1], {"frame": frame})
    assert len(Runs.from_frame(turned)) == 6
