"""The command design: the runs are those of `js.design`, tables of candidates need no loss, nonsense is refused."""

import json

import numpy as np
import pytest

import jaxscale as js

KNOWN = ("design", "--law", "chinchilla", "--constants", "besiroglu2024")
PARAMS, RATIO = (grid.ravel() for grid in np.meshgrid([1e8, 2e8, 4e8, 8e8], [5.0, 20.0, 80.0]))


@pytest.fixture
def table(own_folder):
    """A table of candidates, under other names, with trunks and prices."""
    lines = ["N,D,trunk,shared,price"]
    for params, ratio in zip(PARAMS, RATIO, strict=True):
        lines.append(f"{params:g},{params * ratio:g},t{params:g},{params / 1e8:g},{params * ratio / 1e8:g}")
    path = own_folder / "candidates.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_runs_are_those_of_the_function(run, table):
    words = ("--candidates", table, "--budget", "3e19", "--target", "1e23", "--criterion", "d-optimal")
    told = json.loads(run(*KNOWN, *words, "--json").stdout)
    found = js.design(
        law="chinchilla",
        coefs="besiroglu2024",
        candidates={"params": PARAMS, "tokens": PARAMS * RATIO},
        budget=3e19,
        target=1e23,
        criterion="d-optimal",
    )
    assert [one["row"] for one in told["design"]["chosen"]] == (found.rows + 1).tolist()
    assert told["design"]["spent"] == found.cost <= 3e19
    assert (told["design"]["before"], told["design"]["after"]) == (found.before, found.after)
    assert [one["cost"] for one in told["candidates"]["runs"]] == found.prices.tolist()


def test_trunks_are_paid_once_and_costs_are_a_column(run, table):
    words = ("--candidates", table, "--budget", "40", "--target", "1e23", "--criterion", "d-optimal")
    trunks = ("--cost", "price", "--trunk", "trunk", "--trunk-cost", "shared")
    told = json.loads(run(*KNOWN, *words, *trunks, "--json").stdout)["design"]
    alone = json.loads(run(*KNOWN, *words, "--cost", "price", "--json").stdout)["design"]
    assert told["spent"] <= 40.0
    assert told["after"] <= alone["after"]


def test_the_page_and_the_figure_say_what_was_chosen_and_why_no_more(run, table, own_folder):
    words = ("--candidates", table, "--budget", "3e19", "--target", "1e23", "--criterion", "n-opt")
    answer = run(*KNOWN, *words, "--plot", own_folder / "design.svg")
    assert answer.exit_code == 0
    for word in (
        "candidates.csv: 12 runs that could be made",
        "no other candidate fits",
        "n-opt then",
        "variance of ln",
    ):
        assert word in answer.stdout
    text = (own_folder / "design.svg").read_text(encoding="utf-8")
    assert "chosen, in the order of purchase" in text
    assert "budget" in text


def test_a_region_is_predicted_after_a_saved_fit(run, table, fitted):
    words = ("--candidates", table, "--budget", "1e19", "--region", "params=1e9,2e9", "--region", "tokens=2e10")
    assert "--yes-extrapolate" in run("design", fitted[0], *words).stderr
    words = (*words, "--yes-extrapolate")
    answer = run("design", fitted[0], *words, "--criterion", "v-optimal", "--json")
    told = json.loads(answer.stdout)["design"]
    assert told["criterion"] == "v-optimal"
    assert told["after"] < told["before"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "say what the runs are for"),
        (["--target", "1e23", "--region", "params=1e9"], "say what the runs are for"),
        (["--target", "0"], "is not a positive, finite number of FLOP"),
        (["--target", "1e23", "--budget", "nan"], "is not a positive, finite number of FLOP"),
        (["--target", "1e23", "--budget", "1"], "buys none of the candidates"),
        (["--target", "1e23", "--cost", "euros"], "--cost euros: the candidates have no such column"),
        (["--target", "1e23", "--trunk", "trunk"], "trunk= and trunk_costs= go together"),
        (["--target", "1e23", "--criterion", "best"], "unknown criterion 'best'"),
        (["--target", "1e23", "--noise", "-1"], "'-1' is not a positive"),
        (["--target", "1e23", "--candidate-map", "params=X"], "--candidate-map params='X'"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(run, table, words, told):
    answer = run(*KNOWN, "--candidates", table, "--budget", "1e19", *words)
    assert answer.exit_code in (2, 3)
    assert told in answer.stderr


def test_candidates_without_a_size_name_the_option_of_this_command(run, own_folder):
    (own_folder / "short.csv").write_text("N\n1e8\n2e8\n")
    answer = run(*KNOWN, "--candidates", "short.csv", "--budget", "1e19", "--target", "1e23")
    assert answer.exit_code == 3
    assert "--candidate-map tokens=COLUMN" in answer.stderr


def test_options_of_tables_say_how_the_candidates_are_written(run, fitted, own_folder):
    """A message that names --units or --sep names an option that works there, with a saved fit and with coefs."""
    (own_folder / "written.csv").write_text("N;D\n100M;2B\n400M;8B\n")
    words = ("--candidates", "written.csv", "--budget", "1e20", "--target", "1e23", "--criterion", "d-optimal")
    assert "--units" in run(*KNOWN, *words, "--sep", ";").stderr
    for command in (KNOWN, ("design", fitted[0], "--yes-extrapolate")):
        told = json.loads(run(*command, *words, "--sep", ";", "--units", "--json").stdout)
        assert [one["inputs"]["params"] for one in told["candidates"]["runs"]] == [1e8, 4e8]


def test_without_a_rule_the_budget_is_spent(run, table):
    words = ("--candidates", table, "--budget", "1e20", "--target", "1e23")
    told = json.loads(run(*KNOWN, *words, "--worth", "inf", "--json").stdout)["design"]
    assert told["worth"] is None
    assert "no other candidate fits" in told["stopped"] or "every candidate" in told["stopped"]
