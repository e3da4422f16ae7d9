"""What people bring: frames of other libraries, dicts, JSON lines, workbooks and exports of trackers."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

import jaxscale as js

COLUMNS = {"params": [1e8, 2e8, 3e8], "tokens": [1e10, 2e10, 3e10], "loss": [3.0, 2.5, 2.4], "run": ["a", "b", "c"]}


def arrow():
    return pytest.importorskip("pyarrow", reason="no pyarrow: Arrow's tables are not tested").table(COLUMNS)


def polars():
    return pytest.importorskip("polars", reason="no polars: its frames are not tested").DataFrame(COLUMNS)


class OnlyInterchange:
    """A table that has the interchange protocol and nothing else."""

    def __dataframe__(self, nan_as_null=False, allow_copy=True):
        return arrow().__dataframe__()


class OnlyStream:
    """A table that gives Arrow's stream and nothing else."""

    def __arrow_c_stream__(self, requested_schema=None):
        return arrow().__arrow_c_stream__(requested_schema)


MADE = {
    "pandas": lambda: pd.DataFrame(COLUMNS),
    "polars": polars,
    "pyarrow": arrow,
    "interchange": OnlyInterchange,
    "stream": OnlyStream,
    "dict": lambda: dict(COLUMNS),
    "dict-of-arrays": lambda: {name: np.asarray(column) for name, column in COLUMNS.items()},
    "dict-of-series": lambda: {name: pd.Series(column) for name, column in COLUMNS.items()},
}


@pytest.mark.parametrize("library", MADE)
def test_a_table_of_any_library_gives_the_same_runs(library):
    runs = js.Runs.from_frame(MADE[library]())
    for name in ("params", "tokens", "loss"):
        np.testing.assert_array_equal(runs[name], COLUMNS[name])
    assert list(runs.labels["run"]) == COLUMNS["run"]
    assert runs.origin.sha256 == js.Runs.from_frame(pd.DataFrame(COLUMNS)).origin.sha256


@pytest.mark.parametrize("library", [one for one in MADE if one not in ("dict-of-series",)])
def test_a_missing_cell_is_missing_whatever_the_library(library):
    table = MADE[library]()
    lacking = {**COLUMNS, "loss": [3.0, None, 2.4]}
    made = {"polars": lambda: type(table)(lacking), "pyarrow": lambda: type(table).from_pydict(lacking)}
    table = made.get(library, lambda: pd.DataFrame(lacking) if library == "pandas" else lacking)()
    with pytest.raises(js.RunsError, match="column 'loss': row 2 '' is missing"):
        js.Runs.from_frame(table)


def test_columns_of_several_lengths_and_what_is_no_table_are_refused():
    with pytest.raises(js.RunsError, match="different lengths: 'params' 1, 'loss' 2"):
        js.Runs.from_frame({"params": [1e8], "loss": [1.0, 2.0]})
    with pytest.raises(js.RunsError, match=r"column 'loss' has shape \(1, 2\)"):
        js.Runs.from_frame({"params": [1e8], "loss": [[1.0, 2.0]]})
    with pytest.raises(js.UsageError, match="or a dict of columns, not int"):
        js.Runs.from_frame(3)


def test_without_pyarrow_another_frame_is_refused_with_the_extra(monkeypatch):
    table = OnlyStream()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(js.MissingDependencyError, match=r"pip install 'jaxscale\[parquet\]'"):
        js.Runs.from_frame(table)


def lines_of(*records):
    return "\n".join(json.dumps(one) for one in records)


def test_json_lines_are_read_with_dots_between_nested_names(read):
    records = [
        {"name": name, "config": {"n_params": params, "tokens": tokens}, "summary": {"eval/loss": loss}}
        for params, tokens, loss, name in zip(*COLUMNS.values(), strict=True)
    ]
    runs = read(lines_of(*records))
    assert runs.origin.columns == {"params": "config.n_params", "tokens": "config.tokens", "loss": "summary.eval/loss"}
    np.testing.assert_array_equal(runs.loss, COLUMNS["loss"])
    assert list(runs.labels["name"]) == ["a", "b", "c"]


def test_a_name_that_a_line_lacks_is_missing_there_and_nan_is_read(read):
    text = '{"params": 1e8, "tokens": 1e10, "loss": 3.0}\n{"params": 1e8, "tokens": 1e10}\n\n'
    text += '{"params": 2e8, "tokens": 1e10, "loss": NaN}\n{"params": 2e8, "tokens": 1e10, "loss": "Infinity"}'
    with pytest.raises(js.RunsError) as refused:
        read(text)
    for place in ("row 2 (line 2) '' is missing", "row 3 (line 4) '", "row 4 (line 5) 'Infinity' is infinite"):
        assert place in str(refused.value)
    assert len(read(text, missing="drop")) == 1


