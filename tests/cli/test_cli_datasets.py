"""A data set where a table may stand: by its name, unless a file has that name."""

import json

import numpy as np
import pytest
from cli_commands import TABLE

from jaxscale import datasets
from jaxscale.allocation.budgets import FACTORS

QUICK = ("--replicates", "0", "--flops", "1e12", "--json")


@pytest.mark.parametrize("place", ["nothing there", "a folder of that name"])
def test_the_name_of_a_data_set_is_a_table(run, own_folder, place):
    if place == "a folder of that name":
        (own_folder / "pilot").mkdir()
    named, unnamed = (json.loads(run("fit", *words, *QUICK).stdout) for words in (("pilot",), ()))
    runs = datasets.load("pilot")
    for document in (named, unnamed):
        assert document["data"]["source"] == "pilot"
        assert document["data"]["sha256"] == runs.origin.sha256
        assert document["data"]["used"] == len(runs)
    assert named["saved"] == unnamed["saved"]  # the same command, the same folder


def test_a_file_of_that_name_goes_first(run, own_folder):
    (own_folder / "pilot").write_text(TABLE)
    document = json.loads(run("fit", "pilot", "--law", "power-tokens", "--replicates", "0", "--json").stdout)
    assert document["data"]["rows"] == 8
    assert "pilot-runs" not in {one["code"] for one in document["warnings"]}


@pytest.mark.parametrize(("word", "near"), [("pilto", "'pilot'"), ("epoch-chinchila", "'epoch-chinchilla'")])
@pytest.mark.parametrize("command", ["fit", "frontier", "approaches"])
def test_a_misspelt_data_set_is_answered_with_the_name_that_is_near(run, command, word, near):
    result = run(command, word)
    assert result.exit_code == 3
    assert f"{word}: there is no such file, and no data set of that name; did you mean {near}?" in result.stderr


@pytest.mark.parametrize("table", ["pilot.csv", "runs", "runs/pilto"])
def test_what_is_no_misspelt_data_set_is_a_file_that_is_not_there(run, table):
    result = run("fit", "--", table)
    assert result.exit_code == 3
    assert "there is no such file; check the name" in result.stderr


def test_rows_columns_and_groups_of_a_data_set_may_be_chosen(run):
    words = (
        "--where",
        "stage == 'fit'",
        "--group",
        "run",
        "--scheme",
        "cluster",
        "--map",
        "params=params_non_embedding",
    )
    document = json.loads(run("fit", "pilot", *words, "--replicates", "20", "--flops", "1e12", "--json").stdout)
    assert (document["data"]["rows"], document["data"]["used"]) == (59, 45)
    assert document["data"]["columns"]["params"] == "params_non_embedding"
    assert document["bootstrap"]["scheme"] == "cluster"


def test_frontier_says_that_a_data_set_is_meant_where_there_is_no_folder(run):
    result = run("frontier", "pilot", "--replicates", "0")
    assert result.exit_code == 0, result.stderr
    assert "there is no folder 'pilot'; the data set of that name is fitted" in result.stderr
    assert "100× data" in result.stdout


def test_a_saved_fit_without_budgets_is_shown_at_the_default_ones(run, own_folder):
    import jaxscale as js

    runs = js.datasets.load("pilot")
    js.save("kept", js.fit(runs))
    rows = json.loads(run("frontier", "kept", "--json").stdout)["frontier"]
    largest = 6.0 * float(np.max(runs["params"] * runs["tokens"]))
    np.testing.assert_allclose([row["flops"] for row in rows], largest * np.array(FACTORS), rtol=1e-12)


@pytest.mark.slow
def test_approaches_take_a_data_set(run):
    document = json.loads(run("approaches", "pilot", "--method", "cubic", "--replicates", "30", "--json").stdout)
    assert document["source"] == "pilot"
    assert len(document["flops"]) == len(FACTORS)
    assert {one["name"] for one in document["approaches"]} == {"isoflop", "parametric"}
