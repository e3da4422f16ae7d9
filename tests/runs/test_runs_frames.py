"""DataFrames and arrays: the same table whichever door it came through."""

import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs, read_runs

COLUMNS = {"params": [1e8, 2e8, 4e8], "tokens": [2e9, 4e9, 8e9], "loss": [3.5, 3.2, 3.0]}


def frame(**columns):
    return pd.DataFrame({**COLUMNS, **columns})


def test_a_frame_and_its_csv_give_the_same_runs(tmp_path):
    table = frame(run=["a", "b", "c"], seed=[1, 2, 3])
    path = tmp_path / "runs.csv"
    table.to_csv(path, index=False)
    one, other = Runs.from_frame(table), read_runs(path)
    for name in ("params", "tokens", "flops", "loss", "seed"):
        np.testing.assert_array_equal(one[name], other[name])
    assert one.labels["run"].tolist() == other.labels["run"].tolist()


@pytest.mark.parametrize(
    "params",
    [
        pytest.param(pd.array([10**8, 2 * 10**8, 4 * 10**8], dtype="Int64"), id="nullable"),
        pytest.param(pd.array([1e8, 2e8, 4e8], dtype="Float64"), id="nullable-float"),
        pytest.param(pd.Categorical([1e8, 2e8, 4e8]), id="categorical"),
        pytest.param(np.array([1e8, 2e8, 4e8], dtype=np.float32), id="float32"),
        pytest.param([Decimal("1e8"), Decimal("2e8"), Decimal("4e8")], id="decimal"),
        pytest.param(pd.array([1e8, 2e8, 4e8], dtype=pd.SparseDtype(float)), id="sparse"),
    ],
)
def test_numbers_of_any_type_are_read_by_their_value(params):
    np.testing.assert_array_equal(Runs.from_frame(frame(params=params))["params"], COLUMNS["params"])


def test_int64_columns_do_not_overflow_when_multiplied():
    runs = Runs.from_frame(pd.DataFrame({"N": [7 * 10**10], "D": [10**13], "L": [2.0]}))
    np.testing.assert_allclose(runs["flops"], [4.2e24], rtol=1e-15)


def test_numbers_stored_as_text_are_accepted_with_a_note():
    runs = Runs.from_frame(frame(params=["1e8", "2e8", "4e8"]))
    np.testing.assert_array_equal(runs["params"], COLUMNS["params"])
    assert [finding.code for finding in runs.findings] == ["numeric-text"]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("loss", [3.5, None, 3.0], ("row 2", "missing")),
        ("loss", [3.5, pd.NA, 3.0], ("row 2", "missing")),
        ("loss", [3.5, np.inf, 3.0], ("row 2", "infinite")),
        ("loss", [True, False, True], ("row 1", "'True'", "true or false")),
        ("loss", ["3.5", "x", "3"], ("row 2", "'x'")),
        ("loss", [3.5, [3.2], 3.0], ("row 2", "'[3.2]'")),
        ("loss", [3.5, 3.2 + 1j, 3.0], ("'(3.2+1j)'",)),
        ("tokens", [2e9, -4e9, 8e9], ("row 2", "'-4000000000'", "above zero")),
        ("params", pd.to_datetime(["2024-01-01"] * 3), ("2024", "not a number")),
    ],
)
def test_a_frame_is_judged_as_strictly_as_a_file(column, values, words):
    with pytest.raises(RunsError) as caught:
        Runs.from_frame(frame(**{column: values}))
    assert not [word for word in (*words, "<frame>", f"'{column}'") if word not in str(caught.value)], caught.value


def test_the_options_of_reading_hold_for_a_frame_too():
    table = frame(run=["a", "b", "c"]).rename(columns={"params": "size"})
    runs = Runs.from_frame(table, map={"params": "size"}, where=["loss < 3.4"], group="run", source="sweep")
    assert runs.group.tolist() == ["b", "c"]
    assert runs.row.tolist() == [2, 3]
    assert runs.origin.source == "sweep"


def test_duplicate_names_in_a_frame_are_refused():
    with pytest.raises(RunsError, match="the header repeats 'params'"):
        Runs.from_frame(pd.concat([frame(), frame()], axis=1))


@pytest.mark.parametrize("thing", [[1, 2], "runs.csv", None, 3])
def test_what_is_no_frame_is_refused(thing):
    with pytest.raises(UsageError, match="DataFrame"):
        Runs.from_frame(thing)


def test_a_mask_that_hides_nothing_is_no_mask():
    runs = Runs.from_arrays(**{name: np.ma.masked_array(values, False) for name, values in COLUMNS.items()})
    np.testing.assert_array_equal(runs.loss, COLUMNS["loss"])


def test_arrays_are_copied_and_read_only():
    params = np.array([1e8, 2e8])
    runs = Runs.from_arrays(params=params, tokens=[1e9, 2e9], loss=[3, 2])
    params[0] = 7
    assert runs["params"][0] == 1e8
    with pytest.raises(ValueError, match="read-only"):
        runs["params"][0] = 7
    assert params.flags.writeable


@pytest.mark.parametrize(("missing", "value"), [("params", 1e8), ("tokens", 2e9), ("flops", 1.2e18)])
def test_the_third_column_is_derived_from_arrays(missing, value):
    columns = {"params": [10**8], "tokens": [2 * 10**9], "flops": [1.2e18]}
    del columns[missing]
    runs = Runs.from_arrays(loss=[3.0], **columns)
    np.testing.assert_allclose(runs[missing], [value], rtol=1e-15)
    assert list(runs.origin.derived) == [missing]


