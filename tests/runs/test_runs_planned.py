"""Tables of runs that are not made yet: read like any other, but without a loss."""

import numpy as np
import pytest

import jaxscale as js
from jaxscale.runs import read_planned

ROWS = "N,D,site\n1e8,2e9,a\n2e8,4e9,b\n"


def written(folder, text):
    path = folder / "planned.csv"
    path.write_text(text)
    return path


def test_no_loss_is_needed_and_sizes_are_derived(tmp_path):
    found = read_planned(written(tmp_path, ROWS), inputs=("params", "tokens"))
    np.testing.assert_array_equal(found.columns["params"], [1e8, 2e8])
    np.testing.assert_array_equal(found.columns["flops"], 6 * found.columns["params"] * found.columns["tokens"])
    assert found.labels["site"].tolist() == ["a", "b"]
    assert found.row.tolist() == [1, 2]
    assert len(found) == 2


@pytest.mark.parametrize("losses", [("", ""), ("-", "2.5"), ("2.5", "2.4")])
def test_a_loss_that_is_there_plays_no_part(tmp_path, losses):
    rows = "\n".join(f"{row},{loss}" for row, loss in zip(["1e8,2e9", "2e8,4e9"], losses, strict=True))
    found = read_planned(written(tmp_path, f"N,D,loss\n{rows}\n"), inputs=("params", "tokens"))
    np.testing.assert_array_equal(found.columns["tokens"], [2e9, 4e9])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("N,D\n1e8,\n", "missing"),
        ("N,D\n1e8,many\n", "unreadable"),
        ("N,D\n-1e8,2e9\n", "row 1"),
        ("N\n1e8\n", "no column for tokens"),
        ("N,D\n", "row"),
    ],
)
def test_other_cells_are_judged_as_in_any_table(tmp_path, text, told):
    with pytest.raises(js.RunsError, match=told):
        read_planned(written(tmp_path, text), inputs=("params", "tokens"))


def test_a_table_of_runs_needs_its_loss_as_before(tmp_path):
    with pytest.raises(js.RunsError, match="loss"):
        js.read_runs(written(tmp_path, ROWS))
