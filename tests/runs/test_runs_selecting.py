"""Selections: what they keep, and that nothing but comparisons is ever read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxscale.errors import RunsError, UsageError
from jaxscale.runs import Runs, read_runs

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
