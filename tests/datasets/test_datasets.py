"""The shipped tables: what they are, that they are what their script writes, and that no name leads elsewhere."""

from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxscale import datasets
from jaxscale.datasets import pilot
from jaxscale.errors import UsageError
from jaxscale.laws import LAWS, predict_with


def shipped(name):
    return (resources.files("jaxscale.datasets") / name).read_bytes()


def test_the_shipped_table_is_what_the_script_writes(tmp_path):
    pilot.write(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == shipped("simulated.csv")


def test_the_table_and_its_card_stay_small():
    assert len(shipped("simulated.csv")) < 20_000
    assert len(shipped("simulated.md")) < 20_000


def test_every_output_of_the_simulated_table_can_say_that_it_is_simulated():
    runs = datasets.load("simulated")
    assert runs.origin.source == "simulated"
    assert runs.check()[0].code == "simulated-data"
    assert "not measured" in runs.check()[0].message


def test_the_simulated_table_has_no_other_finding_than_its_repeated_seeds():
    codes = [finding.code for finding in datasets.load("simulated").check()]
    assert codes == ["simulated-data", "repeated-seeds"]


def test_each_budget_has_seven_sizes_on_both_sides_of_the_best():
    runs = datasets.load("simulated")
    coefs = pilot.published()
    for budget in pilot.BUDGETS:
        sizes = np.unique(runs["params"][runs["budget"] == budget]) / pilot.best_size(budget, coefs)
        assert len(sizes) == 7
        np.testing.assert_allclose(sizes, 4.0**pilot.STEPS, rtol=0.1)  # real sizes are at most 10 % off


def test_the_best_size_is_where_the_law_is_lowest_on_its_budget():
    coefs, budget = pilot.published(), 1e20
    best = pilot.best_size(budget, coefs)
    params = best * np.array([0.99, 1.0, 1.01])
    loss = predict_with(LAWS.resolve("chinchilla"), coefs, {"params": params, "tokens": budget / (6 * params)})
    assert np.argmin(loss) == 1


def test_flops_are_six_params_tokens_and_near_their_budget():
    runs = datasets.load("simulated")
    np.testing.assert_allclose(runs["flops"], 6 * runs["params"] * runs["tokens"], rtol=5e-7)  # seven digits
    np.testing.assert_allclose(runs["flops"], runs["budget"], rtol=2e-4)  # what the card says


def test_the_noise_is_what_the_card_says():
    runs = datasets.load("simulated")
    predicted = predict_with(LAWS.resolve("chinchilla"), pilot.published(), runs.columns)
    spread = np.std(np.log(runs.loss / predicted))
    assert abs(spread - pilot.NOISE) < 3 * pilot.NOISE / np.sqrt(2 * len(runs))  # three standard errors


def test_the_card_names_every_column():
    card = datasets.card("simulated")
    assert all(f"| `{column}` |" in card for column in pilot.HEADER.split(","))


def test_an_unknown_name_is_answered_with_a_close_one():
    with pytest.raises(UsageError, match="Did you mean 'simulated'"):
        datasets.load("simulatd")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "../../x",
        "/etc/passwd",
        "CON",
        "a" * 65,
        "simulated\n",
        "simulated\0",
        "..\\x",
        "símulated",
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
    assert datasets.names() == ("simulated",)
