"""A law from the command line: fitted, saved and gone on from by its text, and refused before anything heavy loads."""

import json
import subprocess
import sys
import time

import pytest
from cli_commands import TABLE

import jaxscale as js
from jaxscale.errors import StoreError
from jaxscale.laws import law_from_expression
from jaxscale.numerics.supports import SUPPORTS
from jaxscale.store import load
from jaxscale.store.folder import sha256_of

LAW = ("--law-expr", "A*(N*D)**-alpha", "--coef", "A:positive:1,10", "--coef", "alpha:positive:0.05,0.2")


@pytest.fixture
def table(own_folder):
    (own_folder / "t.csv").write_text(TABLE)
    return "t.csv"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The folder and the document of one typed law, fitted once."""
    from click.testing import CliRunner

    from jaxscale.cli.main import main

    folder = tmp_path_factory.mktemp("typed")
    (folder / "t.csv").write_text(TABLE)
    words = ["fit", str(folder / "t.csv"), *LAW, "--replicates", "40", "--flops", "1e21", "--json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAXSCALE_CACHE_DIR", "")
        answer = CliRunner().invoke(main, [*words, "--law-name", "mine", "--out", str(folder / "out")])
    assert answer.exit_code == 0, answer.stderr
    return folder / "out", json.loads(answer.stdout)


def test_the_document_shows_the_expression(kept):
    _, document = kept
    assert (document["law"], document["equation"]) == ("mine", "A*(N*D)**-alpha")
    assert set(document["coefs"]) == {"A", "alpha"}


def test_a_saved_result_goes_on_without_the_law_being_given_again(run, kept):
    folder, document = kept
    assert json.loads(run("frontier", folder, "--json").stdout)["frontier"] == document["frontier"]
    assert run("plot", folder, "--figure", "residuals", "--out", "figures").exit_code == 0
    law = js.load(folder).fit.law
    assert law == law_from_expression("A*(N*D)**-alpha", [LAW[3], LAW[5]], name="mine")


def test_predict_gives_the_loss_of_a_saved_fit_with_a_band(run, kept):
    folder, document = kept
    found = json.loads(run("predict", folder, "--at", "params=1e9,2e9", "--at", "tokens=2e10", "--json").stdout)
    for row in found["predictions"]:
        size = row["inputs"]["params"] * row["inputs"]["tokens"]
        assert row["loss"]["value"] == pytest.approx(
            document["coefs"]["A"] * size ** -document["coefs"]["alpha"], rel=1e-12
        )
        assert row["loss"]["low"] < row["loss"]["value"] < row["loss"]["high"]
    assert found["bootstrap"] == document["bootstrap"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expression": "__import__('os')"}, "is not the text of a law"),
        ({"expression": "A*(N*D)**-alpha + 1"}, "another equation"),
        ({"expression": "A*N**-alpha"}, "was saved with inputs"),
        ({"declared": ["A:positive", "alpha:real"]}, "was saved with supports"),
        ({"declared": ["A:positive", "alpha:lambda"]}, "is not the text of a law"),
        ({"declared": "A:positive"}, "not a list"),
        ({"expression": 3}, "a text"),
    ],
)
def test_a_tampered_expression_is_refused(kept, own_folder, change, said):
    folder, _ = kept
    (own_folder / "arrays.npz").write_bytes((folder / "arrays.npz").read_bytes())
    record = json.loads((folder / "result.json").read_text())
    record["fit"]["law"] |= change
    (own_folder / "result.json").write_text(json.dumps({**record, "sha256": sha256_of(record)}))
    with pytest.raises(StoreError, match=said):
        load(own_folder)


REFUSED = {
    "a law that ships as well": ((*LAW, "--law", "kaplan"), "give one of them"),
    "coefs without a law": (LAW[2:], "--coef belongs to --law-expr"),
    "a name without a law": (("--law-name", "mine"), "--law-name belongs to --law-expr"),
    "a law without coefs": (LAW[:2], "--law-expr needs its coefs"),
    "a name that is a path": ((*LAW, "--law-name", "../x"), "--law-name has at most 40 letters"),
    "a name that ships": ((*LAW, "--law-name", "kaplan"), "a law that ships has this name"),
    "a coef that stands nowhere": ((*LAW, "--coef", "B:real"), "--coef: the coef 'B' does not stand"),
    "an unknown support": (("--law-expr", "E/N", "--coef", "E:positiv"), "Did you mean 'positive'"),
    "a call": (("--law-expr", "E + exit(N)", "--coef", "E:real"), "'exit' is no function here"),
    "a fixed input that is none": (("--at", "x=1"), "law 'chinchilla' has no input to fix"),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_meant_is_refused_before_the_table_is_read(run, words, said):
    result = run("fit", "no-such-table.csv", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) <= 3


def test_a_frontier_that_needs_an_input_held_is_refused_before_the_table_is_read(run):
    words = ("--law-expr", "E*quality/N + 1/D", "--coef", "E:positive")
    assert "needs quality fixed at a value" in run("frontier", "no-such-table.csv", *words).stderr
    assert "Did you mean 'quality'?" in run("fit", "no-such-table.csv", *words, "--at", "qualty=1").stderr
    found = json.loads(
        run("frontier", *words, "--set", "E=1", "--at", "quality=4", "--flops", "2.4e13", "--json").stdout
    )
    # a/N + 1/D on C = 6 N D is least where a D = N, with a = E quality = 4: N = sqrt(a C/6), D = N/a
    assert found["frontier"][0]["params"]["value"] == pytest.approx(4e6, rel=1e-9)
    assert found["fixed_inputs"] == {"quality": 4.0}


def test_a_name_that_is_neither_a_coef_nor_a_column_has_a_caret_under_it(run, table):
    result = run("fit", table, "--law-expr", "E + gamma/N", "--coef", "E:positive")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[0].startswith("--law-expr: 'gamma' is neither a column of t.csv nor a coef")
    assert result.stderr.splitlines()[1:] == ["  E + gamma/N", "      ^"]
    assert "of pilot" in run("fit", "--law-expr", "E + gamma/N", "--coef", "E:positive").stderr


def test_a_loss_in_the_text_of_a_law_is_refused_as_what_the_law_gives(run):
    words = ("--law-expr", "E + loss", "--coef", "E:positive", "--set", "E=1", "--at", "N=1e9")
    assert "'loss' is what the law gives, so it cannot take it" in run("predict", *words).stderr


@pytest.mark.parametrize(
    ("words", "option"), [(("predict", "--at", "N=1e9", "--at", "D=2e10"), "--at"), (("frontier",), "--at")]
)
def test_without_a_table_a_name_that_nothing_gives_has_a_caret_under_it(run, words, option):
    law = ("--law-expr", "E + gamma/N + 1/D", "--coef", "E:positive", "--set", "E=1")
    result = run(*words, *law)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"--law-expr: 'gamma' is neither a coef nor given: add --coef gamma:positive, or {option} gamma=NUMBER",
        "  E + gamma/N + 1/D",
        "      ^",
    ]


def test_a_hostile_expression_is_refused_within_a_second_in_a_process_of_its_own(own_folder):
    words = ["fit", "--law-expr", "(E).__class__.__mro__", "--coef", "E:real"]
    begun = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-c", "from jaxscale.cli.main import main; main()", *words],
        capture_output=True, encoding="utf-8", timeout=60, check=False,
    )  # fmt: skip
    spent = time.perf_counter() - begun
    assert result.returncode == 2
    assert result.stderr.splitlines()[1:] == ["  (E).__class__.__mro__", "      ^"]
    assert spent < 5.0  # 0.3 s on a machine that is idle; importing JAX alone would take ten times that


def test_the_supports_that_can_be_typed_are_those_that_there_are():
    from jaxscale.expressions.formula import INSIDE

    assert {one.name: (one.low, one.high) for one in SUPPORTS} == INSIDE
