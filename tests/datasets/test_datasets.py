"""The table that ships: what it holds, that its card says so, and that no name leads elsewhere."""

import os
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxscale import datasets
from jaxscale.approaches import isoflop
from jaxscale.datasets.public import FOLDER
from jaxscale.errors import UsageError
from jaxscale.runs import read_runs


@pytest.fixture(scope="module")
def pilot():
    return datasets.load("pilot")


def header():
    table = resources.files("jaxscale.datasets") / "pilot.csv"
    return table.read_text(encoding="utf-8").partition("\n")[0].split(",")


def test_the_table_and_its_card_stay_small():
    for name in ("pilot.csv", "pilot.md"):
        assert len((resources.files("jaxscale.datasets") / name).read_bytes()) < 20_000


def test_the_pilot_has_seven_sizes_at_each_budget_and_seeds_repeated_at_five_points(pilot):
    assert len(pilot) == 59
    budgets = np.unique(pilot["budget"])
    assert len(budgets) == 7
    points = {budget: np.unique(pilot["params"][pilot["budget"] == budget], return_counts=True) for budget in budgets}
    assert all(len(sizes) == 7 for sizes, _ in points.values())
    assert sum(int(np.sum(count == 3)) for _, count in points.values()) == 5


def test_every_run_of_the_pilot_spends_its_budget(pilot):
    np.testing.assert_allclose(pilot["flops"], pilot["budget"], rtol=0.01)


def test_the_best_size_of_every_budget_of_the_pilot_lies_between_sizes_that_were_trained(pilot):
    found = isoflop(pilot, budget="budget", method="cubic")
    assert found.flops.tolist() == np.unique(pilot["budget"]).tolist()
    for budget, best in zip(found.flops, found.params, strict=True):
        sizes = np.unique(pilot["params"][pilot["budget"] == budget])
        assert sizes[0] < best < sizes[-1]


def test_the_pilot_has_no_finding_but_its_repeated_seeds_and_its_own_count_of_flop(pilot):
    assert [finding.code for finding in pilot.check()] == ["pilot-runs", "repeated-seeds", "flops-mismatch"]


def test_the_card_names_every_column_and_the_licence_of_the_text():
    card = datasets.card("pilot")
    assert all(f"| `{column}` |" in card for column in header())
    assert "BSD" in card


def test_the_source_of_a_table_is_its_name(pilot):
    assert pilot.origin.source == "pilot"


def test_the_public_table_of_the_replication_is_the_one_that_is_known(shared_data):
    """Where the file itself is at hand: the runs are those of the real tables that the tests read elsewhere."""
    if not os.environ.get(FOLDER):
        pytest.skip(f"no public tables at hand: {FOLDER} names no folder")
    known = read_runs(shared_data / "epoch_chinchilla.csv")
    runs = datasets.load("epoch-chinchilla")
    for name in ("params", "tokens", "flops"):
        np.testing.assert_allclose(runs[name], known[name], rtol=1e-12)
    np.testing.assert_allclose(runs.loss, known.loss, rtol=1e-12)


def test_an_unknown_name_is_answered_with_a_close_one():
    with pytest.raises(UsageError, match="Did you mean 'pilot'"):
        datasets.load("pilto")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../x",
        "/etc/passwd",
        "CON",
        "a" * 65,
        "pilot\n",
        "pilot\0",
        "..\\x",
        "pílot",
        "\x1b[31m",
        None,
    ],
)
def test_a_name_that_no_data_set_may_have_is_refused(name):
    with pytest.raises(UsageError, match="1 to 64 of a-z") as refused:
        datasets.load(name)
    assert "\x1b" not in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text(st.sampled_from("abz./\\-_~%0\0"), max_size=70))
def test_no_text_but_a_known_name_loads_anything(name):
    for verb in (datasets.load, datasets.card):
        with pytest.raises(UsageError):
            verb(name)


def test_the_names_are_listed():
    assert datasets.names() == ("pilot", "epoch-chinchilla")
