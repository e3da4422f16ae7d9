"""An archive whose digest was made anew for other numbers: what a type promises of its numbers is asked on loading."""

import re

import numpy as np
import pytest
import store_answers as answers
from store_damage import ARRAYS, edited, outcome, refusal, rewritten

from jaxscale.intervals import LikelihoodProfile
from jaxscale.objectives import huber
from jaxscale.results import Study
from jaxscale.status import Status
from jaxscale.store import save

NAN, INF = float("nan"), float("inf")


def profile_of_lines(places):
    """Of quantities that are three standard errors from zero, with roots from -2 to 2."""
    roots, nothing = np.linspace(-2.0, 2.0, 5), np.asarray("", dtype=object)
    return LikelihoodProfile.joined([LikelihoodProfile(roots, 3.0 + roots, nothing, nothing)] * places)


@pytest.fixture
def folder(tmp_path):
    table = answers.runs(sigma=np.geomspace(1e-4, 0.3, len(answers.HOSTILE)))
    fit = answers.fit(runs=table)
    ensemble = answers.ensemble(fit, without={"E": np.arange(12) % 3 == 0}, profile=profile_of_lines(5))
    return save(tmp_path / "out", Study(fit, ensemble, answers.frontier(fit, replicates=12)))


DAMAGED = [
    ("fit.runs.loss", 3, NAN, "finite"),
    ("fit.runs.loss", 3, INF, "finite"),
    ("fit.runs.loss", 3, -2.0, "above zero"),
    ("fit.runs.loss", 3, 0.0, "above zero"),
    ("fit.runs.weight", 2, NAN, "zero or more"),
    ("fit.runs.weight", 2, INF, "zero or more"),
    ("fit.runs.weight", 2, -1.0, "zero or more"),
    ("fit.runs.weight", slice(None), 0.0, "one in which a run counts"),
    ("fit.runs.sigma", 2, 0.0, "above zero"),
    ("fit.runs.sigma", 2, NAN, "above zero"),
    ("fit.runs.row", 0, 0, "counted from 1"),
    ("fit.runs.row", 0, -5, "counted from 1"),
    ("fit.runs.columns.0", 1, NAN, "finite"),
    ("fit.runs.columns.1", 1, INF, "finite"),
    ("fit.residuals", 4, NAN, "finite"),
    ("fit.residuals", 4, -INF, "finite"),
    ("ensemble.status", 0, -1, "the code of converged"),
    ("ensemble.status", 0, 7, "the code of converged"),
    ("ensemble.status", 0, -128, "the code of converged"),
    ("ensemble.steps", 0, -1, "zero or more"),
    ("ensemble.value", 0, NAN, "finite"),
    ("ensemble.value", 1, INF, "finite"),
    ("ensemble.coefs.2", (0), NAN, "a number"),
    ("ensemble.coefs.2", (0), -1e-300, "in its support"),
    ("ensemble.coefs.2", (5), -INF, "in its support"),
    ("ensemble.without.0", (0), 2, "0 or 1"),
    ("ensemble.without.0", (0), -1, "0 or 1"),
    ("ensemble.profile.roots", (1, 2), -2.0, "roots that grow"),
    ("ensemble.profile.roots", (2, 0), NAN, "roots that grow"),
    ("ensemble.profile.roots", (2, 0), 0.5, "zero at an estimate"),
    ("ensemble.profile.roots", (4, 1), INF, "roots that grow"),
    ("ensemble.profile.values", (3, 1), 0.5, "values for all roots"),
    ("ensemble.profile.values", (4, 1), NAN, "values for all roots"),
    ("frontier.flops", 0, 0.0, "above zero"),
    ("frontier.flops", 0, NAN, "above zero"),
    ("frontier.params", (1, 0), -1.0, "above zero"),
    ("frontier.tokens", (1, 0), 0.0, "above zero"),
    ("frontier.at_point.flops", 0, -1.0, "above zero"),
    ("frontier.at_point.params", 0, -1.0, "above zero"),
]


@pytest.mark.parametrize(("name", "place", "number", "expected"), DAMAGED)
def test_a_number_that_its_type_does_not_hold_is_refused_by_name(folder, name, place, number, expected):
    rewritten(folder, name, place, number)
    message = refusal(folder)
    assert name in message
    assert expected in message


def test_every_array_of_numbers_has_a_damage_that_is_tried(folder):
    """Texts have their own tests; any loss of a frontier is possible, where the law gives another quantity."""
    with np.load(folder / ARRAYS) as saved:
        names = {name for name in saved.files if not name.endswith((".utf8", ".ends"))}
    untried = names - {name for name, *_ in DAMAGED}
    alike = {f"ensemble.coefs.{at}" for at in (0, 1, 3, 4)}
    losses = {"frontier.loss", "frontier.at_point.loss", "frontier.at_point.tokens"}
    assert untried == {"fit.runs.columns.2", *alike, *losses}


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("fit.value", None),
        ("fit.value", "inf"),
        ("fit.coefs.E", -1),
        ("fit.coefs.E", "-inf"),
        ("fit.coefs.E", None),
        ("fit.std.E", -1e-9),
        ("fit.certificate.scaled_gradient", -1),
        ("fit.certificate.condition", -1),
        ("fit.certificate.other_minima.0.coefs.alpha", -0.1),
        ("fit.provenance.run_seconds", -1),
        ("fit.provenance.compile_seconds", None),
        ("frontier.coefs.B", -2),
        ("frontier.at_point.coefs.B", -2),
        ("frontier.at_point.measured.0", 0),
        ("frontier.at_point.measured.1", "inf"),
    ],
)
def test_a_field_that_its_type_does_not_hold_is_refused_by_name(folder, path, number):
    def change(record):
        *parents, last = path.split(".")
        for key in parents:
            record = record[int(key) if key.isdigit() else key]
        record[int(last) if last.isdigit() else last] = number

    edited(folder, change)
    named = re.sub(r"[.](\d)", r"[\1]", path)
    assert f"{named} is" in refusal(folder)


def test_what_failed_may_have_ended_anywhere(folder):
    """A replicate that failed has no number, or any in the support; a fit that failed has any objective."""
    failed = 5
    for name, place in (("ensemble.value", failed), ("ensemble.coefs.2", (failed))):
        rewritten(folder, name, place, NAN)
    assert not outcome(folder)
    edited(folder, lambda record: record["fit"].update(status="stalled", value=None))
    rewritten(folder, "fit.residuals", 0, INF)
    assert not outcome(folder)


def test_a_row_that_does_not_count_may_have_any_loss_and_residual(folder):
    """The table's first run has the weight 0."""
    rewritten(folder, "fit.runs.loss", 0, -1.0)
    rewritten(folder, "fit.residuals", 0, NAN)
    assert not outcome(folder)


def test_a_loss_below_zero_is_one_where_no_logarithm_is_taken(tmp_path):
    losses = np.linspace(-1, 1, len(answers.HOSTILE))
    first = answers.fit(runs=answers.runs(loss=losses), objective=huber(space="linear"))
    assert not outcome(save(tmp_path / "out", first))


def test_every_status_may_be_that_of_a_fit_without_numbers_unless_it_is_usable(folder):
    for status in Status:
        fields = {"status": str(status), "unidentified": []}
        edited(folder, lambda record: record["fit"].update(fields, coefs={**record["fit"]["coefs"], "E": None}))  # noqa: B023
        assert bool(outcome(folder)) == status.is_usable
