"""The run of least loss in each cell of a grid, against pandas, and what is no grid."""

import numpy as np
import pandas as pd
import pytest

import jaxscale as js
from jaxscale.runs import read_runs


def frame(rows=300, seed=5):
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "params": 10 ** random.uniform(7, 9, rows),
            "tokens": 10 ** random.uniform(8, 10, rows),
            "loss": random.uniform(2, 3, rows),
            "corpus": random.choice(["c4", "pile"], rows),
        }
    )


def lowest_rows(table, names, width, by=()):
    """Rows, counted from 1, of the least loss of each cell, by pandas."""
    cells = [np.floor(np.log10(table[name]) / width) for name in names]
    return sorted(table.groupby([*cells, *(table[one] for one in by)])["loss"].idxmin() + 1)


def test_the_lowest_of_each_cell_is_that_of_pandas():
    table = frame()
    runs = js.Runs.from_frame(table, lowest_per={"params": 1 / 3, "tokens": 1 / 3})
    assert runs.row.tolist() == lowest_rows(table, ["params", "tokens"], 1 / 3)
    assert runs.origin.left_out == {"lowest": 300 - len(runs)}
    assert runs.origin.lowest_per == {"params": 1 / 3, "tokens": 1 / 3}


def test_cells_of_other_groups_and_widths_are_others():
    table = frame()
    runs = js.Runs.from_frame(table, group="corpus", lowest_per={"params": 0.5})
    assert runs.row.tolist() == lowest_rows(table, ["params"], 0.5, by=["corpus"])


def test_selections_come_first_and_lines_of_the_grid_belong_to_the_cell_above(tmp_path):
    """1e9 is 27 thirds of a decade, a number that 9 / (1 / 3) need not be."""
    path = tmp_path / "runs.csv"
    path.write_text("params,tokens,loss\n1e9,1e9,3\n0.99e9,1e9,2.9\n1.1e9,1e9,3.1\n3e9,1e9,2\n1e9,1e9,1\n")
    runs = read_runs(path, where=["loss > 1"], lowest_per={"params": 1 / 3})
    assert runs.row.tolist() == [1, 2, 4]
    assert runs.origin.left_out == {"where": 1, "lowest": 1}


def test_of_equal_losses_the_first_is_kept():
    table = pd.DataFrame({"params": [1e8] * 4, "tokens": 1e9, "loss": [4.0, 3.0, 3.0, 4.0]})
    assert js.Runs.from_frame(table, lowest_per={"params": 1.0}).row.tolist() == [2]


@pytest.mark.parametrize(
    ("lowest_per", "error", "message"),
    [
        ({"params": 0.0}, js.UsageError, "positive number of decades"),
        ({"params": float("inf")}, js.UsageError, "positive number of decades"),
        (["params"], js.UsageError, "is no mapping; write for example"),
        ({"size": 0.5}, js.RunsError, "no column of numbers of the table; columns: .*params"),
        ({"shift": 0.5}, js.RunsError, "not above zero in row 2"),
    ],
)
def test_what_is_no_grid_is_refused(lowest_per, error, message):
    table = frame(5).assign(shift=[1.0, -1.0, 2.0, 3.0, 4.0])
    with pytest.raises(error, match=message):
        js.Runs.from_frame(table, lowest_per=lowest_per)
