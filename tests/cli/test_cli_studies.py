"""`jaxscale studies`: one page and one document of many studies, their folders, and what is refused."""

import json

import numpy as np
import pytest

import jaxscale as js

WORDS = ("--laws", "pure-power", "--replicates", "30", "--flops", "1e22,1e23")


@pytest.fixture
def table(own_folder):
    """Two recipes of 20 runs each: the shape of the tests of `js.studies`."""
    flops = np.geomspace(1e17, 1e21, 20)
    lines = ["recipe,flops,loss"]
    for seed, (name, scale) in enumerate((("old", 20.0), ("new/er", 26.0)), start=1):
        noise = np.exp(0.001 * np.random.default_rng(seed).standard_normal(20))
        losses = (scale * flops**-0.05 * noise).tolist()
        lines += [f"{name},{budget!r},{loss!r}" for budget, loss in zip(flops.tolist(), losses, strict=True)]
    (own_folder / "recipes.csv").write_text("\n".join(lines), encoding="utf-8")
    return "recipes.csv"


def test_page_document_and_folders_of_a_table_that_is_split(run, table, own_folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = run("studies", table, "--by", "recipe", *WORDS, "--out", "both")
    assert page.exit_code == 0, page.output
    assert max(map(len, page.stdout.splitlines())) <= 80
    for word in ("old", "new/er", "2 converged", "Saved: both"):
        assert word in page.stdout
    document = json.loads(run("studies", table, "--by", "recipe", *WORDS, "--json").stdout)
    assert document["tables"] == ["old", "new/er"]
    assert document["trustworthy"]
    for one, folder in zip(document["studies"], ("old", "new-er"), strict=True):
        saved = js.load(own_folder / "both" / f"{folder}-pure-power-huber")
        assert one["study"]["coefs"] == dict(saved.fit.coefs)
        assert one["study"]["bootstrap"]["replicates"] == 30
        assert one["saved"] is None
    assert run("studies", table, "--by", "recipe", *WORDS, "--out", "both").stdout == page.stdout
    other = run("studies", table, "--by", "recipe", *WORDS, "--seed", "1", "--out", "both")
    assert other.exit_code == 6
    assert "another seed: 0 there, 1 here" in other.stderr
    assert "--force" in other.stderr
    replaced = run("studies", table, "--by", "recipe", *WORDS, "--seed", "1", "--out", "both", "--force")
    assert replaced.exit_code == 0, replaced.output


def test_an_interrupt_says_how_many_are_kept(run, table, monkeypatch):
    from jaxscale.cli.session import Bar

    def interrupt(bar, count):
        raise KeyboardInterrupt

    words = ("studies", table, "--by", "recipe", *WORDS, "--out", "both")
    with monkeypatch.context() as patch:
        patch.setattr(Bar, "advance", interrupt)
        stopped = run(*words)
    assert stopped.exit_code == 130
    kept = "1 of 2 studies are kept in both; the same command goes on from there"
    assert stopped.stderr == f"interrupted; {kept}\n"
    assert run(*words).exit_code == 0


def test_several_files_have_the_names_of_their_tables_and_a_refused_one_is_told(run, table, own_folder):
    (own_folder / "other.csv").write_text("flops,loss\n1e21,3\n", encoding="utf-8")
    answer = run("studies", table, "other.csv", "--where", "flops > 1e17", *WORDS)
    assert answer.exit_code == 4, answer.output
    assert "1 refused" in answer.stdout
    assert "other" in answer.stdout
    assert "free coefs" in answer.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--laws", "pure-pover"), 2, "Did you mean 'pure-power'"),
        (("--objectives", "hubert"), 2, "Did you mean 'huber'"),
        (("--spaces", "logs"), 2, "Did you mean 'log'"),
        (("--by", "recipes"), 3, "recipe"),
        (("--by", "recipe", "--group", "flops"), 2, "--group names another"),
        (("--warmup", "10"), 2, "schedules"),
    ],
)
def test_what_cannot_be_meant_is_refused(run, table, words, code, said):
    answer = run("studies", table, *(() if words[0] == "--laws" else ("--laws", "pure-power")), *words)
    assert answer.exit_code == code, answer.output
    assert said in answer.stderr


def test_two_tables_of_one_name_are_refused(run, table, own_folder):
    (own_folder / "deep").mkdir()
    (own_folder / "deep" / "recipes.csv").write_text((own_folder / table).read_text())
    answer = run("studies", table, "deep/recipes.csv", *WORDS)
    assert answer.exit_code == 2
    assert "one name" in answer.stderr
