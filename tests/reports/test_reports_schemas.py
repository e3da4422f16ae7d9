"""The schemas of the JSON documents: each is one, real documents keep to it, and what is none does not."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from documents import NAMES, WRITTEN, assert_kept, schema_of, validator_of
from reported import COEFS, answer_of, fit_of, frontier_of

import jaxscale as js
from jaxscale.cli.main import main
from jaxscale.names import SCHEMA_VERSION
from jaxscale.objectives import student_t
from jaxscale.reports import (
    Constants,
    Predictions,
    check_document,
    constants_frontier_document,
    fit_document,
    frontier_document,
    json_text,
    law_document,
    predictions_document,
)
from jaxscale.results import Joint, Minimum, Study

pytest.importorskip("jsonschema", reason="no jsonschema: the schemas of documents are not tested")


def validator(name):
    return validator_of(schema_of(name))


def written(document):
    return json.loads(json_text(document))


def studies():
    other = Minimum(2e-3, COEFS, 3)
    fit = fit_of()
    return {
        "whole": answer_of(),
        "without-replicates": answer_of(replicates=0),
        "without-frontier": Study(fit),
        "failed": answer_of(failed=300),
        "held": Study(fit, None, replace(frontier_of(fit), fixed={"unique_tokens": 1e10})),
        "other-minima": answer_of(certificate=replace(fit.certificate, other_minima=(other,), condition=None)),
        "joint": answer_of(joint=(Joint(("E", "A"), True, 2.7, None),), unidentified=("E", "A")),
        "student": answer_of(objective=student_t()),
        "not-finite": answer_of(value=np.nan),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_knows_the_version(name):
    found = validator(name)
    found.check_schema(found.schema)
    assert found.schema["properties"]["schema_version"] == {"const": SCHEMA_VERSION}
    assert found.schema["required"][0] == "schema_version"
    assert len(found.schema["description"]) > 40


def test_every_command_with_a_document_has_its_schema():
    written = [name for name, one in main.commands.items() if any("--json" in option.opts for option in one.params)]
    assert {WRITTEN.get(name, name) for name in written} | {"error", "law", "reach", "recipes"} == set(NAMES)


def test_every_schema_has_its_table_in_the_reference():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "json.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"\{schema-table\} (\w+)", page)) == sorted(NAMES)


def test_the_studies_of_a_list_are_documents_of_fits():
    """Less what only the command line adds."""
    inner, fit = schema_of("studies")["properties"]["studies"]["items"]["properties"]["study"], schema_of("fit")
    assert inner["properties"] == {key: one for key, one in fit["properties"].items() if key in fit["required"]}
    assert inner["required"] == fit["required"]
    assert set(fit["properties"]) - set(fit["required"]) == {"saved", "figures", "diagnosis"}


@pytest.mark.parametrize("name", studies())
def test_documents_of_studies_keep_to_their_schemas(name):
    study = studies()[name]
    assert_kept("fit", written(fit_document(study)))
    assert_kept("frontier", written(frontier_document(study)))


def test_documents_of_predictions_and_checks_keep_to_theirs():
    study = answer_of()
    columns = {"params": (1e9, 7e9), "tokens": (2e10, 2e12)}
    draws = js.fitting.predict_ensemble(study.ensemble, {name: np.array(column) for name, column in columns.items()})
    loss = js.predict(study, **columns)
    for found in (
        Predictions(study, columns, loss, js.band(draws), js.band(draws), {"flops": (1.2e20, 8.4e22)}, draws),
        Predictions(Study(study.fit), columns, loss),
    ):
        assert_kept("predict", written(predictions_document(found)))
    assert_kept("check", written(check_document(js.check(study.fit.runs))))


def test_documents_of_published_constants_keep_to_theirs():
    law = js.LAWS["chinchilla"]
    given = Constants(law, law.constants("besiroglu2024"), law.published_set("besiroglu2024"))
    front = js.frontier(law=law, coefs=given.coefs, flops=[1e20, 1e22])
    assert_kept("frontier", written(constants_frontier_document(given, front)))
    found = Predictions(given, {"params": (1e9,), "tokens": (2e10,)}, np.array([2.5]), excess=np.array([0.1]))
    assert_kept("predict", written(predictions_document(found)))


def test_the_document_of_every_law_keeps_to_its_schema():
    for law in js.LAWS:
        assert_kept("law", {"schema_version": SCHEMA_VERSION, **written(law_document(law))})


@pytest.mark.parametrize(
    "words", [["fit", "nowhere.csv"], ["fit", "--level", "95"], ["fit", "--nonsense"], ["predict"]]
)
def test_a_refusal_is_a_document_where_json_is_asked_for(words):
    done = CliRunner().invoke(main, [*words, "--json"])
    document = json.loads(done.stdout)
    assert_kept("error", document)
    assert document["error"]["exit_code"] == done.exit_code
    assert document["error"]["message"].splitlines()[0] in done.stderr
    assert CliRunner().invoke(main, words).stdout == ""


@pytest.mark.parametrize(
    ("name", "value"), [("coefs", [1.0]), ("status", 3), ("frontier", {}), ("schema_version", 1), ("unheard", 1)]
)
def test_what_is_no_document_does_not_keep_to_the_schema(name, value):
    document = written(fit_document(answer_of()))
    found = validator("fit")
    assert found.is_valid(document)
    assert not found.is_valid({**document, name: value})
    assert not found.is_valid({key: one for key, one in document.items() if key != "coefs"})
