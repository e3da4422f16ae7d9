"""Sizes as people write them: read under `units`, and refused without, with what reads them."""

import numpy as np
import pytest

from jaxscale.errors import RunsError
from jaxscale.runs import read_runs


def test_without_the_option_every_such_cell_is_refused_with_the_option_that_reads_it(field):
    with pytest.raises(RunsError, match="--units reads"):
        read_runs(field / "unit_words.csv")


def test_a_lower_limit_is_no_number_and_its_row_can_be_left_out_as_the_message_says(field):
    with pytest.raises(RunsError, match="1 unreadable") as caught:
        read_runs(field / "unit_words.csv", units=True)
    assert "row 8 (line 9) '300B+' is a limit" in str(caught.value)
    assert '--where "row != 8"' in str(caught.value)
    runs = read_runs(field / "unit_words.csv", units=True, where=["row != 8"])
    np.testing.assert_array_equal(runs["params"], [70e6, 160e6, 0.41e9, 1.4e9, 1.4e9, 1.4e9, 1.4e9])
    np.testing.assert_array_equal(runs["tokens"], np.full(7, 3e11))


def test_runs_are_selected_by_their_row_in_a_sheet_and_afterwards(field):
    runs = read_runs(field / "base.csv", where=["row > 3 and row != 5"])
    assert runs.row.tolist() == [4, *range(6, 26)]
    assert runs.where("row <= 7").row.tolist() == [4, 6, 7]


def test_a_column_of_that_name_goes_before_the_number_of_the_row(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("row,params,tokens,loss\n7,1e8,1e9,3\n8,1e8,2e9,2.9\n")
    assert read_runs(path, where=["row == 8"]).loss.tolist() == [2.9]
