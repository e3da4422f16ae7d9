"""What is proposed for a role without a column: headers with units, and a line that turns a wide table."""

import os
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jaxscale.errors import RunsError
from jaxscale.runs import Runs, read_runs

PARAMS, TOKENS, LOSSES = np.array([1e8, 2e8, 4e8]), np.array([2e9, 4e9, 8e9]), (3.4, 3.2, 3.0)


def told(read, text):
    """Return the values of --map and --scale that the refusal of a table tells to type, as `read_runs` takes them."""
    with pytest.raises(RunsError) as refused:
        read(text)
    line = str(refused.value).splitlines()[-1].partition(":")[2]
    words = list(pairwise(shlex.split(line)))
    maps = dict(word.split("=", 1) for option, word in words if option == "--map")
    scales = (word.rpartition("=") for option, word in words if option == "--scale")
    return {"map": maps, "scale": {header: float(factor) for header, _, factor in scales}}


def table(**columns):
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(f"{cell:.10g}" for cell in row) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    ("params", "tokens"),
    [
        ("params (M)", "tokens (B)"),
        ("Params (millions)", "Tokens (billions)"),
        ("params_m", "tokens_b"),
        ("N params [M]", "training tokens in billions"),
        ("config.params (M)", "D (1e9)"),
        ("non-embedding params (M)", "tokens seen (bn)"),
    ],
)
def test_headers_with_units_are_proposed_with_their_factors_and_read_as_plain_counts(read, params, tokens):
    text = table(**{params: PARAMS / 1e6, tokens: TOKENS / 1e9, "loss": LOSSES})
    options = told(read, text)
    assert options == {"map": {"params": params, "tokens": tokens}, "scale": {params: 1e6, tokens: 1e9}}
    runs = read(text, **options)
    np.testing.assert_allclose(runs["params"], PARAMS, rtol=1e-9)
    np.testing.assert_allclose(runs["tokens"], TOKENS, rtol=1e-9)


@pytest.mark.parametrize("params", ["n_params", "params (non-embedding)"])
@pytest.mark.parametrize(
    ("header", "factor"),
    [("PF-days", 8.64e19), ("compute (PF-days)", 8.64e19), ("pf_days", 8.64e19), ("training EFLOPs", 1e18)],
)
def test_a_unit_of_compute_is_proposed_for_flops_and_never_for_tokens(read, params, header, factor):
    text = table(**{params: PARAMS, header: 6 * PARAMS * TOKENS / factor, "loss": LOSSES})
    options = told(read, text)
    assert options["map"].pop("flops") == header
    assert options["map"] == ({} if params == "n_params" else {"params": params})
    assert options["scale"] == {header: factor}
    runs = read(text, map={**options["map"], "flops": header}, scale=options["scale"])
    np.testing.assert_allclose(runs["tokens"], TOKENS, rtol=1e-8)


@pytest.mark.parametrize("header", ["TFLOP/s", "tflops_per_gpu", "lr", "gpu_hours"])
def test_a_rate_or_another_number_is_not_proposed_for_compute(read, header):
    text = table(n_params=PARAMS, **{header: (1, 2, 3)}, loss=LOSSES)
    assert told(read, text) == {"map": {"tokens": "COLUMN"}, "scale": {}}


SPREADS = (
    "Step,a - loss,a - loss__MIN,a - loss__MAX,b - loss,b - loss__MIN,b - loss__MAX\n"
    "100,3.5,3.4,3.6,3.6,3.5,3.7\n200,3.2,3.1,3.3,,,\n"
)


def command_of(message):
    """Run the last line of a message, a command of Python, in the current folder."""
    line = message.splitlines()[-1]
    assert line.startswith("python -c ")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(["sh", "-c", line], check=True, env={**os.environ, "PATH": path}, capture_output=True)


@pytest.mark.parametrize(
    ("text", "name", "rows"),
    [
        ("step,run-a,run-b\n100,3.5,3.6\n200,3.2,3.3\n", "run", 4),
        (SPREADS, "run", 3),
        ("tokens,seed 1,seed 2,it's 3\n1e9,3.5,3.6,3.7\n2e9,3.2,3.3,3.4\n", "run", 6),
        ("epoch,70M,160M\n1,3.5,3.2\n2,3.4,3.1\n", "tokens", 4),
        ("step,70M,160M\n100,3.5,3.2\n200,3.4,3.1\n", "params", 4),
        ("tokens (B),70M,160M\n1,3.5,3.2\n2,3.4,3.1\n", "params", 4),
        ("tokens_b,loss_70M,loss_160M\n1,3.5,3.2\n2,3.4,3.1\n", "run", 4),
    ],
)
def test_a_column_of_losses_per_run_is_recognised_and_turned(tmp_path, monkeypatch, text, name, rows):
    monkeypatch.chdir(tmp_path)
    Path("sweep.csv").write_text(text)
    with pytest.raises(RunsError) as refused:
        read_runs("sweep.csv")
    assert "one row per run" in str(refused.value)
    assert len(str(refused.value).splitlines()) <= 3
    command_of(str(refused.value))
    turned = pd.read_csv("sweep.long.csv")
    assert list(turned.columns)[1:] == [name, "loss"]
    assert len(turned) == rows
    assert turned["loss"].between(3, 4).all()