def test_any_column_may_be_given_and_its_sign_is_not_judged():
    runs = Runs.from_arrays(loss=[-1.0, 2.0], shift=[-1, 0], run=["a", "b"], weight=[0, 2], group=[1, 2])
    np.testing.assert_array_equal(runs["shift"], [-1, 0])
    assert runs["run"].tolist() == ["a", "b"]
    assert runs["group"].tolist() == ["1", "2"]
    np.testing.assert_array_equal(runs["weight"], [0, 2])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"loss": [1, 2], "params": [1]}, ("different lengths", "'params' 1", "'loss' 2")),
        ({"loss": [1.0, np.nan]}, ("'loss'", "row 2", "not finite")),
        ({"loss": [1.0], "params": [np.inf]}, ("'params'", "not finite")),
        ({"loss": [[1.0]]}, ("'loss'", "(1, 1)", "one-dimensional")),
        ({"loss": 1.0}, ("'loss'", "()")),
        ({"loss": []}, ("0 runs",)),
        ({"loss": ["x"]}, ("'loss'", "'x'", "row 1")),
        ({"loss": [True]}, ("'loss'", "'True'")),
        ({"loss": [1.0], "weight": [-1]}, ("weight", "row 1")),
        ({"loss": [1.0, 1.0], "weight": [0, 0]}, ("no effective data",)),
        ({"loss": np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 1])}, ("'loss' is masked in 2 rows: row 2, 3",)),
        ({"loss": [1, 2], "params": np.ma.masked_equal([5, 7], 7)}, ("'params' is masked in 1 row: row 2",)),
        ({"loss": [1, 2], "weight": np.ma.masked_less([1.0, 2.0], 1.5)}, ("'weight' is masked", "row 1")),
        ({"loss": [1, 2], "sigma": np.ma.masked_less([1.0, 2.0], 1.5)}, ("'sigma' is masked", "row 1")),
        ({"loss": [1, 2], "group": np.ma.masked_array(["a", "b"], [0, 1])}, ("'group' is masked", "row 2")),
        ({"loss": [1, 2], "name": np.ma.masked_array(["a", "b"], [0, 1])}, ("'name' is masked", "row 2")),
        (
            {"loss": [1, 2], "lr": np.ma.masked_array(np.ones((2, 3)), [[0, 0, 0], [0, 1, 0]])},
            ("'lr' is masked", "row 2"),
        ),
        ({"loss": [1.0, np.ma.masked]}, ("'loss' is masked", "row 2")),
        ({"loss": np.ma.masked_array(1.0, True)}, ("'loss' is masked",)),
        ({"loss": pd.array([1.0, pd.NA], dtype="Float64")}, ("'loss'", "row 2", "not finite")),
        ({"loss": [1, 2], "params": pd.array([1, pd.NA], dtype="Int64")}, ("'params'", "row 2", "not finite")),
        ({"loss": [1, 2], "group": pd.array(["a", pd.NA], dtype="string")}, ("group is missing in row 2",)),
        ({"loss": [1, 2], "group": [None, "a"]}, ("group is missing in row 1",)),
        ({"loss": [1, 2], "sigma": [0.1, 0.0]}, ("sigma is not above zero in row 2",)),
        ({"loss": [1, 2], "sigma": [np.nan, 0.1]}, ("'sigma'", "row 1", "not finite")),
        ({"loss": [1.0], "params": [0], "flops": [1]}, ("tokens = flops / (6 params)", "row 1")),
        ({"loss": [1.0, 2.0], "params": [1e9, "1e9x"]}, ("'params'", "row 2", "'1e9x'")),
        ({"loss": [1.0], "group": ["a", "b"]}, ("different lengths", "'group' 2")),
    ],
)
def test_arrays_that_cannot_be_runs_are_refused(columns, words):
    with pytest.raises(RunsError) as caught:
        Runs.from_arrays(**columns)
    assert not [word for word in words if word not in str(caught.value)], caught.value


@pytest.mark.parametrize("empty", [{}, pd.DataFrame(), pd.DataFrame(index=[1, 2])])
def test_a_frame_without_columns_is_refused(empty):
    with pytest.raises(RunsError, match="no columns: the table is empty"):
        Runs.from_frame(empty)


def test_equal_arrays_have_equal_digests_and_other_arrays_other_ones():
    digests = {Runs.from_arrays(**{**COLUMNS, "loss": [3.5, 3.2, last]}).origin.sha256 for last in (3.0, 3, 2.9)}
    assert len(digests) == 2


def test_runs_survive_a_trip_to_another_process():
    runs = Runs.from_arrays(**COLUMNS, run=["a", "b", "c"])
    again = pickle.loads(pickle.dumps(runs))
    np.testing.assert_array_equal(again["params"], runs["params"])
    assert again.origin == runs.origin


def test_an_unknown_column_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match="'params'"):
        Runs.from_arrays(**COLUMNS)["parms"]


def test_tokens_per_param_are_there_wherever_both_are():
    runs = Runs.from_arrays(params=[1e8, 2e8], flops=[6e17, 2.4e18], loss=[3.0, 2.9])
    np.testing.assert_allclose(runs["tokens_per_param"], [10.0, 10.0], rtol=1e-15)
    assert list(runs.origin.derived) == ["tokens"]  # the ratio is no role of a table
    given = Runs.from_arrays(params=[1e8], tokens=[1e9], tokens_per_param=[7.0], loss=[3.0])
    assert given["tokens_per_param"] == [7.0]
    assert "tokens_per_param" not in Runs.from_arrays(params=[1e8], loss=[3.0]).columns


def test_a_ratio_that_is_no_number_refuses_no_table():
    runs = Runs.from_arrays(params=[0.0, 1e8], tokens=[1e9, 1e9], loss=[3.0, 2.9])
    assert np.isinf(runs["tokens_per_param"][0])
