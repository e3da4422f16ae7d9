"""`jaxscale compare --by COLUMN`: the page, the document and the figure of recipes, and what is refused."""

import json

import numpy as np
import pytest

import jaxscale as js

FLOPS = np.geomspace(1e17, 1e20, 15)


@pytest.fixture
def table(own_folder):
    """15 budgets of two recipes of a power law: the programs of the examples of `js.compare_recipes`."""
    rows = []
    for name, scale, seed in (("new", 5e19, 1), ("old", 1e20, 2)):
        noise = np.exp(0.01 * np.random.default_rng(seed).standard_normal(15))
        rows += [
            f"{x!r},{y!r},{name}"
            for x, y in zip(FLOPS.tolist(), ((scale / FLOPS) ** 0.05 * noise).tolist(), strict=True)
        ]
    (own_folder / "two.csv").write_text("\n".join(["flops,loss,recipe", *rows]), encoding="utf-8")
    return "two.csv"


ASKED = ("--by", "recipe", "--law", "kaplan-flops", "--base", "old", "--replicates", "64", "--flops", "1e19,1e21")


def test_the_page_fits_80_columns_and_the_document_is_that_of_python(run, table, own_folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = run("compare", table, *ASKED, "--plot", "two.png")
    assert page.exit_code == 0, page.stderr
    assert max(len(line) for line in page.stdout.splitlines()) <= 80
    assert (own_folder / "two.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads(run("compare", table, *ASKED, "--json").stdout)
    runs = js.read_runs(table, inputs=("flops",), group="recipe")
    found = js.compare_recipes(runs, "kaplan-flops", base="old", replicates=64, budgets=[1e19, 1e21], level=0.9)
    (pair,) = found.pairs
    (written,) = document["pairs"]
    assert (document["base"], document["floor"], document["is_paired"]) == ("old", "free", True)
    assert set(document["recipes"]) == {"new", "old"}
    for at, one in enumerate(written["budgets"]):
        assert one["loss_difference"]["value"] == pair.difference[at]
        assert one["compute_multiplier"]["value"] == pair.multiplier[at]
        assert one["compute_multiplier"]["high"] == pair.multiplier_band.upper[at]
        assert one["share_better"] == pair.share_better[at]
        assert f"{pair.multiplier[at]:.3g}".rstrip("0") in page.stdout
    assert written["differences"]["alpha_C"]["p_wald"] == pair.contrast("alpha_C").p_wald


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--by", "recipe", "--cuts", "3"), "--cuts belongs to laws"),
        (("--floor", "shared"), "--floor belongs to recipes: give --by"),
        (("--by", "recipe", "--floor", "tied"), "free, shared, or the number"),
        (("--by", "recipe", "--group", "loss"), "leave --group out"),
        (("--by", "recipe", "--law", "kaplan-flops", "--floor", "shared"), "has no coef E"),
    ],
    ids=["laws", "no column", "floor", "group", "no floor"],
)
def test_options_that_contradict_each_other_are_refused(run, table, words, said):
    answer = run("compare", table, *words)
    assert answer.exit_code == 2
    assert said in answer.stderr
