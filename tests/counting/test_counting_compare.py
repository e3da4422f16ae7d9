"""The same law under several conventions: what moves on real tables, and what the page and the document say."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from jaxscale import names
from jaxscale.counting import CONVENTIONS
from jaxscale.errors import RunsError, UsageError
from jaxscale.finding import Finding
from jaxscale.fitting import compare_counts
from jaxscale.reports import fit_document, json_text, print_fit
from jaxscale.results import Counts, Study
from jaxscale.runs import Runs
from jaxscale.status import Status

BUDGETS = (1e19, 1e21, 1e23)
FAST = "power-params"
"""A law that compiles in a second or two."""


@pytest.fixture(scope="module")
def porian_counts(with_shapes):
    """Chinchilla's law on 131 IsoFLOP points of Porian et al., by every convention that their shapes allow."""
    return compare_counts(with_shapes("rw_base_long_kaplan_standard_val"), flops=BUDGETS)


def page(counts, width=80):
    text = io.StringIO()
    answer = Study(counts.counts[0].fit, comparison=counts)
    print_fit(answer, Console(file=text, width=10_000, highlight=False, markup=False), width=width)
    return text.getvalue().partition("Counted another way")[2].partition("\n\nflops-mismatch")[0]


def test_the_count_of_the_head_alone_moves_porians_exponent(porian_counts):
    """Their own description gives A 241.887, B 4878.51, E 1.79962, alpha .30677, beta .39187, a .5609 with the head.

    Porian et al. 2024 find the same direction by another method: 0.835 without the head, 0.706 with it.
    """
    standard = porian_counts["nonembedding+head"].fit
    assert standard.value == pytest.approx(0.005110332534, rel=1e-9)
    expected = {"E": 1.79962, "A": 241.887, "B": 4878.51, "alpha": 0.30677, "beta": 0.39187}
    assert standard.coefs == pytest.approx(expected, rel=2e-5)
    assert porian_counts["nonembedding+head"].exponent == pytest.approx(0.5609, abs=5e-5)
    assert porian_counts["nonembedding"].exponent > 0.8
    order = ("nonembedding", "kaplan", "attention", "nonembedding+head")
    assert sorted(order, key=lambda name: -porian_counts[name].exponent) == list(order)


def test_the_exponent_is_that_of_the_laws_own_algebra(porian_counts):
    """a = beta / (alpha + beta) on C = 6 N D: Hoffmann et al. 2022, eq. 4."""
    for one in porian_counts.counts:
        alpha, beta = one.fit.coefs["alpha"], one.fit.coefs["beta"]
        assert one.exponent == pytest.approx(beta / (alpha + beta), rel=1e-8)
        np.testing.assert_allclose(6 * one.frontier.params * one.frontier.tokens, BUDGETS, rtol=1e-9)


def test_conventions_that_agree_are_fitted_once_and_say_so(porian_counts):
    same = {one.convention.name: one.same_as for one in porian_counts.counts if one.same_as}
    assert same == {
        "6nd": "measured",
        "nonembedding": "measured",
        "total": "measured-params",
        "nonembedding+head": "measured-params",
    }
    assert porian_counts["total"].fit.coefs is porian_counts["measured-params"].fit.coefs
    assert porian_counts["6nd"].changed == ()
    assert porian_counts["kaplan"].changed == ("params",)
    assert set(porian_counts.left_out) == {"active", "chinchilla", "chinchilla-layers"}


def test_the_page_shows_what_moves_in_80_columns(porian_counts):
    text = page(porian_counts)
    assert "a of N ∝ C^a runs from 0.561 to 0.843" in " ".join(text.split())
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    for one in porian_counts.counts:
        assert one.convention.name in text
    for said in ("here the same as measured-params", "Not by this table: active needs params_active", "params N"):
        assert said in text


def test_the_document_has_every_count_at_full_precision(porian_counts):
    document = json.loads(json_text(fit_document(Study(porian_counts.counts[0].fit, comparison=porian_counts))))
    counts = document["counts"]
    assert [one["convention"] for one in counts["conventions"]] == [one.convention.name for one in porian_counts.counts]
    for row, one in zip(counts["conventions"], porian_counts.counts, strict=True):
        assert row["coefs"] == dict(one.fit.coefs)
        assert row["exponent"] == one.exponent
        assert [budget["params"] for budget in row["frontier"]] == one.frontier.params.tolist()
        assert row["derived"] == dict(one.fit.runs.origin.derived)
    assert counts["left_out"] == dict(porian_counts.left_out)
    assert fit_document(Study(porian_counts.counts[0].fit))["counts"] == {}


def test_the_total_of_gadre_is_the_table_and_the_layers_alone_raise_the_exponent(gadre):
    """Their own description gives a .5290 for all params; less of a small network counts, so it must grow faster."""
    counts = compare_counts(gadre, conventions=["total", "nonembedding"])
    assert counts["total"].same_as == "measured"
    assert counts["total"].exponent == pytest.approx(0.5290, abs=5e-5)
    assert counts["nonembedding"].exponent > 0.55
    np.testing.assert_array_equal(counts["nonembedding"].fit.runs["params"], gadre["params_non_embedding"])
    assert [one.frontier for one in counts.counts] == [None] * 3  # no budgets were asked for


