"""The JSON document: strict, complete, and every null explained."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from reported import COEFS, answer_of, fit_of, frontier_of

from jaxscale.finding import Finding
from jaxscale.reports import fit_document, frontier_document, json_text, warnings_of
from jaxscale.reports.facts import fit_facts, frontier_facts
from jaxscale.results import Certificate, Minimum, Study
from jaxscale.status import Status


def codes(document):
    return [warning["code"] for warning in document["warnings"]]


def test_numbers_come_back_bit_for_bit():
    document = json.loads(json_text(fit_document(answer_of())))
    assert document["coefs"] == COEFS


def test_a_document_without_faults_has_no_null_but_those_of_its_kind():
    document = fit_document(answer_of())
    assert "null" not in json_text(document)
    assert "absent-numbers" not in codes(document)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_null_with_a_reason(value):
    document = fit_document(answer_of(value=value, certificate=Certificate(value, None, 64, 61)))
    assert document["objective_value"] is None
    assert document["certificate"]["scaled_gradient"] is None
    assert json.loads(json_text(document)) == document
    (message,) = [warning["message"] for warning in document["warnings"] if warning["code"] == "absent-numbers"]
    for name in ("objective_value", "certificate.scaled_gradient", "certificate.condition"):
        assert name in message


def test_a_missing_standard_error_is_named():
    document = fit_document(answer_of(std={**dict.fromkeys(COEFS, 0.1), "A": None}))
    assert document["std"]["A"] is None
    assert any("std of A" in warning["message"] for warning in document["warnings"])


def test_what_was_held_is_in_the_documents_and_on_the_pages():
    fit = fit_of()
    answer = Study(fit, None, replace(frontier_of(fit), fixed={"unique_tokens": 1e10}))
    assert fit_document(answer)["fixed_inputs"] == frontier_document(answer)["fixed_inputs"] == {"unique_tokens": 1e10}
    for facts in (fit_facts(answer), frontier_facts(answer)):
        assert dict(facts)["fixed"].plain == "unique_tokens 1e10"
    assert fit_document(Study(fit, None, frontier_of(fit)))["fixed_inputs"] == {}
    assert "fixed" not in dict(frontier_facts(Study(fit, None, frontier_of(fit))))


def test_a_budget_without_an_optimum_is_null_and_named():
    fit = fit_of()
    frontier = frontier_of(fit)
    for array in (frontier.params, frontier.tokens, frontier.loss):
        array[1] = np.nan
    document = fit_document(Study(fit, None, frontier))
    assert document["frontier"][1]["tokens_per_param"] == {"value": None, "low": None, "high": None}
    assert any("at 5.76e23 FLOP" in warning["message"] for warning in document["warnings"])


def test_a_bare_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON"):
        json_text({"value": math.nan})


def test_markup_of_a_web_page_is_escaped():
    text = json_text(fit_document(answer_of(findings=(Finding("odd", "</script>\u2028\x1b"),))))
    assert "<" not in text
    assert text.isascii()
    assert "\x1b" not in text


def test_other_minima_are_listed():
    other = Minimum(2e-3, COEFS, 3)
    document = fit_document(answer_of(certificate=Certificate(1e-15, 1.2e4, 64, 61, (other,))))
    assert document["certificate"]["other_minima"] == [{"objective_value": 2e-3, "coefs": COEFS, "starts": 3}]


def test_the_seconds_are_those_of_fit_and_ensemble_together():
    assert fit_document(answer_of())["provenance"]["seconds"] == {"compile": 3.0, "run": 0.5}
    assert fit_document(answer_of(replicates=0))["provenance"]["seconds"] == {"compile": 1.5, "run": 0.25}


def test_a_frontiers_document_is_part_of_the_fits():
    answer = answer_of()
    whole, part = fit_document(answer), frontier_document(answer)
    assert all(whole[name] == value for name, value in part.items())
    assert part["frontier"]


@pytest.mark.parametrize(
    ("failed", "code", "has_bands"),
    [
        (0, None, True),
        (40, None, True),
        (41, "intervals-unreliable", True),
        (200, "intervals-unreliable", True),
        (201, "no-bands", False),
    ],
)
def test_failed_replicates_first_weaken_then_forbid_intervals(failed, code, has_bands):
    answer = answer_of(failed=failed)
    found = {caution.code for caution in warnings_of(answer)} & {"intervals-unreliable", "no-bands"}
    assert found == ({code} if code else set())
    assert answer.has_bands is has_bands
    assert answer.is_trustworthy is has_bands


@pytest.mark.parametrize(("replicates", "is_warned"), [(199, True), (200, False)])
def test_a_95_percent_interval_needs_200_replicates(replicates, is_warned):
    found = [caution.code for caution in warnings_of(answer_of(replicates=replicates))]
    assert ("few-replicates" in found) is is_warned


def test_each_code_appears_once():
    twice = (Finding("same", "one"), Finding("same", "two"))
    found = [caution.code for caution in warnings_of(answer_of(findings=twice))]
    assert sorted(set(found)) == sorted(found)


def test_a_fit_that_is_no_minimum_is_not_trustworthy_and_has_no_bands():
    answer = answer_of(status=Status.STALLED)
    assert not answer.is_trustworthy
    assert answer.coef_band("alpha") is None
    assert answer.frontier_band("loss") is None
