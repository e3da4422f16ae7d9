"""The selection that leaves out certain rows: it is the one that is printed, it runs, and it leaves out no other."""

import shlex

import numpy as np
import pytest

from jaxscale.runs import Runs, read_runs
from jaxscale.runs.separating import separation_of

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
