"""Selections: what they keep, that nothing but comparisons is read, and the one that leaves out certain rows."""

import shlex

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs, read_runs
from jaxscale.runs.selecting import separation_of

TABLE = (
    "Model Size,D,L,run name,n-epochs,config.lr\n1e8,2e9,3.5,base,1,0.1\n2e8,4e9,3.2,it's,2,\n4e8,8e9,3.0,base,3,0.3\n"
)

SELECTIONS = [
    ("loss < 3.4", [2, 3]),
    ("3.0 < loss <= 3.5", [1, 2]),
    ("L >= 3.2", [1, 2]),
    ("params == 2e8", [2]),
    ("N != 2e8", [1, 3]),
    ("`Model Size` > 1e8 and tokens < 5e9", [2]),
    ("not (loss < 3.1 or loss > 3.4)", [2]),
    ("`run name` == 'base'", [1, 3]),
    ('`run name` == "it\'s"', [2]),
    ("tokens > params", [1, 2, 3]),
    ("`n-epochs` >= +2 and -1 < params", [2, 3]),
    ("flops < 2e18", [1]),
    ("`config.lr` < 1", [1, 3]),
    ("`config.lr` != 0.1", [2, 3]),
    ("3.4 > loss", [2, 3]),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text(TABLE)
    return path


@pytest.mark.parametrize(("expression", "rows"), SELECTIONS)
def test_a_selection_keeps_the_same_rows_before_and_after_reading(path, expression, rows):
    assert read_runs(path, where=[expression]).row.tolist() == rows
    assert read_runs(path).where(expression).row.tolist() == rows


@pytest.mark.parametrize(
    ("expression", "word", "under"),
    [
        ("loss <", "cannot be read", None),
        ("loss = 3", "'=='", "="),
        ("loss < 3 & params > 1", "'and'", None),
        ("los < 3", "'loss'", "los"),
        ("loss < 3 and parms > 1", "'params'", "parms"),
        ("loss", "alone", "loss"),
        ("config.lr < 1", "backquotes", "config.lr"),
        ("n-epochs < 1", "backquotes", "n-epochs"),
        ("`run name < 1", "not closed", "`"),
        ("`run name` == base", "'base'", "base"),
        ("`run name` < 'b'", "no order", "`run name`"),
        ("`run name` == 3", "quotes", "`run name`"),
        ("loss == '3'", "leave the quotes", "loss"),
        ("1 < 2", "no value is compared", "1"),
        ("loss < True", "quotes", "True"),
        ("loss < 1e999", "too large", "1e999"),
        ("loss in (1, 2)", "only comparisons", None),
        ("__import__('os').system('x') == 0", "only comparisons", None),
        ("loss.__class__ == 1", "backquotes", "loss.__class__"),
        ("(lambda: 1)() == 1", "only comparisons", None),
        ("loss < 9**9**9", "only comparisons", "9**9"),
        ("f'{loss}' == 'a'", "only comparisons", None),
        ("[loss for loss in (1,)] == 1", "only comparisons", None),
        ("(" * 300 + "loss < 1" + ")" * 300, "", None),
        ("not " * 200 + "loss < 1", "nested", None),
        ("loss < 1 or " * 200 + "loss < 1", "1000 characters", None),
        ("loss < 1\x00", "", None),
        ("`run name` == 'a\\d'", "backslash", "\\\\"),
        ("", "cannot be read", None),
        ("é == 1 and los < 3", "é", None),
    ],
)
def test_anything_but_a_comparison_is_refused_with_a_caret_under_it(path, expression, word, under):
    with pytest.raises(UsageError) as caught:
        read_runs(path, where=[expression])
    message = str(caught.value)
    lines = message.splitlines()
    assert word in message
    assert caught.value.exit_code == 2
    assert len(lines) <= 3
    if under is not None:
        assert lines[1][lines[2].index("^") :].startswith(under)


def test_a_number_compared_with_unreadable_cells_names_them(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,L,s\n1,1,3,a\n1,1,diverged,b\n1,1,x,b\n")
    with pytest.raises(RunsError) as caught:
        read_runs(path, where=["loss < 4"])
    for word in ("runs.csv", "'L'", "row 2 (line 3) 'diverged'", "row 3 (line 4) 'x'"):
        assert word in str(caught.value)


def test_conditions_before_and_protect_those_after_it(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,L,s\n1,1,3,a\n1,1,diverged,b\n1,1,5,a\n")
    assert read_runs(path, where=["s == 'a' and loss < 4"]).row.tolist() == [1]
    assert read_runs(path, where=["s == 'a'", "loss < 4"]).row.tolist() == [1]
    assert read_runs(path, where=["s == 'b' or loss < 4", "s == 'a'"]).row.tolist() == [1]


def test_a_selection_appends_to_the_origin():
    runs = Runs.from_arrays(params=[1, 2, 3], tokens=[1, 2, 3], loss=[3, 2, 1])
    once = runs.where("loss < 3")
    twice = once.where("params < 3", "tokens > 0")
    assert twice.origin.where == ("loss < 3", "params < 3", "tokens > 0")
    assert twice.origin.left_out == {"where": 2}
    assert twice.row.tolist() == [2]
    assert runs.origin.where == ()


def test_a_selection_that_leaves_nothing_is_refused():
    with pytest.raises(RunsError, match="no row of 1"):
        Runs.from_arrays(params=[1], tokens=[1], loss=[1]).where("loss > 1")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_no_text_does_anything_but_select_or_be_refused(text):
    runs = Runs.from_arrays(params=np.array([1.0, 2.0]), tokens=np.array([1.0, 2.0]), loss=np.array([3.0, 2.0]))
    try:
        said = "" if runs.where(text).row.tolist() in ([1], [2], [1, 2]) else "rows\nthat\ndo\nnot exist"
    except (UsageError, RunsError) as error:
        said = str(error)
    assert len(said.splitlines()) <= 3


STATES = ["ok"] * 5 + ["crashed", "crashed"] + ["ok"] * 5
SEPARATED = {
    "a label": ("state", STATES, "state"),
    "a label with spaces and quotes": ("what's `this` state", STATES, None),
    "a header with spaces": ("final state", STATES, "final state"),
    "a value with a quote": ("state", ["it's fine"] * 5 + ["it's off"] * 2 + ["it's fine"] * 5, "state"),
    "a value with both quotes": ("state", ["fine"] * 5 + ['it\'s "off"'] * 2 + ["fine"] * 5, None),
    "a value with a dollar and a space": ("end state", ["fine"] * 5 + ["lost $HOME"] * 2 + ["fine"] * 5, "end state"),
    "a blank": ("state", ["fine"] * 5 + [""] * 2 + ["fine"] * 5, "state"),
    "a mark": ("is_clean", [1] * 5 + [0] * 2 + [1] * 5, "is_clean"),
    "a number beyond the others": (
        "grad.norm",
        [0.4, 0.5, 0.7, 0.1, 0.9, 31.5, 2e4, 0.3, 0.2, 0.6, 1.1, 1],
        "grad.norm",
    ),
    "names alone": ("run", [f"run-{k}" for k in range(12)], None),
    "a label that tells others too": ("state", ["ok"] * 4 + ["crashed"] * 3 + ["ok"] * 5, None),
    "a column that has the name of rows": ("row", [f"{k}-th" for k in range(12)], "loss"),
}


def written(path, header, cells):
    quoted = [f'"{one}"' for one in (str(cell).replace('"', '""') for cell in cells)]
    losses = [3.5, 3.4, 3.3, 3.2, 3.1, 10.8, 10.7, 3.0, 2.9, 2.8, 2.7, 2.6]
    rows = [f"{(k + 1) * 1e8:g},2e9,{loss},{cell}" for k, (loss, cell) in enumerate(zip(losses, quoted, strict=True))]
    path.write_text("\n".join([f'params,tokens,loss,"{header}"', *rows]) + "\n")
    return path


@pytest.mark.parametrize("kind", SEPARATED)
def test_what_is_printed_leaves_out_these_rows_and_no_other(tmp_path, kind):
    header, cells, column = SEPARATED[kind]
    path = written(tmp_path / "runs.csv", header, cells)
    found = separation_of(read_runs(path), [6, 7])
    words = shlex.split(found.options)
    assert words[::2] == ["--where"] * (len(words) // 2)
    assert read_runs(path, where=words[1::2]).row.tolist() == [1, 2, 3, 4, 5, 8, 9, 10, 11, 12]
    if column is None:
        assert found.why == ""
    else:
        assert f"'{column}'" in found.why
        assert "in these rows alone" in found.why


def test_rows_keep_their_numbers_in_a_second_selection(tmp_path):
    path = written(tmp_path / "runs.csv", "run", range(12))
    once = read_runs(path, where=["loss < 3.45"])  # without the first row and those at 10.8
    assert once.where("row != 8").row.tolist() == [2, 3, 4, 5, 9, 10, 11, 12]
    assert read_runs(path, where=["loss < 3.45", "row != 8"]).row.tolist() == [2, 3, 4, 5, 9, 10, 11, 12]


def test_many_rows_are_left_out_by_ranges_and_by_several_options():
    runs = Runs.from_arrays(params=np.arange(1.0, 2001), tokens=np.ones(2000), loss=np.tile([2.0, 3.0], 1000))
    rows = [*range(3, 900, 7), *range(1000, 1200)]
    found = separation_of(runs, rows)
    assert len(found.where) > 1
    assert "not 1000 <= row <= 1199" in found.where[-1]
    assert runs.where(*found.where).row.tolist() == sorted(set(range(1, 2001)) - set(rows))


def test_one_row_is_not_explained_by_being_the_largest_of_a_column():
    """Of any column one row has the largest number; it explains the row only where it lies far from the rest."""
    numbers = {"params": np.arange(1.0, 13), "tokens": np.ones(12), "loss": np.arange(12.0) + 1}
    runs = Runs.from_arrays(**numbers, step=np.arange(12.0))
    assert separation_of(runs, [12]).where == ("row != 12",)
    far = Runs.from_arrays(**numbers, step=np.r_[np.arange(11.0), 500.0])
    assert "'step' is above" in separation_of(far, [12]).why
