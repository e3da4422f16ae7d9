"""`jaxscale fit` of a large study, `bootstrap` and `merge`: resumed, extended, divided, and refused by what differs."""

import json
import shutil

import pytest
from click.testing import CliRunner
from documents import assert_kept, schema_name
from large_studies import content, flip

import jaxscale as js
from jaxscale.cli.main import main
from jaxscale.parts import limits

PART = 64
WORDS = ("fit", "runs.csv", "--law", "pure-power-params", "--seed", "7", "--out", "study")
MANY = (*WORDS, "--replicates", "300")


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path, small_fit, remembered):
    """Run in an empty folder with a small table, where a part is small and solved once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    monkeypatch.setenv("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    monkeypatch.setattr(limits, "MOST", PART)
    lines = [f"{params},{loss}" for params, loss in zip(small_fit.runs["params"], small_fit.runs.loss, strict=True)]
    (tmp_path / "runs.csv").write_text("params,loss\n" + "\n".join(lines) + "\n")
    return tmp_path


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def document(*words):
    answer = run(*words, "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert_kept(schema_name(words, found), found)
    return found


@pytest.fixture
def study(own_folder):
    assert run(*MANY).exit_code == 0
    return own_folder / "study"


def test_the_same_command_goes_on_to_the_same_bytes_and_answers(own_folder, study):
    shutil.move(study, own_folder / "whole")
    begun = document(*MANY, "--max-seconds", "0")
    assert begun["bootstrap"] is None
    gone_on, again = document(*MANY), document(*MANY)
    assert content(own_folder / "study") == content(own_folder / "whole")
    assert gone_on["bootstrap"] == again["bootstrap"]
    assert gone_on["bootstrap"]["replicates"] == 300
    assert gone_on["coefs"] == begun["coefs"]


def test_a_finished_study_is_not_fitted_again(study, monkeypatch):
    from jaxscale.studying import making

    monkeypatch.setattr(making, "fit", None)
    assert document(*MANY)["bootstrap"]["replicates"] == 300


def test_other_commands_read_it(study, small_fit):
    """What they say of it is what they say of the same replicates in memory."""
    js.save("memory", js.bootstrap(small_fit, replicates=300, seed=7))
    words = ("--at", "params=1e10")
    of_parts, of_memory = (document("predict", saved, *words)["predictions"] for saved in ("study", "memory"))
    assert of_parts == of_memory


def test_more_replicates_are_added_and_fewer_take_none_away(own_folder, study):
    assert document(*WORDS, "--replicates", "5e2")["bootstrap"]["replicates"] == 500
    assert document(*MANY)["bootstrap"]["replicates"] == 500
    assert run(*WORDS, "--replicates", "500", "--out", "at-once").exit_code == 0
    assert content(own_folder / "study") == content(own_folder / "at-once")


def test_shares_by_hand_are_the_same_bytes(own_folder, study):
    shutil.move(study, own_folder / "whole")
    assert run(*MANY, "--max-seconds", "0").exit_code == 0
    for at in (3, 1, 2):
        found = document("bootstrap", "study", "--part", f"{at}/3")
        assert found["asked"] == 300
    joined = document("merge", "study")
    assert (joined["replicates"], joined["missing"]) == (300, [])
    assert content(own_folder / "study") == content(own_folder / "whole")


def test_bootstrap_goes_on_extends_and_names_what_it_made_again(study):
    path = sorted((study / "parts").iterdir())[1]
    flip(path)
    found = document("bootstrap", "study", "--replicates", "400")
    assert (found["replicates"], found["asked"], found["missing"]) == (400, 400, [])
    assert [one["code"] for one in found["warnings"]] == ["part-remade"]
    assert path.name in found["warnings"][0]["message"]
    page = run("bootstrap", "study").stdout
    assert "400 of 400 replicates" in page
    assert "missing  none" in page


def test_another_option_is_refused_by_its_name(study):
    before = content(study)
    for words, told in (
        (("--level", "0.9"), "was begun with --level 0.95, and this command says 0.9"),
        (("--seed", "8"), "was begun with --seed 7, and this command says 8"),
        (("--where", "loss < 100"), "was begun with --where nothing, and this command says loss < 100"),
    ):
        answer = run(*MANY, *words)
        assert answer.exit_code == 6
        assert told in answer.stderr
        assert len(answer.stderr.splitlines()) <= 3
    assert content(study) == before


def test_another_table_is_refused(own_folder, study):
    table = own_folder / "runs.csv"
    table.write_text(table.read_text().replace("params,loss\n", "params,loss\n1e9,2.5\n"))
    answer = run(*MANY)
    assert answer.exit_code == 6
    assert "is a study with another table" in answer.stderr
    assert document(*MANY, "--force")["bootstrap"]["replicates"] == 300


def test_options_of_parts_are_for_large_studies(own_folder):
    for words in (("--max-seconds", "9"), ("--executor", "processes:2")):
        answer = run(*WORDS, "--replicates", "64", *words)
        assert answer.exit_code == 2
        assert f"{words[0]} is for studies in parts, of more than 64 replicates" in answer.stderr


def test_a_small_study_takes_the_place_of_a_large_one_only_by_force(study):
    assert run(*WORDS, "--replicates", "20").exit_code == 6
    assert document(*WORDS, "--replicates", "20", "--force")["bootstrap"]["replicates"] == 20
    assert sorted(path.name for path in study.iterdir() if path.name != ".lock") == ["arrays.npz", "result.json"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("bootstrap", "study", "--part", "4/3"), 2, "is not of the form K/N"),
        (("bootstrap", "nowhere"), 6, "nowhere: holds no large study"),
        (("merge", "study"), 2, "there is nothing to merge"),
        (("merge", "study", "nowhere"), 6, "nowhere: holds no large study"),
        (("bootstrap", "study", "--executor", "no.such:thing"), 2, "executor 'no.such:thing'"),
        ((*MANY, "--interval", "profile"), 2, "--interval profile is for studies that are no larger than 64"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_in_a_line(study, words, code, told):
    answer = run(*words)
    assert (answer.exit_code, told in answer.stderr) == (code, True), answer.stderr
