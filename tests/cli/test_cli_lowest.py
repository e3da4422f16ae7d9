"""--lowest-per: one run for each cell, said on the page and in the document; what is no cell is refused."""

import json

import numpy as np
import pytest


@pytest.fixture
def table(own_folder):
    """Three runs in each of twelve cells, of which the middle one has the least loss."""
    params = np.repeat(np.geomspace(1e7, 1e9, 12), 3)
    tokens = 20 * params
    loss = 1.8 + 480 * params**-0.35 + 2100 * tokens**-0.37 + np.tile([0.2, 0.0, 0.3], 12)
    lines = [f"{n!r},{d!r},{y!r}" for n, d, y in zip(params.tolist(), tokens.tolist(), loss.tolist(), strict=True)]
    (own_folder / "cells.csv").write_text("\n".join(["params,tokens,loss", *lines]), encoding="utf-8")
    return "cells.csv"


def test_the_page_and_the_document_say_which_cells(run, table):
    words = ("fit", table, "--law", "power-params", "--replicates", 0, "--lowest-per", "params,tokens@1/6")
    answer = run(*words, "--json", "--out", "a")
    data = json.loads(answer.stdout)["data"]
    assert data["used"] == 12
    assert data["left_out"] == {"lowest": 24}
    assert data["lowest_per"] == pytest.approx({"params": 1 / 6, "tokens": 1 / 6})
    page = run(*words, "--out", "c").stdout
    assert "24 by --lowest-per" in " ".join(page.split())
    assert "cells of 0.1667 decades in 'params'" in " ".join(page.split())


@pytest.mark.parametrize("text", ["params", "params@", "params@0", "params@1/0", "@1/3", "params,@1/3", "params@1/2/3"])
def test_what_is_no_cell_is_refused(run, table, text):
    answer = run("fit", table, "--lowest-per", text)
    assert answer.exit_code == 2
    assert "params,tokens@1/3" in answer.stderr


def test_a_saved_folder_has_no_cells_to_choose(run, table):
    run("fit", table, "--law", "power-params", "--replicates", 0, "--out", "b")
    answer = run("frontier", "b", "--lowest-per", "params@1/3")
    assert answer.exit_code == 2
    assert "--lowest-per belongs to a fit" in answer.stderr
