"""The frontier of a large study, kept by parts: the bands of memory to the bit, made again where a file is missing."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from large_studies import content, flip

import jaxscale as js
from jaxscale.cli.main import main
from jaxscale.parts import limits

PART = 64
WORDS = ("fit", "runs.csv", "--law", "pure-power", "--flops", "1e19,1e21", "--json", "--out", "study")


@pytest.fixture
def work(monkeypatch, tmp_path, small_fit):
    """Return a function that runs a command line in a folder with a table of compute, where a part is small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    monkeypatch.setattr(limits, "MOST", PART)
    runs = small_fit.runs
    lines = [f"{1e10 * params},{loss}" for params, loss in zip(runs["params"], runs.loss, strict=True)]
    (tmp_path / "runs.csv").write_text("flops,loss\n" + "\n".join(lines) + "\n")

    def run(*words):
        answer = CliRunner().invoke(main, [str(word) for word in words])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    return run


def files(folder):
    return sorted((folder / "frontiers").rglob("*.npy"))


def test_a_frontier_by_parts_is_that_of_memory(work, tmp_path):
    told = work(*WORDS, "--replicates", "200")
    study = js.load("study")
    assert len(files(tmp_path / "study")) == 4
    memory = js.frontier(study.ensemble, flops=[1e19, 1e21])
    np.testing.assert_array_equal(np.asarray(study.frontier.loss), memory.loss)
    for method in ("percentile", "basic"):
        own, other = (one.interval("loss", method=method) for one in (study.frontier, memory))
        np.testing.assert_array_equal([own.lower, own.centre, own.upper], [other.lower, other.centre, other.upper])
        assert own.n_used == other.n_used
    assert [one["loss"]["low"] for one in told["frontier"]] == list(memory.interval("loss").lower)
    assert [one.code for one in study.frontier.findings] == [one.code for one in memory.findings]


def test_a_frontier_that_is_missing_or_changed_is_found_where_it_is_read_and_made_again(work, tmp_path):
    told = work(*WORDS, "--replicates", "200")
    one, two, *_ = files(tmp_path / "study")
    whole = [path.read_bytes() for path in files(tmp_path / "study")]
    one.unlink()
    flip(two)
    assert work("frontier", "study", "--json")["frontier"] == told["frontier"]
    assert not one.exists()  # reading writes nothing
    assert work(*WORDS, "--replicates", "200")["frontier"] == told["frontier"]
    assert [path.read_bytes() for path in files(tmp_path / "study")] == whole


def test_shares_make_their_frontiers_and_a_merge_takes_them(work, tmp_path):
    told = work(*WORDS, "--replicates", "200")
    work(*WORDS, "--replicates", "200", "--max-seconds", "0", "--force", "--seed", "0", "--out", "other")
    copy = shutil.copytree(tmp_path / "other", tmp_path / "copy")
    work("bootstrap", "other", "--part", "1/2", "--json")
    work("bootstrap", copy, "--part", "2/2", "--json")
    work("merge", "other", copy, "--json")
    assert content(tmp_path / "other") == content(tmp_path / "study")
    assert work("frontier", "other", "--json")["frontier"] == told["frontier"]


def test_bands_of_an_unfinished_study_are_those_of_the_parts_that_are_there(work, tmp_path):
    work(*WORDS, "--replicates", "200", "--max-seconds", "0")
    work("bootstrap", "study", "--part", "2/3", "--json")
    work("merge", "study", "--json")
    told, study = work("frontier", "study", "--json"), js.load("study")
    assert study.ensemble.replicate.tolist() == [*range(64, 128)]
    memory = js.frontier(study.ensemble, flops=[1e19, 1e21])
    assert [one["loss"]["low"] for one in told["frontier"]] == list(memory.interval("loss").lower)
    assert told["bootstrap"]["replicates"] == 64
    (missing,) = [one for one in study.ensemble.findings if one.code == "parts-missing"]
    assert "64 of 200 replicates are there" in missing.message
    assert "makes the rest, 3 parts" in missing.message
    assert "parts-missing" in [one["code"] for one in told["warnings"]]
    work("bootstrap", "study", "--json")
    assert "parts-missing" not in [one.code for one in js.load("study").ensemble.findings]


def test_intervals_that_need_more_than_replicates_have_their_bands_from_the_folder_too(work, tmp_path):
    told = work(*WORDS, "--replicates", "200", "--interval", "basic")
    assert work("frontier", "study", "--json")["frontier"] == told["frontier"]
    told = work(*WORDS, "--replicates", "200", "--interval", "bca", "--force")
    assert not (tmp_path / "study" / "frontiers").exists()
    assert work("frontier", "study", "--json")["frontier"] == told["frontier"]
