"""`jaxscale laws`: pages that fit a terminal, and a search through what is said of every law."""

import json
from importlib import import_module

import pytest

from jaxscale.laws import FILES, LAWS
from jaxscale.registry import MOST_NAMES


@pytest.mark.parametrize("name", LAWS.names)
def test_a_page_fits_80_columns_and_says_all_of_the_law(run, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    page = run("laws", name).stdout
    assert max(map(len, page.splitlines())) <= 80
    law = LAWS.resolve(name)
    words = " ".join(page.split())
    for coef in law.coefs:
        assert f" {coef.name} " in words
    for one in law.published:
        assert one.name in words


def test_a_search_finds_laws_by_all_of_its_words_wherever_they_stand(run):
    listed = json.loads(run("laws", "--search", "KRAJEWSKI granularity", "--json").stdout)["laws"]
    every = json.loads(run("laws", "--json").stdout)["laws"]
    assert "granularity" in [law["name"] for law in listed]
    assert listed == [law for law in every if "krajewski" in str(law).lower() and "granularity" in str(law).lower()]
    by_source = json.loads(run("laws", "--search", "arXiv 2404.10102", "--json").stdout)["laws"]
    assert "chinchilla" in [law["name"] for law in by_source]
    assert len(every) == len(LAWS)
    page = run("laws", "--search", "experts sparsity").stdout
    assert "experts-sparsity" in page  # the example of the help and of the README
    page = run("laws", "--search", "granularity experts").stdout
    assert "granularity" in page
    assert "kaplan-steps" not in page


def test_laws_are_listed_once_each_under_the_sentence_of_their_family(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("laws").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    said = " ".join(" ".join(lines).split())
    names = [line.split("  ")[0] for line in lines if "  " in line and line[0] != " "]
    assert names == list(LAWS.names)
    for file in FILES:
        module = import_module(f"jaxscale.laws.{file}")
        heading = " ".join(module.__doc__.split("\n\n")[0].split())
        assert said.index(heading) < said.index(f"{heading} {module.LAWS[0].name} ") + 1


@pytest.mark.parametrize("words", ["repeat", "inference", "moe", "isoloss"])
def test_what_is_found_stands_without_headings(run, words):
    first = run("laws", "--search", words).stdout.split()[0]
    assert first in LAWS.names


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("laws", "--search", " "), "--search needs a word"),
        (("laws", "--search", "phlogiston"), "no law says all of 'phlogiston'"),
        (("laws", "kaplan", "--search", "x"), "leave the NAME out"),
        (("laws", "--markdown", "--search", "x"), "--markdown writes one page"),
        (("laws", "muennighoff"), "mention it: jaxscale laws --search muennighoff"),
        (("laws", "KAPLAN-STEPS"), "Did you mean 'kaplan-steps'?"),
        (("laws", "phlogiston"), f"and {len(LAWS) - MOST_NAMES} more."),
        (("laws", "loss"), f"and {len(LAWS) - MOST_NAMES} more."),
        (("laws", ""), "unknown law ''"),
    ],
)
def test_a_search_that_cannot_be_meant_is_refused(run, words, said):
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
