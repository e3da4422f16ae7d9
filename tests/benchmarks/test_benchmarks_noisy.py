"""How `noisy` counts: statuses, the shares of them that are usable, and what is met."""

import pytest
from click.testing import CliRunner

from benchmarks import noisy
from benchmarks.__main__ import main
from jaxscale.status import Status


@pytest.mark.parametrize(
    ("counts", "share"),
    [({"converged": 3, "at_bound": 1}, 1.0), ({"converged": 1, "singular": 3}, 0.25), ({}, 0.0)],
)
def test_converged_and_at_a_bound_are_usable(counts, share):
    assert noisy.usable_share(counts) == share


def test_the_usable_statuses_are_those_of_the_package():
    assert set(noisy.USABLE) == {str(status) for status in Status if status.is_usable}


@pytest.mark.parametrize(("singular", "is_met"), [(2, True), (3, False)])
def test_a_law_is_met_with_ninety_nine_in_a_hundred_of_both(singular, is_met):
    replicates = {"converged": 200 - singular, "singular": singular}
    one = noisy.Tried("a law", 3, 5.0, {"converged": 20}, replicates, 7.0, 60)
    assert one.is_met is is_met


@pytest.mark.slow
def test_the_command_tries_a_law_and_writes_what_it_found(tmp_path):
    words = ["noisy", "--law", "pure-power", "--settings", "2", "--replicates", "20", "--out", str(tmp_path / "n.json")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    (document,) = noisy.records.read(tmp_path)
    (found,) = document["results"]
    assert found["fits"] == {"converged": 2}
    assert sum(found["replicates"].values()) == 40
    assert found["compile"] >= 0.0 < found["evaluations"]