def test_a_table_of_sizes_against_tokens_reads_once_it_is_turned(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("grid.csv").write_text("params,1B,2B\n1e8,3.5,3.4\n2e8,3.2,3.1\n")
    with pytest.raises(RunsError, match="here with --units") as refused:
        read_runs("grid.csv")
    command_of(str(refused.value))
    runs = read_runs("grid.long.csv", units=True)
    np.testing.assert_array_equal(runs["tokens"], [1e9, 1e9, 2e9, 2e9])
    np.testing.assert_array_equal(runs.loss, [3.5, 3.2, 3.4, 3.1])


@pytest.mark.parametrize(
    "text",
    ["step,lr,grad_norm\n1,1e-3,1.2\n2,1e-3,1.1\n", "params,tokens,score\n1e8,1e9,3\n", "params,tokens,a,b\n1,2,3,3\n"],
)
def test_a_table_that_merely_lacks_a_loss_is_not_called_wide(tmp_path, text):
    path = tmp_path / "runs.csv"
    path.write_text(text)
    with pytest.raises(RunsError) as refused:
        read_runs(path)
    assert "one row per run" not in str(refused.value)


def test_a_wide_frame_is_answered_with_its_own_melt():
    frame = pd.DataFrame({"step": [1, 2], "a": [3.0, 2.0], "b": [3.0, 2.5]})
    with pytest.raises(RunsError) as refused:
        Runs.from_frame(frame)
    turned = eval(str(refused.value).splitlines()[-1], {"frame": frame})
    assert turned["loss"].tolist() == [3.0, 2.0, 3.0, 2.5]


@pytest.mark.parametrize(
    "lines",
    [
        '{"params": 1e8, "tokens": 1e9, "loss": 3.0}\n{"params": 2e8, "tokens": 2e9, "loss": 2.9}\n',
        '{"config": {"n_params": 1e8, "tokens": 1e9}, "summary": {"val_loss": 3.0}}\n'
        '{"config": {"n_params": 2e8, "tokens": 2e9}, "summary": {"val_loss": 2.9}}\n',
    ],
    ids=["flat", "nested"],
)
@pytest.mark.parametrize("name", ["runs.jsonl", "a table.csv"])
def test_json_lines_are_recognised_whatever_the_name_of_their_file(tmp_path, monkeypatch, name, lines):
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(lines)
    runs = read_runs(name)
    np.testing.assert_array_equal(runs["params"], [1e8, 2e8])
    np.testing.assert_array_equal(runs.loss, [3.0, 2.9])
    assert Path(name).read_text() == lines


FRAME = pd.DataFrame({"params": [1e8, 2e8], "tokens": [1e9, 2e9], "loss": [3.0, 2.9], "run": ["a", "b"]})


@pytest.mark.parametrize("levels", [["params"], ["params", "tokens"], ["run", "params", "tokens"], ["loss"]])
def test_levels_of_an_index_that_have_a_name_are_columns(levels):
    one, other = Runs.from_frame(FRAME.set_index(levels)), Runs.from_frame(FRAME)
    for name in ("params", "tokens", "loss", "run"):
        assert one[name].tolist() == other[name].tolist()
    kept = Runs.from_frame(FRAME.set_index("params", drop=False))
    np.testing.assert_array_equal(kept["params"], other["params"])


def test_an_index_that_contradicts_a_column_is_refused():
    frame = FRAME.set_index("params", drop=False)
    frame["params"] = [7.0, 8.0]
    with pytest.raises(RunsError, match="'params' is a column and a level of the index"):
        Runs.from_frame(frame)


def test_an_index_without_a_name_is_pointed_at_where_a_column_is_missing():
    frame = FRAME.set_index("params").rename_axis(None)
    with pytest.raises(RunsError, match=r"frame\.rename_axis\('params'\)"):
        Runs.from_frame(frame)
    np.testing.assert_array_equal(Runs.from_frame(frame.rename_axis("params"))["params"], [1e8, 2e8])
    with pytest.raises(RunsError) as refused:
        Runs.from_frame(FRAME.drop(columns="params"))  # counted from 0: no input hides there
    assert "rename_axis" not in str(refused.value)


def test_names_of_columns_with_several_levels_are_joined():
    frame = pd.concat([FRAME, FRAME.assign(loss=FRAME["loss"] + 0.1)]).groupby(["params", "tokens"])
    table = frame.agg({"loss": ["mean", "std"]})
    runs = Runs.from_frame(table, map={"loss": "loss mean", "sigma": "loss std"})
    np.testing.assert_allclose(runs.loss, [3.05, 2.95])
    np.testing.assert_allclose(runs.sigma, [0.1 / np.sqrt(2)] * 2)