def test_one_fit_serves_all_where_flops_are_six_params_tokens(epoch):
    counts = compare_counts(epoch.where("loss < 2.3"), FAST)  # few rows: they share the programs of the tests below
    assert [one.same_as for one in counts.counts] == [None, *["measured"] * (len(counts) - 1)]
    assert {"6nd", "measured-tokens", "measured-params"} < {one.convention.name for one in counts.counts}
    assert "No convention that was asked for changes what the law takes." in page(counts)


@pytest.fixture(scope="module")
def by_size():
    """Runs on L = 1.7 + 300 N^-0.25 in one count of N, tabulated in another that is 8 times as large."""
    params, random = np.geomspace(1e7, 1e10, 30), np.random.default_rng(6)
    loss = (1.7 + 300 * params**-0.25) * np.exp(0.01 * random.standard_normal(30))
    return Runs.from_arrays(params=8 * params, params_non_embedding=params, tokens=20 * params, loss=loss)


def test_a_size_that_is_a_multiple_moves_the_scale_and_nothing_else(by_size):
    counts = compare_counts(by_size, FAST, conventions=["nonembedding"], flops=BUDGETS)
    table, layers = counts["measured"].fit, counts["nonembedding"].fit
    assert layers.value == pytest.approx(table.value, rel=1e-9)
    assert layers.coefs["alpha"] == pytest.approx(table.coefs["alpha"], rel=1e-6)
    assert table.coefs["A"] == pytest.approx(layers.coefs["A"] * 8 ** layers.coefs["alpha"], rel=1e-6)
    assert counts["measured"].frontier is None
    assert counts["measured"].exponent is None


def test_a_law_without_a_split_is_compared_by_its_coefs(by_size):
    text = page(compare_counts(by_size, FAST, conventions=["nonembedding"], flops=BUDGETS))
    assert "the coefs differ as follows" in text
    assert "params N" not in text


def test_a_count_that_brings_a_warning_of_its_own_says_so(by_size):
    first, other = compare_counts(by_size, FAST, conventions=["nonembedding"]).counts
    shared, own = Finding("shared", "of the table"), Finding("nearly-collinear", "of this count")
    first = replace(first, fit=replace(first.fit, findings=(shared,)))
    other = replace(other, fit=replace(other.fit, findings=(shared, own), status=Status.SINGULAR))
    counts = Counts((first, other), {})
    assert "the fit is 'singular'; beware: nearly-collinear; at small" in " ".join(page(counts).split())
    document = fit_document(Study(first.fit, comparison=counts))["counts"]["conventions"]
    assert [[one["code"] for one in row["warnings"]] for row in document] == [[], ["nearly-collinear"]]


def test_what_cannot_be_counted_is_refused_before_anything_is_fitted(by_size):
    with pytest.raises(RunsError, match="'palm' needs layers"):
        compare_counts(by_size, conventions=["nonembedding", "palm"])
    with pytest.raises(UsageError, match="unknown convention"):
        compare_counts(by_size, conventions="everything")


TABLE = "params,params_non_embedding,tokens,loss\n" + "".join(
    f"{8 * n:g},{n:g},{20 * n:g},{1.7 + 300 * n**-0.25 + wave:.4f}\n"
    for n, wave in zip(np.geomspace(1e7, 1e10, 12), 0.02 * np.sin(np.arange(12)), strict=True)
)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Return a function that runs one command line in an empty folder with TABLE in it."""
    from click.testing import CliRunner

    from jaxscale.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXSCALE_CACHE_DIR", "")
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "t.csv").write_text(TABLE)
    return lambda *words: CliRunner().invoke(main, ["fit", "t.csv", "--law", FAST, "--replicates", "0", *words])


def test_the_command_compares_the_conventions_that_it_is_given(run):
    plain, counted = json.loads(run("--json").stdout), json.loads(run("--count", "nonembedding", "--json").stdout)
    assert [one["convention"] for one in counted["counts"]["conventions"]] == ["measured", "nonembedding"]
    assert counted["counts"]["conventions"][0]["coefs"] == pytest.approx(plain["coefs"], rel=1e-9)
    assert counted["coefs"] == pytest.approx(plain["coefs"], rel=1e-9)
    assert (plain["counts"], plain["saved"]) == ({}, counted["saved"])  # the result that is saved is the same
    page = run("--count", "nonembedding", "--count", "6nd").stdout
    assert page.index("Counted another way") < page.index("no-bands")


def test_the_command_refuses_what_the_table_does_not_allow(run, tmp_path):
    unknown, missing = run("--count", "kaplann"), run("--count", "kaplan")
    assert (unknown.exit_code, missing.exit_code) == (2, 3)
    assert "Did you mean 'kaplan'?" in unknown.stderr
    assert "'kaplan' needs layers; width; context" in missing.stderr
    assert run("--count", "inference").exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]  # nothing was fitted, nothing saved


def test_all_is_every_convention_that_the_table_allows(run):
    counts = json.loads(run("--count", "all", "--json").stdout)["counts"]
    found = [one["convention"] for one in counts["conventions"]]
    assert found == ["measured", "6nd", "total", "nonembedding"]
    assert {*found, *counts["left_out"]} == set(names.CONVENTIONS)


def test_the_conventions_in_the_help_are_those_that_count_training():
    assert tuple(one.name for one in CONVENTIONS if one.counted is not None) == names.CONVENTIONS
