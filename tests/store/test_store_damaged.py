"""Whatever is wrong with a saved result, load refuses it in one to three lines, and says where."""

import json
import os
from contextlib import suppress
from shutil import copytree

import numpy as np
import pytest
import store_answers as answers
from hypothesis import given, settings
from hypothesis import strategies as st
from store_damage import ARRAYS, RESULT, edited, exchanged, exchanged_arrays, outcome, refusal

from jaxscale.results import Study
from jaxscale.runs import opening
from jaxscale.store import load, save
from jaxscale.store.folder import LARGEST, sha256_of


def test_a_folder_that_does_not_exist(tmp_path):
    assert "there is no such folder" in refusal(tmp_path / "nothing")


def test_a_folder_whose_name_cannot_be(tmp_path):
    refusal("a\0b")
    refusal(tmp_path / ("x" * 5000))


def test_a_file_where_a_folder_should_be(folder):
    assert "is not a folder" in refusal(folder / RESULT)


@pytest.mark.parametrize("name", [RESULT, ARRAYS])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert f"there is no {name}" in refusal(folder)


@pytest.mark.parametrize("name", [RESULT, ARRAYS])
def test_a_folder_in_place_of_a_file_is_refused(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    assert "not a regular file" in refusal(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("name", [RESULT, ARRAYS])
def test_a_pipe_in_place_of_a_file_does_not_hang(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert "not a regular file" in refusal(folder)


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_truncated_archive_is_refused(folder, keep):
    data = (folder / ARRAYS).read_bytes()
    (folder / ARRAYS).write_bytes(data[:keep])
    assert "truncated" in refusal(folder)


@pytest.mark.parametrize("keep", [0, 1, 100, -3])
def test_a_truncated_document_is_refused(folder, keep):
    data = (folder / RESULT).read_bytes()
    (folder / RESULT).write_bytes(data[:keep])
    assert "is not JSON" in refusal(folder)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 2**40), bit=st.integers(0, 7))
def test_any_flipped_bit_in_the_archive_is_refused(tmp_path_factory, place, bit):
    folder = save(tmp_path_factory.mktemp("saved") / "out", answers.fit())
    data = bytearray((folder / ARRAYS).read_bytes())
    data[place % len(data)] ^= 1 << bit
    (folder / ARRAYS).write_bytes(data)
    assert "SHA-256" in refusal(folder)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with a fit and an ensemble, to be copied: every save waits for the disk."""
    return save(tmp_path_factory.mktemp("saved") / "ensemble", Study(answers.fit(), answers.ensemble()))


@pytest.fixture(scope="module")
def saved_frontier(tmp_path_factory):
    """As `saved`, with a frontier."""
    study = Study(answers.fit(), answers.ensemble(), answers.frontier(replicates=12))
    return save(tmp_path_factory.mktemp("saved") / "frontier", study)


@settings(max_examples=300, deadline=None)
@given(cuts=st.lists(st.tuples(st.integers(0, 2**40), st.binary(max_size=4)), min_size=1, max_size=3))
def test_no_change_to_either_file_ever_ends_in_a_traceback(tmp_path_factory, saved, cuts):
    """With the hash made to fit, so that everything behind it is reached too."""
    folder = copytree(saved, tmp_path_factory.mktemp("changed") / "out")
    for name in (ARRAYS, RESULT):
        data = bytearray((folder / name).read_bytes())
        for place, new in cuts:
            at = place % len(data)
            data[at : at + len(new)] = new
        if name == ARRAYS:
            exchanged(folder, bytes(data))
        else:
            (folder / name).write_bytes(data)
        assert len(outcome(folder).splitlines()) <= 3
        with suppress(ValueError):
            edited(folder, lambda record: None)
            assert len(outcome(folder).splitlines()) <= 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), value=JSON)
def test_no_other_value_in_any_field_ever_ends_in_a_traceback(tmp_path_factory, saved_frontier, data, value):
    folder = copytree(saved_frontier, tmp_path_factory.mktemp("changed") / "out")
    record = json.loads((folder / RESULT).read_text())
    at = record
    while True:
        key = data.draw(st.sampled_from(sorted(at) if isinstance(at, dict) else range(len(at))))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = value
    (folder / RESULT).write_text(json.dumps({**record, "sha256": sha256_of(record)}))
    assert len(outcome(folder).splitlines()) <= 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1"),
        ("[]", "not an object"),
        ("null", "not an object"),
        ('{"kind": NaN}', "the literal NaN"),
        ('{"kind": -Infinity}', "the literal -Infinity"),
        ('{"kind": 1, "kind": 1}', "a key occurs twice"),
        ("[" * 100_000 + "]" * 100_000, "nested deeper than 64"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested deeper than 64"),
        ("[" * 10_000_000, "nested deeper than 64"),
        ('"' + '\\"' * 5_000_000, "line 1"),
        ('{"kind": ' + "9" * 5000 + "}", "integer"),
    ],
    ids=["empty", "list", "null", "nan", "infinity", "twice", "deep", "deep-objects", "open", "quotes", "digits"],
)
def test_what_is_not_strict_json_is_refused(folder, text, reason):
    (folder / RESULT).write_text(text)
    assert reason in refusal(folder)


def test_depth_inside_a_text_does_not_count(folder):
    edited(folder, lambda record: record["fit"].update(solver='"\\' + "[" * 1000))
    assert load(folder).fit.solver.endswith("[" * 1000)


def test_bytes_that_are_no_text_are_refused(folder):
    (folder / RESULT).write_bytes(b'{"kind": "\xff\xfe"}')
    assert "byte 10 is not text" in refusal(folder)


def test_a_document_larger_than_any_result_is_not_read(folder):
    with open(folder / RESULT, "r+b") as file:
        file.truncate(LARGEST + 1)
    assert "64 MB" in refusal(folder)


def test_an_archive_larger_than_the_limit_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(opening, "MEMORY_LIMIT", 1000)
    assert "at most 500 B is read" in refusal(folder)


def test_a_field_named_by_control_characters_is_named_escaped(folder):
    edited(folder, lambda record: record["fit"]["runs"]["origin"].update(columns={"\x1e\r": None}))
    assert "fit.runs.origin.columns.\\x1e\\r is 'None'" in refusal(folder)


@pytest.mark.parametrize("kind", [None, "run-manifest", 7, "\x1b[31m"])
def test_another_kind_of_document_is_refused(folder, kind):
    edited(folder, lambda record: record.update(kind=kind))
    assert "not a saved result of jaxscale" in refusal(folder)


def test_a_document_that_names_no_kind_is_refused(folder):
    (folder / RESULT).write_text("{}")
    assert "not a saved result of jaxscale" in refusal(folder)


@pytest.mark.parametrize("change", [{"value": 0.5}, {"status": "stalled"}, {"solver": "lbfgs"}])
def test_a_document_that_was_edited_is_refused_with_its_reason(folder, change):
    record = json.loads((folder / RESULT).read_text())
    record["fit"].update(change)
    (folder / RESULT).write_text(json.dumps(record))
    message = refusal(folder)
    assert "result.json: is not what was saved" in message
    assert "edited" in message


def test_a_document_without_its_hash_is_refused_and_one_that_was_only_laid_out_anew_is_not(folder):
    record = json.loads((folder / RESULT).read_text())
    (folder / RESULT).write_text(json.dumps(record, indent=4))
    assert load(folder).fit.solver == "newton"
    del record["sha256"]
    (folder / RESULT).write_text(json.dumps(record))
    assert "is not what was saved" in refusal(folder)


def test_a_newer_schema_is_refused_with_both_versions(folder):
    (folder / RESULT).write_text('{"kind": "jaxscale-result", "schema_version": 7, "other": {"layout": []}}')
    message = refusal(folder)
    assert "schema version 7" in message
    assert "up to version 4" in message


def test_an_older_schema_is_refused_with_both_versions(folder):
    edited(folder, lambda record: record.update(schema_version=1))
    message = refusal(folder)
    assert "schema version 1" in message
    assert "reads version 4" in message


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", None, True])
def test_a_schema_that_never_was_is_refused(folder, version):
    edited(folder, lambda record: record.update(schema_version=version))
    assert "schema_version" in refusal(folder)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fit.status", "fine"),
        ("fit.value", "0.1"),
        ("fit.objective.space", "cubic"),
        ("fit.objective.scale", -1),
        ("fit.objective.scale", None),
        ("fit.objective.limit", 0.5),
        ("fit.coefs", {"E": 1}),
        ("fit.std", {"F": 1}),
        ("fit.fixed", ["F"]),
        ("fit.certificate.starts", -1),
        ("fit.findings", 1),
        ("fit.runs.origin.rows", 2**70),
        ("fit.runs.columns", ["a", "a", "a"]),
        ("fit.runs.labels", "x"),
        ("fit.runs.group", 1),
        ("ensemble.seed", 2**32),
        ("ensemble.coefs", ["E", "E", "A", "B", "alpha"]),
        ("frontier.at_point.at_point", 1),
        ("frontier.measured", []),
    ],
)
def test_a_wrong_field_is_named(folder, path, value):
    *parents, last = path.split(".")

    def change(record):
        for key in parents:
            record = record[key]
        record[last] = value

    edited(folder, change)
    assert f"result.json: {path} is" in refusal(folder)


def test_the_point_of_a_frontier_is_no_ensemble(folder):
    """Also where the arrays of a point below it are there."""
    inner, deeper = "frontier.at_point.", "frontier.at_point.at_point."

    def nested(record):
        point = record["frontier"]["at_point"]
        point["at_point"] = {
            name: one.replace(inner, deeper) if isinstance(one, str) else one for name, one in point.items()
        }

    with np.load(folder / ARRAYS) as saved:
        arrays = {name.replace(inner, deeper): saved[name] for name in saved.files if name.startswith(inner)}
    exchanged_arrays(folder, arrays)
    edited(folder, nested)
    assert "frontier.at_point.at_point is" in refusal(folder)


def test_a_missing_field_is_named(folder):
    edited(folder, lambda record: record["fit"]["certificate"].pop("condition"))
    assert "'fit.certificate.condition' is missing" in refusal(folder)


def test_rows_and_arrays_that_do_not_belong_together_are_refused(folder):
    exchanged_arrays(folder, {"fit.runs.row": np.arange(1, 10)})
    assert "float64 (10,), not float64 (9)" in refusal(folder)


def test_an_unknown_status_code_is_refused(tmp_path):
    folder = save(tmp_path / "out", answers.ensemble(status=np.full(12, 9, np.int8)))
    assert "ensemble.status" in refusal(folder)
