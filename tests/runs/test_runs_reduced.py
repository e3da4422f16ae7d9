"""Invalid cells in rows that `--final`, `--annealed` and `--lowest-per` leave out, and in rows that they keep."""

import numpy as np
import pytest

from jaxscale.errors import RunsError

HEADER = "run,step,params,tokens,loss,lr"
ROWS = [
    [name, 100 * step, size, step * 1e9, 3.5 - 0.1 * step - 1e-9 * size, 1 / step]
    for name, size in (("a", 1e8), ("b", 2e8))
    for step in range(1, 5)
]
PARAMS, TOKENS, LOSS = 2, 3, 4
INVALID = ["NaN", "Infinity", "-inf", "", "diverged", "0"]


def text_with(place=0, column=LOSS, word=str(ROWS[0][LOSS]), *, but=()):
    """Return the log as CSV with a word in one cell, without some columns."""
    rows = [list(map(str, row)) for row in ROWS]
    rows[place][column] = word
    kept = [at for at, name in enumerate(HEADER.split(",")) if name not in but]
    return "\n".join(",".join(row[at] for at in kept) for row in [HEADER.split(","), *rows]) + "\n"


def assert_alike(runs, others):
    assert runs.row.tolist() == others.row.tolist()
    assert runs.origin.left_out == others.origin.left_out
    for name in ("params", "tokens", "flops", "loss", "weight"):
        np.testing.assert_array_equal(runs[name], others[name])


@pytest.mark.parametrize("word", INVALID)
@pytest.mark.parametrize("column", [TOKENS, LOSS])
@pytest.mark.parametrize("option", [{"final": True}, {"annealed": True}], ids=str)
def test_what_stands_in_a_row_on_the_way_changes_nothing(read, option, column, word):
    runs = read(text_with(1, column, word), **option)
    assert runs.row.tolist() == [4, 8]
    assert_alike(runs, read(text_with(), **option))


@pytest.mark.parametrize("word", INVALID)
@pytest.mark.parametrize("column", [PARAMS, TOKENS, LOSS])
@pytest.mark.parametrize("option", [{"final": True}, {"annealed": True}], ids=str)
def test_a_row_that_is_kept_is_refused_by_its_number_and_no_earlier_one_is_taken(read, option, column, word):
    with pytest.raises(RunsError, match=r"1 cell that the fit needs (.|\n)*: row 8 ") as refused:
        read(text_with(7, column, word), **option)
    assert "row 2" not in str(refused.value)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "diverged"])
def test_a_row_of_which_cannot_be_told_whether_it_is_the_last_is_refused(read, word):
    with pytest.raises(RunsError, match="row 2"):
        read(text_with(1, TOKENS, word, but=["step"]), final=True)
    with pytest.raises(RunsError, match="row 2"):
        read(text_with(1, PARAMS, word), final=True)
    assert read(text_with(0, TOKENS, "0", but=["step"]), final=True).row.tolist() == [4, 8]


@pytest.mark.parametrize("word", ["NaN", "Infinity", ""])
def test_a_run_without_a_finite_loss_is_the_lowest_of_no_cell_that_has_another(read, word):
    grid = {"lowest_per": {"params": 0.1}}
    runs = read(text_with(1, LOSS, word), **grid)
    assert_alike(runs, read(text_with(), **grid))
    with pytest.raises(RunsError, match="row 2"):
        read(text_with(1, LOSS, word), lowest_per={"params": 0.1, "tokens": 0.1})
    with pytest.raises(RunsError, match="1 cell that the fit needs"):
        read(text_with(1, PARAMS, word), **grid)


def test_the_lowest_row_is_refused_for_its_other_cells(read):
    with pytest.raises(RunsError, match="row 4"):
        read(text_with(3, TOKENS, "Infinity"), lowest_per={"params": 0.1})
    with pytest.raises(RunsError, match=r"row 4 .* is not above zero"):
        read(text_with(3, LOSS, "0"), lowest_per={"params": 0.1})


def test_rows_are_left_out_by_steps_before_they_are_by_cells(read):
    runs = read(text_with(0, TOKENS, "0"), final=True, lowest_per={"params": 0.1, "tokens": 0.5})
    assert runs.row.tolist() == [4, 8]
    with pytest.raises(RunsError, match="row 1"):
        read(text_with(0, TOKENS, "0"), lowest_per={"params": 0.1, "tokens": 0.5})


def test_without_such_an_option_every_row_is_refused_as_before(read):
    with pytest.raises(RunsError, match="1 cell that the fit needs cannot be used"):
        read(text_with(1, LOSS, "Infinity"))


def test_dropping_comes_first_where_it_is_asked_for(read):
    assert read(text_with(7, LOSS, "NaN"), final=True, missing="drop").row.tolist() == [4, 7]


def test_a_derived_size_may_leave_the_range_of_float64_in_a_row_on_the_way(read):
    text = text_with(1, TOKENS, "1e305")
    assert read(text, final=True).row.tolist() == [4, 8]
    with pytest.raises(RunsError, match="leaves the range of float64 in row 2"):
        read(text)


def test_a_formula_may_be_undefined_in_a_row_on_the_way(read):
    text, options = text_with(0, TOKENS, "0"), {"map": {"loss": "loss + log(tokens) - log(tokens)"}}
    assert read(text, final=True, **options).row.tolist() == [4, 8]
    with pytest.raises(RunsError):
        read(text, **options)
