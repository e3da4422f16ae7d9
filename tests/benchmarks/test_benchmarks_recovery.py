"""How `recovery` counts: right, wrong and said so, refused, wrong and silent."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from benchmarks import recovery
from benchmarks.__main__ import main
from jaxscale.status import Status


def fit(status=Status.CONVERGED, others=(), at_bound=(), unidentified=()):
    certificate = SimpleNamespace(other_minima=others)
    return SimpleNamespace(
        is_usable=status.is_usable, certificate=certificate, at_bound=at_bound, unidentified=unidentified
    )


@pytest.mark.parametrize(
    ("given", "error", "outcome"),
    [
        (fit(), 1e-9, "recovered"),
        (fit(), 2e-6, "false success"),
        (fit(), float("nan"), "false success"),
        (fit(others=("another",)), 0.1, "flagged"),
        (fit(at_bound=("E",)), 1.0, "flagged"),
        (fit(Status.SINGULAR), 1e-9, "refused"),
    ],
)
def test_a_fit_counts_as_what_it_is(given, error, outcome):
    assert recovery.judged(given, error) == outcome


@pytest.mark.parametrize(
    ("counts", "met"),
    [((198, 2, 0, 0), True), ((197, 1, 2, 0), False), ((199, 0, 0, 1), False), ((200, 0, 0, 0), True)],
)
def test_a_law_is_met_only_with_ninety_nine_in_a_hundred_and_no_false_success(counts, met):
    names = (recovery.RECOVERED, recovery.FLAGGED, recovery.REFUSED, recovery.FALSE)
    assert recovery.is_met(dict(zip(names, counts, strict=True)), 200) is met


@pytest.mark.slow
def test_the_command_tries_a_law_and_writes_what_it_found(tmp_path):
    words = ["recovery", "--law", "pure-power", "--settings", "3", "--out", str(tmp_path / "r.json")]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    (document,) = recovery.records.read(tmp_path)
    (found,) = document["results"]
    assert found["counts"] == {"recovered": 3, "flagged": 0, "refused": 0, "false success": 0}
    assert document["machine"]["versions"]["jaxscale"]