@pytest.mark.parametrize(("line", "why"), [("[1, 2]", "is no object in braces"), ("{broken", "is no JSON")])
def test_a_line_that_is_no_object_is_named(read, line, why):
    with pytest.raises(js.RunsError, match=f"line 2 {why}"):
        read(f'{{"params": 1e8, "tokens": 1e10, "loss": 3.0}}\n{line}')


def workbook(path, **sheets):
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return path


def test_a_workbook_is_read_by_its_one_sheet(tmp_path):
    pytest.importorskip("openpyxl", reason="no openpyxl: workbooks are not tested; install jaxscale[excel]")
    frame = pd.DataFrame(COLUMNS)
    runs = js.read_runs(workbook(tmp_path / "runs.xlsx", runs=frame, empty=pd.DataFrame()))
    np.testing.assert_array_equal(runs.loss, COLUMNS["loss"])
    assert list(runs.labels["run"]) == ["a", "b", "c"]
    two = workbook(tmp_path / "two.xlsx", runs=frame, notes=pd.DataFrame({"note": ["x"]}))
    with pytest.raises(js.RunsError, match="2 sheets hold cells: 'runs', 'notes'; save the one that holds the runs"):
        js.read_runs(two)


def test_without_openpyxl_the_extra_is_named(tmp_path, monkeypatch):
    pytest.importorskip("openpyxl", reason="no openpyxl: workbooks are not tested; install jaxscale[excel]")
    path = workbook(tmp_path / "runs.xlsx", runs=pd.DataFrame(COLUMNS))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(js.MissingDependencyError, match=r"pip install 'jaxscale\[excel\]'"):
        js.read_runs(path)


def test_names_are_read_by_their_last_part_where_nothing_else_has_the_role():
    columns = {
        "arch.n_params": [1e8, 2e8],
        "data/stats/total_tokens": [1e10, 2e10],
        "pile/held_out/val_loss": [3.0, 2.0],
    }
    runs = js.Runs.from_frame({**columns, "train/loss": [1.0, 2.0]})
    assert runs.origin.columns == dict(zip(("params", "tokens", "loss"), columns, strict=True))
    with pytest.raises(js.RunsError, match="'c4/val_loss' and 'pile/val_loss' could both be loss"):
        js.Runs.from_frame({"params": [1e8], "tokens": [1e10], "c4/val_loss": [3.0], "pile/val_loss": [2.0]})
    with pytest.raises(js.RunsError, match="no column for loss"):
        js.Runs.from_frame({"params": [1e8], "tokens": [1e10], "train/loss": [3.0]})
    seen = js.Runs.from_frame({"params": [1e8], "train/total_tokens": [1e10], "val/loss": [3.0]})
    assert seen.origin.columns["tokens"] == "train/total_tokens"


STATES = "params,tokens,loss,State\n1e8,1e10,3.1,finished\n2e8,1e10,{lost},crashed\n3e8,1e10,2.9,running\n"


def test_runs_that_did_not_finish_are_named_with_the_selection_that_leaves_them_out(read):
    runs = read(STATES.format(lost=3.3))
    (finding,) = [one for one in runs.findings if one.code == "unfinished-runs"]
    assert finding.rows == (2, 3)
    assert finding.message.startswith("2 rows are of runs that did not finish")  # of a log, a run has many rows
    where = finding.message.partition('--where "')[2].partition('"')[0]
    kept = read(STATES.format(lost=3.3), where=[where])
    assert list(kept.row) == [1]
    assert not [one for one in kept.findings if one.code == "unfinished-runs"]


def test_a_cell_that_only_a_crashed_run_lacks_is_left_out_by_its_state(read):
    with pytest.raises(js.RunsError, match=r"""--where "State != 'crashed' and State != 'running'" leaves out"""):
        read(STATES.format(lost="NaN"))


def test_a_column_of_states_in_which_all_or_none_finished_says_nothing(read):
    for state in ("finished", "crashed"):
        text = f"params,tokens,loss,State\n1e8,1e10,3.1,{state}\n2e8,1e10,3.0,{state}\n"
        assert not [one for one in read(text).findings if one.code == "unfinished-runs"]


def test_the_export_of_a_tracker_in_the_field_names_its_crashed_and_running_runs(field):
    with pytest.raises(js.RunsError, match="State != 'crashed' and State != 'running'"):
        js.read_runs(field / "wandb_runs.csv")
    runs = js.read_runs(field / "wandb_runs.csv", where=["State == 'finished'"])
    assert len(runs) == 9
    assert runs.origin.columns["loss"] == "summary.eval/loss"
