"""A large study in a folder: the replicates of memory to the bit, resumed, extended, and read again."""

from dataclasses import replace

import numpy as np
import pytest
from large_studies import PART, REPLICATES, assert_same, content, counting, stop_after

import jaxscale as js
from jaxscale.errors import StoreError, UsageError
from jaxscale.store.commits import locked
from jaxscale.store.manifest import read_manifest


def test_a_folder_has_the_replicates_of_memory(begin, whole, tmp_path):
    made = begin(tmp_path / "study")
    assert_same(made, whole)
    assert_same(js.load(tmp_path / "study").ensemble, whole)
    assert made.replicate is None


@pytest.mark.parametrize("part", [REPLICATES, 101, 19], ids=["one part", "three", "sixteen"])
def test_the_size_of_parts_changes_no_replicate(begin, whole, tmp_path, part):
    assert_same(begin(tmp_path / "study", part=part), whole)
    assert len(read_manifest(tmp_path / "study").parts) == -(-REPLICATES // part)


def test_what_was_stopped_goes_on_to_the_same_bytes(begin, whole, uninterrupted, tmp_path):
    for parts in (0, 1, 2):
        some = begin(tmp_path / "study", is_stopping=stop_after(parts))
    assert len(some) == 3 * PART
    loaded = js.load(tmp_path / "study").ensemble
    np.testing.assert_array_equal(loaded.value, whole.value[: 3 * PART])
    assert loaded.interval("alpha").n_total == 3 * PART
    begin(tmp_path / "study")
    assert content(tmp_path / "study") == content(uninterrupted)


def test_no_time_begins_a_study_without_a_part(begin, uninterrupted, tmp_path):
    assert len(begin(tmp_path / "study", max_seconds=0)) == 0
    assert js.load(tmp_path / "study").ensemble is None
    begin(tmp_path / "study")
    assert content(tmp_path / "study") == content(uninterrupted)


def test_more_replicates_are_added_to_the_same_bytes(begin, uninterrupted, tmp_path):
    """Also where the last part was shorter than the others: it is made longer, and not made again."""
    begin(tmp_path / "study", replicates=200)
    done = []
    begin(tmp_path / "study", **counting(done.append))
    assert sum(done) == REPLICATES - 200
    assert content(tmp_path / "study") == content(uninterrupted)


def test_fewer_replicates_than_before_take_none_away(begin, uninterrupted, small_fit, tmp_path):
    begin(tmp_path / "study")
    assert len(begin(tmp_path / "study", replicates=10)) == REPLICATES
    assert len(js.bootstrap(small_fit, seed=7, folder=tmp_path / "study")) == REPLICATES
    assert content(tmp_path / "study") == content(uninterrupted)


def test_replicates_of_a_study_with_gaps_know_which_they_are(begin, whole, tmp_path):
    begin(tmp_path / "study", max_seconds=0)
    some = begin(tmp_path / "study", share=(2, 2))
    assert list(some.replicate[[0, PART]]) == [PART, 3 * PART]
    np.testing.assert_array_equal(some.value, whole.value[some.replicate])
    np.testing.assert_array_equal(some.weights(PART), whole.weights(3 * PART))
    with pytest.raises(UsageError, match="parts of this large study are not there yet"):
        js.save(tmp_path / "copy", some)


def test_parts_beside_a_fit_without_each_run(small_fit, tmp_path):
    """What an interval needs beside replicates is made once, kept with the survey, and read again."""
    asked = {"replicates": 40, "covariance": True, "jackknife": True, "profile": True}
    made = js.bootstrap(small_fit, folder=tmp_path / "study", part=16, **asked)
    own = js.bootstrap(small_fit, **asked)
    assert_same(made, own)
    for one in (made, js.load(tmp_path / "study").ensemble):
        np.testing.assert_array_equal(one.covariance, own.covariance)
        assert_same(one.jackknife, own.jackknife)
        for rule in ("bca", "profile"):
            assert str(one.interval("alpha", method=rule)) == str(own.interval("alpha", method=rule))


OTHERS = {
    "seed": ({"seed": 8}, "another seed: 7 there, 8 here"),
    "scheme": ({"scheme": "bayesian"}, "another scheme: pairs there, bayesian here"),
    "covariances": ({"covariance": True}, "another choice of covariances"),
    "part": ({"part": 32}, "another number of replicates in a part: 64 there, 32 here"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_question_is_refused_by_what_differs(uninterrupted, small_fit, name):
    options, words = OTHERS[name]
    asked = {"replicates": REPLICATES, "seed": 7, "folder": uninterrupted, **options}
    before = content(uninterrupted)
    with pytest.raises(StoreError, match=words):
        js.bootstrap(small_fit, **asked)
    assert content(uninterrupted) == before


def test_another_table_fit_or_version_is_refused_by_what_differs(uninterrupted, small_fit, monkeypatch):
    from jaxscale.parts import making

    runs = small_fit.runs
    other = js.Runs.from_arrays(params=runs["params"], tokens=runs["tokens"], loss=runs.loss * 1.5)
    for fit, words in (
        (replace(small_fit, runs=other), "another table: SHA-256"),
        (replace(small_fit, objective=js.huber(0.01)), "another objective: scale 0.001 there, scale 0.01 here"),
        (replace(small_fit, coefs={**small_fit.coefs, "A": 31.0}), "another point fit: A 31.06.* there, A 31.0 here"),
    ):
        with pytest.raises(StoreError, match=words):
            js.bootstrap(fit, replicates=REPLICATES, seed=7, folder=uninterrupted)
    monkeypatch.setattr(making, "versions", lambda: {"jaxscale": "0.1.0", "jax": "0.0.1"})
    with pytest.raises(StoreError, match=r"another version of jax: .* there, 0\.0\.1 here"):
        js.bootstrap(small_fit, replicates=REPLICATES, seed=7, folder=uninterrupted)


def test_a_folder_with_something_else_in_it_is_left_alone(begin, small_fit, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    saved = js.save(tmp_path / "saved", replace(small_fit, coefs={**small_fit.coefs, "A": 31.0}))
    for folder in (tmp_path / "notes", saved):
        before = content(folder)
        with pytest.raises(StoreError, match="exists and holds something else"):
            begin(folder)
        assert content(folder) == before


def test_two_processes_do_not_work_on_one_folder(begin, uninterrupted, tmp_path):
    begin(tmp_path / "study", max_seconds=0)
    with locked(tmp_path / "study"), pytest.raises(StoreError, match="another process is at work on this study"):
        begin(tmp_path / "study")
    begin(tmp_path / "study")
    assert content(tmp_path / "study") == content(uninterrupted)


BAD = {
    "seconds": ({"max_seconds": -1.0}, "not a number of seconds"),
    "part": ({"part": 0}, "not a positive number of replicates"),
    "share": ({"share": (3, 2)}, "1 ≤ k ≤ n"),
    "executor": ({"executor": "threads"}, "neither an executor nor"),
    "jackknife": ({"scheme": "jackknife", "replicates": None}, "needs no parts"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused_before_a_folder_is_made(begin, tmp_path, name):
    options, words = BAD[name]
    with pytest.raises(UsageError, match=words):
        begin(tmp_path / "study", **options)
    assert not (tmp_path / "study").exists()


def test_a_share_needs_a_study_that_was_begun(begin, small_fit, tmp_path):
    with pytest.raises(StoreError, match="holds no large study to take a share of"):
        begin(tmp_path / "study", share=(1, 2))
    with pytest.raises(UsageError, match="give folder, too"):
        js.bootstrap(small_fit, share=(1, 2))
